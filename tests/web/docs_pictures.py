"""Pictures of the page for the docs: `PYTHONPATH=src:tests python tests/web/docs_pictures.py [NAME…]`.

Needs Playwright, Chromium and MNIST. Each picture is a PNG of at most 256 colours, below 300 kB, in docs/pictures/.
"""

import base64
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from digitlab.data import load
from digitlab.nn import load_network
from digitlab.nn.chains import mlp
from digitlab.shipped import PATH
from digitlab.train import RunConfig, start_run
from digitlab.web.server import Play
from web.conftest import CHROMIUM
from web.serving import serving

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
LARGEST = 300_000
THREE = [(90, 80), (130, 50), (180, 65), (185, 105), (145, 130), (190, 155), (195, 205), (150, 232), (90, 215)]


def draw(page: Page, points: list[tuple[int, int]] = THREE) -> None:
    """Draw with the mouse; points in the canvas's 280 × 280."""
    box = page.locator("canvas.drawing").bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)


def train(page: Page, until: str = "all epochs are done") -> None:
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".training-status")).to_contain_text(until, timeout=120_000)
    page.wait_for_timeout(500)


def collect(page: Page) -> None:
    page.wait_for_selector(".own-row")
    page.wait_for_timeout(4000)


def several_runs(play: Play) -> None:
    """Runs that differ in activation, optimizer and size."""
    train, valid, _ = load("mnist")
    choices = [(30, "sigmoid", "quadratic", "sgd"), (100, "relu", "log-likelihood", "sgd")]
    for number, (hidden, activation, loss, optimizer) in enumerate([*choices, (100, "relu", "log-likelihood", "adam")]):
        network = mlp([784, hidden, 10], activation=activation, loss=loss)
        data = {"source": "mnist", "train_size": 10000}
        config = RunConfig(network=network, optimizer=optimizer, epochs=10, data=data)
        start_run(config, play.runs / f"{number + 2:03}-784-{hidden}-10").fit(train.first(10000), valid, epochs=10)


def wait(page: Page) -> None:
    page.wait_for_timeout(2500)


SPIRAL = "/train?kind=points&epochs=300&speed=0&layers=dense12,dense12"
CURVE = (
    "/train?kind=function&function=x*sin(x)&epochs=60&speed=0&compare=1"
    "&b.kind=function&b.function=x*sin(x)&b.epochs=60&b.activation=relu"
)
HEIGHTS = {"play-draw-390": 844, "play-train": 1240}  # the others have 900 pixels
SHOTS: dict[str, tuple[str, int, bool, Callable[[Page], Any]]] = {
    "play-draw": ("/draw", 1440, False, draw),
    "play-draw-1024": ("/draw", 1024, True, draw),
    "play-draw-390": ("/draw", 390, False, draw),
    "play-open": ("/open", 1440, False, wait),
    "play-step": ("/step", 1440, False, wait),
    "play-train": ("/train?size=10000&epochs=12&layers=dense30", 1440, False, train),
    "play-points": (SPIRAL, 1440, True, train),
    "play-function": (CURVE, 1440, False, train),
    "play-break": ("/break", 1440, True, wait),
    "play-digits": ("/digits?set=mine", 1440, False, collect),
    "play-runs": ("/runs", 1440, False, wait),
    "play-imagine": ("/imagine", 1440, True, wait),
}


def small_png(picture: bytes) -> bytes:
    """The picture with as many of 256 colours as keep it below LARGEST."""
    for colours in (256, 128, 64, 32):
        file = io.BytesIO()
        Image.open(io.BytesIO(picture)).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(
            file, "PNG", optimize=True
        )
        if file.tell() < LARGEST:
            break
    return file.getvalue()


def main(names: list[str]) -> None:
    folder = Path(tempfile.mkdtemp())
    play = Play(load_network(PATH), "digits", PATH, folder / "runs", folder / "own-digits")
    server = serving(play)
    digits = load("mnist", part="test")
    images, labels = digits.images, digits.labels
    for label in range(10):
        for i in np.flatnonzero(labels == label)[20 : 26 - label % 3]:
            play.own_digits.add("mine", label, base64.b64encode(images[i].tobytes()).decode())
    several_runs(play)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name in names or SHOTS:
            fragment, width, dark, act = SHOTS[name]
            context = chromium.new_context(
                viewport={"width": width, "height": HEIGHTS.get(name, 900)},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.goto(server.at(fragment).address)
            page.wait_for_selector("html[data-ready]")
            act(page)
            picture = small_png(page.screenshot())
            (PICTURES / f"{name}.png").write_bytes(picture)
            print(f"{name}: {len(picture):,} bytes")
            context.close()
        chromium.close()
    server.end()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
