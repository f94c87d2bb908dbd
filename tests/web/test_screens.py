"""The screens about one network and one image, driven as a person would drive them."""

import re
import time

import numpy as np
import pytest

from digitlab.nn import BatchNorm, Conv2D, Dense, Dropout, Network, load_network
from digitlab.optim import SGD
from digitlab.shipped import PATH
from digitlab.viz.explain import walk
from digitlab.web.images import probabilities_of, worst
from digitlab.web.server import Play
from web.serving import serving

pytestmark = [pytest.mark.web, pytest.mark.slow, pytest.mark.mnist]
LAYERS = load_network(PATH).layers
DENSE, CONV = ([i for i, layer in enumerate(LAYERS) if isinstance(layer, kind)] for kind in (Dense, Conv2D))
THREE = [(90, 80), (130, 50), (180, 65), (185, 105), (145, 130), (190, 155), (195, 205), (150, 232), (90, 215)]


def draw(page, points) -> None:
    """Draw with the mouse; points in the canvas's 280 × 280."""
    canvas = page.locator("canvas.drawing")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    at = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def until(page, condition: str, seconds: float = 10) -> None:
    """Wait for an expression of JavaScript; the page's policy forbids Playwright's own wait, which evaluates text."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within {seconds} s: {condition}"
        page.wait_for_timeout(30)


def loss(page) -> float:
    """The loss that the screen One step shows."""
    return number(re.search(r"L = (\S+);", page.text_content("#loss")).group(1))


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.strip().rstrip("%.").replace("−", "-").replace("\u2009", ""))


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_a_3_drawn_by_mouse_is_read_as_3(open_page, request, width, dark):
    if dark and not request.config.getoption("--long"):
        pytest.skip("one of the two widths takes seconds enough: --long")
    page = open_page("/draw", width=width, dark=dark)
    page.click("text=Clear")
    until(page, "document.querySelector('.answer b').textContent === '–'")
    draw(page, THREE)
    until(page, "document.querySelector('.answer b').textContent === '3'")
    assert page.locator(".layer").count() == len(LAYERS)
    assert page.locator(".stages figure").count() == 3
    page.click("text=Undo")
    until(page, "document.querySelector('.answer b').textContent === '–'")


def test_drawing_updates_every_layer_in_time(open_page):
    page = open_page("/draw")
    times = []
    for digit in (1, 2, 8, 0, 5, 6):
        page.click(f"button[aria-label='Example {digit}']")
        until(page, f"document.querySelector('.answer b').textContent === '{digit}'")
        times.append(number(page.text_content("#time").split()[0]))
    assert min(times) < 50  # the quietest: the machine may be busy


def test_a_test_image_by_number_and_the_worst_failures(open_page, mnist_splits, served, monkeypatch):
    first = mnist_splits.test[:2000]  # all 10,000 take seconds
    found = worst(probabilities_of(served.play.network, first), first, 5, source="mnist", part="test")
    monkeypatch.setitem(served.play.images.__dict__, "failures", found)
    page = open_page("/draw")
    page.fill("input[type=number]", "18")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=mnist test 18, a 3")
    page.click("text=Worst failures")
    page.wait_for_selector(".thumbs button", timeout=60_000)
    first = page.locator(".thumbs button").first
    label, read = first.text_content().split(" → ")
    first.click()
    page.wait_for_selector(f"text=/mnist test [0-9,]+, a {label}/")
    until(page, f"document.querySelector('.answer b').textContent === '{read}'")


def test_a_photo_is_read(open_page, tmp_path):
    from PIL import Image

    from digitlab.data.synthetic.strokes import draw_digit

    page_of_paper = np.full((300, 300), 250, np.uint8)
    digit = draw_digit(2, 160, np.random.default_rng(1), width=0.09)
    page_of_paper[60 : 60 + digit.shape[0], 80 : 80 + digit.shape[1]] = 250 - (digit * 0.9).astype(np.uint8)
    Image.fromarray(page_of_paper).save(tmp_path / "photo.png")
    page = open_page("/draw")
    page.set_input_files("input[type=file]", tmp_path / "photo.png")
    page.wait_for_selector("text=On the photo: 2", timeout=30_000)
    page.locator(".thumbs button").click()
    page.wait_for_selector("text=from your photo")
    until(page, "document.querySelector('.answer b').textContent === '2'")


def test_a_neuron_opened_is_what_python_computes(open_page, mnist_splits):
    page = open_page(f"/open?layer={DENSE[0]}&index=5")
    page.fill("input[type=number]", "18")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=mnist test 18, a 3")
    network = load_network(PATH)
    x = network.prepare(mnist_splits.test.images[18:19])
    for layer in network.layers[: DENSE[0] + 1]:
        x, _ = layer.forward(x)
    assert number(page.text_content("#sum b")) == pytest.approx(x[0, 5], rel=1e-2)
    assert "digitlab/nn/network.py, Dense.forward" in page.text_content("main")
    products = page.locator("table.compact tbody tr td:last-child").all_text_contents()
    bias = number(re.search(r"b = (\S+),", page.text_content("#sum")).group(1))
    assert sum(map(number, products)) + bias == pytest.approx(x[0, 5], abs=0.02)


def test_path_and_keyboard_move_through_the_layers(open_page):
    page = open_page("/open")
    assert page.locator(".chain li").count() == len(LAYERS)
    page.locator(".chain button").nth(len(LAYERS) - 1 - DENSE[0]).click()  # the last layer comes first
    until(page, f"location.hash.includes('layer={DENSE[0]}&')")
    urls = {page.url}
    page.locator("canvas.pick").first.focus()
    for key in ("ArrowLeft", "ArrowRight"):  # one of them leads nowhere at an edge
        page.keyboard.press(key)
        urls.add(page.url)
    assert len(urls) == 2
    page.click("text=Occlusion")
    page.wait_for_selector("text=5 × 5 pixels")
    page.click("text=Brush")
    box = page.locator("canvas[aria-label^='Which pixels the answer depends on']").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 160, steps=5)
    page.mouse.up()
    page.wait_for_selector("text=/had [0-9.]+ %, now/")


def test_one_step_is_the_one_of_explain(open_page, mnist_splits):
    page = open_page("/step")
    page.wait_for_selector("#hint:has-text('sure of the 3')")  # so the next best class is chosen to learn
    assert page.input_value("label:has-text('The right class') select") != "3"
    page.fill("input[type=number]", "18")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=mnist test 18, a 3")
    page.select_option("label:has-text('The right class') select", "8")
    network = load_network(PATH)
    found = walk(network, mnist_splits.test.images[18], np.int64(8))
    assert loss(page) == pytest.approx(found.loss, rel=1e-2)
    for at in (DENSE[-1], CONV[-1], CONV[0]):
        step = found.steps[at]
        row = page.locator(f".back:has(h3 .muted:text-is('{at}  '))").text_content()
        shown = [number(text) for text in re.findall(r"min (\S+),", row)]
        expected = [float(step.backward[key].min()) for key in ("g = ∂L/∂y", "∂L/∂W")]
        assert shown == pytest.approx(expected, rel=1e-2)
    # η g is what changes
    gradient = found.steps[DENSE[-1]].backward["∂L/∂W"].ravel()
    row = page.locator(f"tr:has(th:text-is('{DENSE[-1]}.W')) td").all_text_contents()
    assert number(row[3]) == pytest.approx(-0.01 * number(row[2]), rel=2e-2)
    assert abs(number(row[2])) == pytest.approx(np.abs(gradient).max(), rel=1e-2)
    network.gradient(network.prepare(mnist_splits.test.images[18:19]), np.array([8]))
    for p in network.parameters().values():
        p.value = SGD().update(p.value, p.grad, {}, 0.01)[0]
    after = walk(network, mnist_splits.test.images[18], np.int64(8)).loss
    page.get_by_role("button", name="Learn", exact=True).click()
    assert loss(page) == pytest.approx(after, rel=1e-2, abs=1e-6)
    page.click("text=Undo")
    assert loss(page) == pytest.approx(found.loss, rel=1e-2)
    page.click("text=× 10")
    page.click("text=Use these weights")
    page.wait_for_selector("text=digits + 10 steps")


def test_one_step_as_in_training(open_page, tmp_path):
    """With dropout of nearly everything, the output is the softmax of the biases."""
    network = Network([Dropout(1 - 1e-7), Dense(10)], 784, "log-likelihood", seed=1)
    network.parameters()["1.b"].value = np.arange(10, dtype=np.float32)
    flat = Network([Dense(10), BatchNorm(), Dense(10)], 784, "log-likelihood")
    for net, boxes in ((network, 1), (flat, 0)):
        server = serving(Play(net, "small", None, tmp_path / "runs", tmp_path / "own"))
        try:
            page = open_page("/step", server=server)
            page.select_option("label:has-text('The right class') select", "8")
            before = loss(page)
            assert page.locator("text=As in training").count() == boxes
            if boxes:
                page.click("text=As in training")
                assert loss(page) == pytest.approx(np.log(np.exp(np.arange(10)).sum()) - 8, rel=1e-2) != before
            else:
                page.wait_for_selector("text=BatchNorm needs more than one image")
        finally:
            server.end()


def test_break_it(open_page):
    page, maps = open_page("/break"), LAYERS[CONV[0]].filters
    assert page.text_content("#survivors").startswith("10 of 10")
    bits = page.locator("input[aria-label='Bits of each weight']")
    bits.focus()
    page.keyboard.press("Home")
    until(page, "!document.querySelector('#survivors').textContent.startsWith('10 of 10')")
    page.click("text=Reset")
    until(page, "document.querySelector('#survivors').textContent.startsWith('10 of 10')")
    page.locator("input[aria-label='Rotation']").focus()
    page.keyboard.press("End")
    until(page, "!document.querySelector('#survivors').textContent.startsWith('10 of 10')")
    page.click("text=Reset")
    page.locator("input[aria-label='Neurons (or maps) off']").focus()
    page.keyboard.press("End")
    page.wait_for_selector(f"text={maps} of {maps}")
    until(page, "document.querySelector('#survivors').textContent.startsWith('1 of 10')")
    page.click("text=Reset")
    page.locator("canvas[aria-label^='The neurons of the layer']").click(position={"x": 28, "y": 5})
    page.wait_for_selector(f"text=1 of {maps}")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.wait_for_selector(f"text=2 of {maps}")
    page.click("text=Reset")
    page.click("text=Search")
    until(page, "/makes it a/.test(document.querySelector('#fooled').textContent)", 30)


def test_imagine_grows_to_the_digit(open_page):
    page = open_page("/imagine?digit=7")
    until(page, "document.querySelector('#ascent').textContent.includes('read as 7')", 60)
    page.click("text=Pause")
    step = page.text_content(".slider output")
    page.click("text=Go on")
    until(page, f"document.querySelector('.slider output').textContent !== '{step}'")
    assert page.locator("text=needs a chain of dense layers").count() == 2


def test_a_dense_network_shows_the_three_ways(open_page, browser, tmp_path):
    import digitlab
    from digitlab.web.server import Play
    from web.serving import serving

    dense = serving(Play(digitlab.mlp([64, 8, 10]), "small", tmp_path))
    page = open_page("/imagine?digit=2", server=dense)
    until(page, "document.querySelectorAll('.stage').length === 7")
    page.goto(page.url.split("#")[0] + "#/draw")
    page.wait_for_selector(".layer")
    dense.end()
