"""Throughput of K networks at once against one after another on one core, on threads and on processes.

    python benchmarks/many.py [--networks 8] [--train-size 10000] [--epochs 5] [--repeats 3]

[784,30,10], batches of 10, MNIST. Each network has one thread, so the ratio says how well the cores are used; the last
row trains one network after another with all cores, as `train_many` does by default: the fast engine then evaluates
with several threads. Contestants take turns and the median over the repeats is printed with its range, so a busy
machine slows all of them. The time of processes includes starting them. All give the same networks, bit for bit within
an engine, which is checked.
"""

import argparse
import dataclasses
import os
import platform
import statistics
import time

from digitlab import SGD, RunConfig, load, mlp, train_many
from digitlab.engine.threads import THREADS, available_cores
from digitlab.nn import describe_network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=8)
    parser.add_argument("--train-size", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    sets = load("mnist")
    base = RunConfig(
        describe_network(mlp([784, 30, 10])),
        {"source": "mnist", "train_size": options.train_size},
        SGD(3.0),
        epochs=options.epochs,
    )
    counts = sorted({1, 2, available_cores()})
    contestants = {f"{engine}, {n} at once": (engine, n, 1) for engine in ("fast", "reference") for n in counts}
    contestants["fast, 1, all cores"] = ("fast", 1, available_cores())
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    reasons: dict[str, str] = {}
    networks: dict[str, list[dict[str, bytes]]] = {}
    for repeat in range(options.repeats + 1):  # the first round warms up
        for name, (engine, workers, threads) in contestants.items():
            os.environ[THREADS] = str(threads)
            configs = [dataclasses.replace(base, engine=engine, seed=seed) for seed in range(options.networks)]
            began = time.perf_counter()
            together = train_many(configs, data=sets, workers=workers)
            took = time.perf_counter() - began
            reasons[name] = together.reason
            made = [{key: a.tobytes() for key, a in (o.arrays or {}).items()} for o in together.outcomes]
            assert networks.setdefault(engine, made) == made, "the number of workers changed a network"
            if repeat:
                seconds[name].append(took)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    epochs = options.networks * options.epochs
    print(
        f"{options.networks} networks [784,30,10], batch 10, {options.train_size:,} images, {options.epochs} epochs, "
        f"{options.repeats} repeats; {platform.platform()}, {os.cpu_count()} cores"
    )
    print(f"{'':24} {'seconds':>8} {'min':>7} {'max':>7} {'epochs/s':>9} {'× one after another':>20}")
    for name, values in seconds.items():
        alone = medians[f"{contestants[name][0]}, 1 at once"]
        print(
            f"{name:24} {medians[name]:8.2f} {min(values):7.2f} {max(values):7.2f} {epochs / medians[name]:9.1f} "
            f"{alone / medians[name]:20.2f}  {reasons[name][:60]}"
        )


if __name__ == "__main__":
    main()
