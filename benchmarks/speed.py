"""How fast, beside what a user would pick instead: every row in one run, contestants in turns, medians and ratios.

    python benchmarks/speed.py [--repeats 5] [--rows dense,rashid ...] [--json docs/results/speed.json]

Peers run at each thread count and are counted at their best; convolutions in small batches and in large ones, which
are two rows. All contestants of a row train the same kind of network on the same MNIST images, already in memory, from
a warm start. The rows of table.py also meet torch.compile (with PyTorch's fused Adam) and, where it is installed, JAX.
Run it on a machine that does nothing else.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

import digitlab
import peers
import table
from contest import Contest, machine, ours, per_image, store
from digitlab import SGD, Conv2D, Dense, Flatten, He, LogLikelihood, MaxPool2D, Network, ReLU, Trainer, mlp

THREADS = sorted({1, os.cpu_count() or 1})
CONV1, CONV2 = [(20, 5)], [(20, 5), (40, 5)]
Images, Labels = np.ndarray, np.ndarray


def conv_network(filters: list[tuple[int, int]], dense: int = 100) -> Network:
    """Convolutions with pooling and ReLU after each, then a dense layer and softmax."""
    layers = [layer for n, size in filters for layer in (Conv2D(n, size, weights=He()), MaxPool2D(2), ReLU())]
    layers += [Flatten(), Dense(dense, He()), ReLU(), Dense(10)]
    return Network(layers, (28, 28, 1), LogLikelihood())


def dense(x: Images, y: Labels) -> list[Contest]:
    """[784, 30, 10], batch 10: seconds per epoch of 50,000."""
    contestants = {
        "digitlab": ours(mlp([784, 30, 10]), x, y, 10, SGD(3.0)),
        "digitlab, reference engine": ours(mlp([784, 30, 10]), x, y, 10, SGD(3.0), "reference"),
        "NumPy by example": peers.per_example_numpy(x, y, 30, 10, 3.0),
        "scikit-learn": peers.sklearn_mlp(x, y, 30, 10),
    } | {f"PyTorch, {t} threads": peers.torch_dense(x, y, 30, 10, 3.0, t) for t in THREADS}
    goals = {"PyTorch": 20.0, "scikit-learn": 10.0, "NumPy by example": 30.0}
    return [Contest("[784,30,10], batch 10", "s per epoch of 50,000", "digitlab", contestants, goals)]


def rashid(x: Images, y: Labels) -> list[Contest]:
    """[784, 100, 10], one image at a time, as Rashid trains."""
    x, y = x[:10_000], y[:10_000]
    contestants = {
        "digitlab": ours(mlp([784, 100, 10]), x, y, 1, SGD(0.1)),
        "NumPy by example": peers.per_example_numpy(x, y, 100, 1, 0.1),
    } | {f"PyTorch, {t} threads": peers.torch_dense(x, y, 100, 1, 0.1, t) for t in THREADS}
    contestants = {name: per_image(work, len(x)) for name, work in contestants.items()}
    return [Contest("[784,100,10], batch 1", "µs per image", "digitlab", contestants, {"PyTorch": 25.0})]


def convolution(x: Images, y: Labels) -> list[Contest]:
    """One and two convolutions, in the book's batches of 10 and in larger ones, which PyTorch likes better."""
    contests = []
    for text, filters, n, goals in (
        ("20@5×5, pool, FC100", CONV1, 5120, {10: 5.0, 256: 2.0}),
        ("20@5×5, pool, 40@5×5, pool, FC100", CONV2, 2560, {10: 4.0, 256: 2.0}),
    ):
        for batch in (10, 256):
            contestants = {"digitlab": ours(conv_network(filters), x[:n], y[:n], batch, SGD(0.03))}
            contestants |= {
                f"PyTorch, {t} threads": peers.torch_convolutional(x[:n], y[:n], filters, 100, batch, 0.03, t)
                for t in THREADS
            }
            if batch == 10:
                reference = ours(conv_network(filters), x[:n], y[:n], batch, SGD(0.03), "reference")
                contestants["digitlab, reference engine"] = reference
            contestants = {name: per_image(work, n) for name, work in contestants.items()}
            goal = {"PyTorch": goals[batch]}
            contests.append(Contest(f"{text}, batch {batch}", "µs per image", "digitlab", contestants, goal))
    return contests


def train_one(x: Images, y: Labels, seed: int, epochs: int) -> None:
    """One network [784, 30, 10] from nothing to trained."""
    trainer = Trainer(mlp([784, 30, 10], seed=seed), SGD(3.0), batch_size=10, engine="fast", keep="last")
    trainer.fit((x, y), epochs=epochs)


