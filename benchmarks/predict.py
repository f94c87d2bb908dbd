"""How long `digitlab predict` takes on a table such as Kaggle's test.csv: 28,000 images of MNIST, 51 MB of text.

    python benchmarks/predict.py [--repeats 5] [--net shipped] [--json docs/results/predict.json]

Figures are of whole processes, from their start to the written submission: median and range of wall-clock and of
processor time, which other work on the machine lengthens less. Beside it, NumPy's reader of text on the same file.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from contest import keep
from digitlab import load
from digitlab.files import write_text

ROWS = 28_000
GOAL = 2.0  # seconds
LOADTXT = "import sys, numpy; numpy.loadtxt(sys.argv[1], numpy.uint8, delimiter=',', skiprows=1)"


def write_table(path: Path) -> None:
    """The heading pixel0 to pixel783 and a line for each of 28,000 images, without labels."""
    train, _, test = load("mnist")
    images = np.concatenate([test.images, train.images])[:ROWS].reshape(ROWS, -1)  # (28000, 784)
    lines = [",".join(f"pixel{i}" for i in range(784)), *(",".join(map(str, row)) for row in images.tolist())]
    write_text(path, "\n".join(lines) + "\n")


def seconds(command: list[str]) -> tuple[float, float]:
    """Wall-clock and processor time of a process."""
    began, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--net", default="shipped")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table, out = str(Path(folder, "test.csv")), str(Path(folder, "submission.csv"))
        write_table(Path(table))
        predict = [sys.executable, "-m", "digitlab", "predict", options.net, table, "--kaggle", "-o", out]
        commands = {"digitlab predict": predict, "numpy.loadtxt alone": [sys.executable, "-c", LOADTXT, table]}
        seconds(predict)  # compiles, if need be
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.repeats):
            for name, command in commands.items():
                took[name].append(seconds(command))
    print(f"{ROWS:,} images by {options.net} (s, median of {options.repeats})")
    results = {}
    for name, pairs in took.items():
        for kind, figures in zip(("wall clock", "processor"), zip(*pairs)):
            results[f"{name}, {kind}"] = figures
            median, low, high = statistics.median(figures), min(figures), max(figures)
            print(f"  {name + ', ' + kind:34} {median:8.3f}  [{low:8.3f} {high:8.3f}]")
    median = statistics.median(results["digitlab predict, wall clock"])
    print(f"  goal: ≤ {GOAL:g} s: {median:.2f} {'reached' if median <= GOAL else 'missed'}")
    if options.json is not None:
        keep(options.json, {"seconds": results})


if __name__ == "__main__":
    main()
