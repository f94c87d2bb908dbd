"""How cost grows: time per image against images, hidden units, filters, batch size and networks at once.

    python benchmarks/growth.py [--repeats 3] [--json docs/results/growth.json] [--picture docs/pictures/growth.png]

digitlab beside PyTorch's eager loop at its better thread count, the same network on the same images; each point is
the median of the repeats, taken in turns. Dotted lines mark where one overtakes the other.
Run it on a machine that does nothing else.
"""

import argparse
import os
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import digitlab
import peers
from contest import keep, ours
from digitlab import SGD, mlp
from digitlab.figure import new_figure
from digitlab.viz.figures import save_figure
from speed import THREADS, conv_network, together

Point = tuple[Callable[[], float], list[Callable[[], float]], int]  # ours, PyTorch's, and the images of one call
BLUE, ORANGE = "#0072b2", "#d55e00"  # told apart by colour-blind people, too


def dense_point(x: np.ndarray, y: np.ndarray, hidden: int, batch: int) -> Point:
    """[784, hidden, 10] for one epoch."""
    peer = [peers.torch_dense(x, y, hidden, batch, 0.1, t) for t in THREADS]
    return ours(mlp([784, hidden, 10]), x, y, batch, SGD(0.1)), peer, len(x)


def deep_point(x: np.ndarray, y: np.ndarray, hidden: int, batch: int) -> Point:
    """[784, hidden, hidden, 10] for one epoch."""
    peer = [peers.torch_dense(x, y, [hidden, hidden], batch, 0.1, t) for t in THREADS]
    return ours(mlp([784, hidden, hidden, 10]), x, y, batch, SGD(0.1)), peer, len(x)


def conv_point(x: np.ndarray, y: np.ndarray, filters: list[int], batch: int) -> Point:
    """Convolutions 5×5, each pooled, 100 neurons, for one epoch."""
    shape = [(n, 5) for n in filters]
    peer = [peers.torch_convolutional(x, y, shape, 100, batch, 0.03, t) for t in THREADS]
    return ours(conv_network(shape), x, y, batch, SGD(0.03)), peer, len(x)


def many_point(x: np.ndarray, y: np.ndarray, count: int) -> Point:
    """`count` networks [784, 30, 10], two epochs each; PyTorch in one batched program, or one after another."""
    epochs = 2
    peer: list[peers.Work] = []
    for threads in THREADS:
        vmapped = peers.torch_vmap_dense(x, y, 30, 10, 3.0, count, threads)
        single = peers.torch_dense(x, y, 30, 10, 3.0, threads)
        peer += [lambda run=vmapped: epochs * run(), lambda run=single: count * epochs * run()]
    return together(x, y, count, epochs), peer, epochs * count * len(x)


def series(x: np.ndarray, y: np.ndarray) -> dict[str, tuple[str, Sequence[int], Callable[[int], Point]]]:
    """What is varied: a title, its values, and how to make a point."""
    return {
        "images": (
            "training images, [784,30,10], batch 10",
            (100, 1000, 10_000, 50_000),
            lambda n: dense_point(x[:n], y[:n], 30, 10),
        ),
        "hidden": (
            "hidden units, batch 10",
            (10, 30, 100, 300, 1000, 3000),
            lambda n: dense_point(x[:2000], y[:2000], n, 10),
        ),
        "wide batch": (
            "hidden units, batch 1024",
            (10, 30, 100, 300, 1000, 3000),
            lambda n: dense_point(x[:8192], y[:8192], n, 1024),
        ),
        "two wide layers": (
            "units in each of two layers, batch 1024",
            (30, 100, 300, 1000, 3000),
            lambda n: deep_point(x[:4096], y[:4096], n, 1024),
        ),
        "filters": (
            "filters 5×5, pool, 100 neurons, batch 10",
            (4, 8, 16, 32, 64),
            lambda n: conv_point(x[:1000], y[:1000], [n], 10),
        ),
        "two convolutions": (
            "filters in each of two layers, batch 256",
            (8, 16, 32, 64, 128),
            lambda n: conv_point(x[:1024], y[:1024], [n, n], 256),
        ),
        "batch": (
            "batch size, [784,100,10]",
            (1, 10, 100, 1000, 10_000),
            lambda n: dense_point(x[:10_000], y[:10_000], 100, n),
        ),
        "networks": (
            "networks [784,30,10] at once, batch 10",
            (1, 2, 4, 8, 16),
            lambda n: many_point(x[:5000], y[:5000], n),
        ),
    }


