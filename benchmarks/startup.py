"""How long a user waits: importing, the help page, the first step of a training, and the first compilation.

    python benchmarks/startup.py [--repeats 5] [--json docs/results/startup.json]

Every figure is of whole processes, from their start to their end or to the first epoch they tell of: median and range.
The compilation is that of the default job into an empty cache, once; then that of some networks, each into an empty
cache, and one after another into one cache.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from contest import keep

TRAIN = ["train", "--epochs", "1", "--run"]
FIRST_STEP = """
import digitlab
from digitlab import SGD, Trainer, mlp
train = digitlab.load("mnist", part="train")
trainer = Trainer(mlp([784, 30, 10]), SGD(3.0), keep="last")
trainer.fit((train.images[:10], train.labels[:10]), epochs=1)
print(trainer.engine_reason)
"""
COMPILING = """
from digitlab.engine.fast import FastEngine
from digitlab.nn import *
from digitlab.optim import SGD
pictures = lambda maps, *full: Network(
    [Conv2D(maps, 5), ReLU(), MaxPool2D(2), Flatten(), *full, Dense(10)], (28, 28, 1), LogLikelihood()
)
FastEngine({network}, SGD(0.1))
"""
NETWORKS = {
    "784-30-10": "mlp([784, 30, 10])",
    "784-100-100-10, ReLU": "mlp([784, 100, 100, 10], activation='relu')",
    "2@5×5, ReLU, pool": "pictures(2)",
    "20@5×5, ReLU, pool, FC100": "pictures(20, Dense(100), ReLU())",
}


def seconds(command: list[str], **environment: str) -> float:
    """Wall-clock time of a process; its output is thrown away."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | environment)
    return time.perf_counter() - began


def until_line(command: list[str], start: str) -> float:
    """Wall-clock time until a process prints a line that begins so."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith(start))
        took = time.perf_counter() - began
        process.communicate()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    python, digitlab = sys.executable, [sys.executable, "-m", "digitlab"]
    seconds([python, "-c", FIRST_STEP])  # compiles, if need be
    with tempfile.TemporaryDirectory() as folder:
        waits: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: seconds([python, "-c", "pass"]),
            "import digitlab": lambda: seconds([python, "-c", "import digitlab"]),
            "digitlab --help": lambda: seconds([*digitlab, "--help"]),
            "MNIST loaded, one step trained, process ended": lambda: seconds([python, "-c", FIRST_STEP]),
            "digitlab train: first epoch of 50,000 printed": lambda: until_line(
                [*digitlab, *TRAIN, f"{folder}/{time.time_ns()}"], "epoch"
            ),
        }
        taken: dict[str, list[float]] = {name: [] for name in waits}
        for wait in waits.values():
            wait()
        for _ in range(options.repeats):
            for name, wait in waits.items():
                taken[name].append(wait())
        taken["the same step with an empty cache: compilation"] = [
            seconds([python, "-c", FIRST_STEP], NUMBA_CACHE_DIR=f"{folder}/kernels")
        ]
        for name, network in NETWORKS.items():
            command = [python, "-c", COMPILING.format(network=network)]
            for cache in ("empty", "shared"):
                place = f"{folder}/{cache if cache == 'shared' else time.time_ns()}"
                taken[f"compilation, {cache} cache: {name}"] = [seconds(command, NUMBA_CACHE_DIR=place)]
    for name, values in taken.items():
        print(f"{name:52} {statistics.median(values):7.3f} s  [{min(values):.3f} {max(values):.3f}]")
    if options.json:
        keep(options.json, {"seconds": taken})


if __name__ == "__main__":
    main()
