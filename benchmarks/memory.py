"""Peak memory of each job beside PyTorch's: every job in a process of its own, its largest resident size.

    python benchmarks/memory.py [--json docs/results/memory.json]

Both sides load MNIST with digitlab, so the difference is what training adds: PyTorch's library and float images on
one side, compiled kernels and lists of pixels on the other. `images` is what a process takes that only loads the data.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import digitlab
import peers
from contest import keep
from digitlab import SGD, mlp
from speed import CONV1, CONV2, conv_network, ours

MIB = 1 << 20


def torch_dense(hidden: int, batch: int) -> Callable[[digitlab.Digits], peers.Work]:
    return lambda d: peers.torch_dense(d.images, d.labels, hidden, batch, 0.1, 2)


def torch_conv(filters: list[tuple[int, int]], batch: int) -> Callable[[digitlab.Digits], peers.Work]:
    return lambda d: peers.torch_convolutional(d.images, d.labels, filters, 100, batch, 0.03, 2)


JOBS: dict[str, tuple[Callable[[digitlab.Digits], peers.Work], Callable[[digitlab.Digits], peers.Work]]] = {
    "[784,30,10], batch 10": (
        lambda d: ours(mlp([784, 30, 10]), d.images, d.labels, 10, SGD(3.0)),
        torch_dense(30, 10),
    ),
    "[784,100,10], batch 1": (
        lambda d: ours(mlp([784, 100, 10]), d.images, d.labels, 1, SGD(0.1)),
        torch_dense(100, 1),
    ),
    "20@5×5, pool, FC100, batch 10": (
        lambda d: ours(conv_network(CONV1), d.images, d.labels, 10, SGD(0.03)),
        torch_conv(CONV1, 10),
    ),
    "20@5×5, pool, 40@5×5, pool, FC100, batch 10": (
        lambda d: ours(conv_network(CONV2), d.images, d.labels, 10, SGD(0.03)),
        torch_conv(CONV2, 10),
    ),
    "20@5×5, pool, 40@5×5, pool, FC100, batch 256": (
        lambda d: ours(conv_network(CONV2), d.images, d.labels, 256, SGD(0.03)),
        torch_conv(CONV2, 256),
    ),
}


def peak() -> float:
    """The largest resident size of this process so far, in MiB."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / MIB if sys.platform == "darwin" else used / 1024


def job(name: str, side: str, size: int) -> None:
    """In a process of its own: one epoch over `size` images, then the peak on standard output."""
    digits = digitlab.load("mnist", part="train").first(size)
    if name != "images":
        JOBS[name][0 if side == "digitlab" else 1](digits)()
    print(peak())


def in_a_process(name: str, side: str, size: int) -> float:
    command = [sys.executable, __file__, "--job", name, "--side", side, "--size", str(size)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--size", type=int, default=50_000, help="training images")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        job(options.job, options.side, options.size)
        return
    alone = in_a_process("images", "digitlab", options.size)
    print(f"{'peak resident size, MiB':46} {'digitlab':>9} {'PyTorch':>9}")
    print(f"{'images (the data and Python alone)':46} {alone:9.0f}")
    record = {"size": options.size, "images": alone, "jobs": {}}
    for name in JOBS:
        mine, theirs = (in_a_process(name, side, options.size) for side in ("digitlab", "PyTorch"))
        record["jobs"][name] = {"digitlab": mine, "PyTorch": theirs}
        print(f"{name:46} {mine:9.0f} {theirs:9.0f}", flush=True)
    if options.json:
        keep(options.json, record)


if __name__ == "__main__":
    main()