def timed(work: Callable[[], object]) -> peers.Work:
    """Seconds of wall-clock time."""

    def run() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return run


def together(x: Images, y: Labels, count: int, epochs: int) -> peers.Work:
    """`count` networks on as many threads as there are cores."""

    def work() -> None:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(lambda seed: train_one(x, y, seed, epochs), range(count)))

    return timed(work)


def in_processes(x: Images, y: Labels, count: int, epochs: int) -> peers.Work:
    """The same shared out to processes, which nothing but the machine connects: the most that its cores can give.

    The processes are there before, and their start is not counted.
    """
    cores = os.cpu_count() or 1
    context = multiprocessing.get_context("fork")
    shares = [range(core, count, cores) for core in range(cores)]
    pipes = [context.Pipe() for _ in shares]

    def serve(seeds: range, pipe: Connection) -> None:
        while pipe.recv():
            for seed in seeds:
                train_one(x, y, seed, epochs)
            pipe.send(True)

    for seeds, (_, far) in zip(shares, pipes):
        context.Process(target=serve, args=(seeds, far), daemon=True).start()

    def work() -> None:
        for near, _ in pipes:
            near.send(True)
        for near, _ in pipes:
            near.recv()

    return timed(work)


def many(x: Images, y: Labels) -> list[Contest]:
    """Eight networks [784, 30, 10] at once: seconds for three epochs of 20,000 images each, from nothing to trained."""
    x, y, count, epochs = x[:20_000], y[:20_000], 8, 3
    train_one(x, y, 0, 1)  # the kernels are loaded before processes are forked

    def pytorch() -> None:
        for _ in range(count):
            epoch = peers.torch_dense(x, y, 30, 10, 3.0, 1)
            for _ in range(epochs):
                epoch()

    def pytorch_vmap(threads: int) -> None:
        epoch = peers.torch_vmap_dense(x, y, 30, 10, 3.0, count, threads)
        for _ in range(epochs):
            epoch()

    contestants = {
        "digitlab, at once": together(x, y, count, epochs),
        "digitlab, one after another": timed(lambda: [train_one(x, y, seed, epochs) for seed in range(count)]),
        "digitlab, a process per core": in_processes(x, y, count, epochs),
        "PyTorch, one after another": timed(pytorch),
    } | {f"PyTorch vmap, {t} threads": timed(partial(pytorch_vmap, t)) for t in THREADS}
    goals = {"digitlab, one after another": 1.9, "PyTorch, one after another": 20.0}
    unit = f"s for {epochs} epochs of {len(x):,} images each"
    return [Contest("8 networks [784,30,10]", unit, "digitlab, at once", contestants, goals)]


def prediction(x: Images, y: Labels) -> list[Contest]:
    """One image through [784, 30, 10]."""
    import torch

    from digitlab.engine.select import make_predictor

    network, image = mlp([784, 30, 10]), x[:1]
    one = make_predictor(network)
    model = torch.nn.Sequential(torch.nn.Linear(784, 30), torch.nn.Sigmoid(), torch.nn.Linear(30, 10))
    tensor = torch.from_numpy((image.reshape(1, -1) / 255).astype(np.float32))

    def microseconds(call: Callable[[], object]) -> peers.Work:
        def run() -> float:
            began = time.perf_counter()
            for _ in range(2000):
                call()
            return 1e6 * (time.perf_counter() - began) / 2000

        return run

    def torch_predict() -> None:
        with torch.inference_mode():
            model(tensor)

    torch.set_num_threads(1)
    contestants = {
        "digitlab": microseconds(lambda: one(image)),
        "digitlab, network.predict": microseconds(lambda: network.predict(image)),
        "PyTorch": microseconds(torch_predict),
    }
    return [Contest("one prediction, [784,30,10]", "µs", "digitlab", contestants, {"PyTorch": 5.0})]


Make = Callable[[Images, Labels], list[Contest]]
ROWS: dict[str, Make] = {
    "dense": dense,
    "rashid": rashid,
    "convolution": convolution,
    "many": many,
    "prediction": prediction,
} | {name: partial(table.contest, row, threads=THREADS) for name, row in table.ROWS.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", default=",".join(ROWS), help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--json", type=Path, help="store the figures in this file as well")
    options = parser.parse_args()
    train = digitlab.load("mnist", part="train")
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    finished = []
    for row in options.rows.split(","):
        for contest in ROWS[row](train.images, train.labels):
            contest.run(options.repeats)
            print("\n".join(contest.lines()), flush=True)
            finished.append(contest)
            if options.json:
                store(options.json, finished)


if __name__ == "__main__":
    main()
