"""Fine-tuning on 20 pictures of one's own: `python benchmarks/own_hand.py [--owners 20] [--first 0]
[--unusual 4] [--options "--epochs 30"]`.

Each owner has one way to write each digit, drawn at random and then bent, and one pen. With `--unusual 4`, four of an
owner's ten digits have a form that the network was not trained on. The network of `digitlab train --from shipped --data
own` learns 20 pictures; the next 20 of the same owner, and MNIST's test images, test it.
"""

import argparse
import io
import shlex
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

import digitlab
from digitlab.cli import run as run_command
from digitlab.data.synthetic.hands import write_digit, write_form
from digitlab.data.synthetic.pens import ink_of
from digitlab.data.synthetic.samples import save_picture
from digitlab.nn import load_network
from digitlab.shipped import shipped_network
from digitlab.train import evaluate

PENS = ("ball", "pencil", "felt", "marker", "brush")
LABELS = [i % 10 for i in range(20)]
UNUSUAL = (  # a form of each digit that is not in hands.toml, in its notation
    "9,-2 4,1 1,7 5,14 9,7 4,1 1,-2",
    "-1,14 5,0! 8,14",
    "0,0 9,0! 1,14! 10,14; 2,7 8,7",
    "1,0 9,0! 9,14! 1,14; 3,7 9,7",
    "6,0 0,8! 8,7! 2,15",
    "9,2 5,0 1,3 5,7 9,11 5,14 1,12",
    "8,0 0,14! 9,14! 7,8! 3,9",
    "0,4 0,0! 9,0! 9,14",
    "5,0 2,3 5,6 8,3 5,0; 5,8 1,11 5,14 9,11 5,8",
    "9,7 0,5! 9,0! 9,14",
)


def strokes_of(owner: int, label: int, unusual: int, rng: np.random.Generator) -> list[Any]:
    """The owner's digit: the form and its bend are always the same; rotation, size and tremor are this picture's."""
    own = np.random.default_rng([owner, label])
    habits = np.random.default_rng(owner).permutation(10)[:unusual]
    strokes = write_form(UNUSUAL[label], own) if label in habits else write_digit(label, own)
    a, b, c = own.normal(0, 0.12, 3)
    angle = np.deg2rad(rng.normal(0, 4))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * rng.uniform(0.88, 1.12, 2)
    drawn = []
    for stroke in strokes:
        x, y = (stroke - [0.5, 0.7]).T
        bent = np.stack([x + a * y + b * y * y, y + c * x], axis=1) @ turn
        t = np.linspace(0, 1, len(stroke))[:, None] * rng.uniform(2, 6, 2) + rng.uniform(0, 7, 2)
        drawn.append(bent + 0.025 * np.sin(t))
    return drawn


def write_pictures(folder: Path, owner: int, unusual: int, rng: np.random.Generator) -> None:
    """Twenty pictures of one digit each, dark on light, two of each."""
    for number, label in enumerate(LABELS):
        ink = ink_of(strokes_of(owner, label, unusual, rng), rng, PENS[owner % len(PENS)], 60)
        page = np.full((ink.shape[0] + 40, ink.shape[1] + 40), 235.0)
        page[20:-20, 20:-20] -= 190 * ink
        page += rng.normal(0, 2, page.shape)
        save_picture(folder / str(label) / f"{number}.png", page.clip(0, 255).astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--owners", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first owner")
    parser.add_argument("--unusual", type=int, default=0, help="how many of an owner's ten digits have an unusual form")
    parser.add_argument("--options", default="", help="further options of `digitlab train`")
    args = parser.parse_args()
    test, shipped, rows = digitlab.load("mnist", part="test"), shipped_network(), []
    print("owner  next 20: before  after   MNIST test: before  after")
    with tempfile.TemporaryDirectory() as place:
        for owner in range(args.first, args.first + args.owners):
            own, following, run = (Path(place) / str(owner) / name for name in ("own", "next", "run"))
            for folder, series in ((own, 1), (following, 2)):
                write_pictures(folder, owner, args.unusual, np.random.default_rng([owner, 100, series]))
            command = ["train", "--from", "shipped", "--data", str(own), "--run", str(run), *shlex.split(args.options)]
            with redirect_stdout(io.StringIO()) as said:
                code = run_command(command)
            if code:
                raise SystemExit(said.getvalue())
            tuned, then = load_network(run / "network.safetensors"), digitlab.load(str(following), part="all")
            row = [100 * (evaluate(net, data).accuracy or 0) for data in (then, test) for net in (shipped, tuned)]
            rows.append(row)
            print("{:5d}{:16.0f} %{:5.0f} %{:20.2f} %{:6.2f} %".format(owner, *row), flush=True)
    table = np.array(rows)
    print(" mean{:14.1f} %{:7.1f} %{:18.2f} %{:6.2f} %".format(*table.mean(axis=0)))
    print(f"MNIST test after, at least: {table[:, 3].min():.2f} %")


if __name__ == "__main__":
    main()