def measure(point: Point, repeats: int) -> tuple[float, float]:
    """Microseconds per image: digitlab's, and PyTorch's at its best."""
    mine, peer, images = point
    for work in (mine, *peer):
        work()
    taken: list[list[float]] = [[] for _ in range(1 + len(peer))]
    for _ in range(repeats):
        for values, work in zip(taken, (mine, *peer)):
            values.append(1e6 * work() / images)
    medians = [statistics.median(values) for values in taken]
    return medians[0], min(medians[1:])


def crossings(values: Sequence[int], mine: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Where the faster one becomes the slower one, on logarithmic axes between two points."""
    ahead = np.log(np.array(theirs) / np.array(mine))
    found = []
    for i in range(1, len(values)):
        if (ahead[i - 1] > 0) != (ahead[i] > 0):
            share = ahead[i - 1] / (ahead[i - 1] - ahead[i])
            found.append(float(np.exp((1 - share) * np.log(values[i - 1]) + share * np.log(values[i]))))
    return found


def draw(record: dict[str, Any]) -> Any:
    """All plots on one sheet."""
    figure = new_figure(15, 7)
    figure.suptitle("Training time per image: digitlab beside PyTorch (both at their best thread count)")
    for i, entry in enumerate(record["series"].values()):
        axes = figure.add_subplot(2, 4, i + 1)
        axes.loglog(entry["values"], entry["digitlab"], "o-", color=BLUE, label="digitlab")
        axes.loglog(entry["values"], entry["PyTorch"], "s--", color=ORANGE, label="PyTorch")
        for place in entry["crossings"]:
            axes.axvline(place, color="grey", linestyle=":")
        axes.set_xticks(entry["values"], [f"{value:,}" for value in entry["values"]], fontsize=8)
        axes.minorticks_off()
        axes.set_xlabel(entry["title"], fontsize=9)
        axes.set_ylabel("µs per image")
        axes.grid(True, which="major", alpha=0.3)
        if i == 0:
            axes.legend()
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    train = digitlab.load("mnist", part="train")
    record: dict[str, Any] = {"cores": os.cpu_count(), "series": {}}
    ahead: list[str] = []  # points at which PyTorch is
    for name, (title, values, make) in series(train.images, train.labels).items():
        pairs = [measure(make(value), options.repeats) for value in values]
        mine, theirs = [p[0] for p in pairs], [p[1] for p in pairs]
        crossed = crossings(values, mine, theirs)
        behind = [f"{value:,}" for value, a, b in zip(values, mine, theirs) if b < a]
        ahead += [f"{title}: {value:,} (× {b / a:.2f})" for value, a, b in zip(values, mine, theirs) if b < a]
        record["series"][name] = {
            "title": title,
            "values": list(values),
            "digitlab": mine,
            "PyTorch": theirs,
            "crossings": crossed,
        }
        print(f"{title} (µs per image, median of {options.repeats})")
        for value, a, b in zip(values, mine, theirs):
            print(f"  {value:>7,}  digitlab {a:9.3g}  PyTorch {b:9.3g}  × {b / a:.2f}")
        where = "".join(f"; the lines cross at about {place:,.0f}" for place in crossed)
        verdict = f"PyTorch is faster at {', '.join(behind)}{where}" if behind else "digitlab is faster throughout"
        print(f"  {verdict}", flush=True)
    print("PyTorch is ahead at " + "; ".join(ahead) if ahead else "PyTorch is ahead nowhere: no crossing point is left")
    if options.json:
        keep(options.json, record)
    if options.picture:
        save_figure(draw(record), options.picture)


if __name__ == "__main__":
    main()
