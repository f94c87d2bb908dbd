"""Microseconds per image of a training step and of a prediction, network by network, from MNIST's pixels.

python benchmarks/kernels/steps.py [threads [text]]     (CPU time with one thread, wall time with more)

With a text, only the networks whose name contains it.

The smallest of many short runs is shown: what the kernels cost, not what a busy machine adds.
"""

import sys
import time

import numpy as np

import digitlab.data
from digitlab.engine.fast import FastEngine, Predictor
from digitlab.nn import mlp
from digitlab.nn.activations import ReLU
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network, Sigmoid
from digitlab.nn.pooling import MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD, Adam, Momentum
from digitlab.optim.regularizers import L2


def pictures(activation, *filters, hidden=100, dropout=None):
    """Convolutions with pools, one per pair (filters, kernel size), and a hidden layer; two with dropout on inputs."""
    layers = []
    for n, size in filters:
        layers += [Conv2D(n, size), activation(), MaxPool2D(2)]
    full = [Dense(hidden), activation()]
    if dropout is not None:
        full = [Dropout(dropout), Dense(hidden), activation(), Dropout(dropout), Dense(hidden), activation()]
        full.append(Dropout(dropout))
    return Network([*layers, Flatten(), *full, Dense(10)], (28, 28, 1), LogLikelihood())


def wide(*sizes, dropout=0.0):
    """Dense layers of these sizes with ReLU, and dropout behind each if its rate is not 0."""
    after = [lambda: Dropout(dropout)] if dropout else []
    layers = [layer for n in sizes for layer in (Dense(n), ReLU(), *(make() for make in after))]
    return Network([*layers, Dense(10)], 784, LogLikelihood())


ROWS = [
    ("[784,30,10] quadratic", lambda: mlp([784, 30, 10], init="large"), SGD(3.0), (), 10),
    ("[784,30,10] cross-entropy, L2", lambda: mlp([784, 30, 10], loss="cross-entropy"), SGD(0.5), (L2(5.0),), 10),
    ("[784,30,10] momentum", lambda: mlp([784, 30, 10]), Momentum(0.1), (), 10),
    ("[784,30,10] Adam", lambda: mlp([784, 30, 10]), Adam(0.001), (), 10),
    ("[784,100,10]", lambda: mlp([784, 100, 10]), SGD(1.0), (), 10),
    ("[784,100,10] Rashid", lambda: mlp([784, 100, 10], scaling="0.01-1"), SGD(0.1), (), 1),
    ("[784,100,10]", lambda: mlp([784, 100, 10]), SGD(1.0), (), 256),
    *(
        (f"{name}, {activation.__name__}", make, SGD(0.03), (), batch)
        for activation in (Sigmoid, ReLU)
        for name, make in (
            ("20@5×5, FC100", lambda a=activation: pictures(a, (20, 5))),
            ("20@5×5, 40@5×5, FC100", lambda a=activation: pictures(a, (20, 5), (40, 5))),
        )
        for batch in (10, 256)
    ),
    (
        "20@5×5, 40@5×5, 2 FC1000, dropout",
        lambda: pictures(ReLU, (20, 5), (40, 5), hidden=1000, dropout=0.5),
        SGD(0.03),
        (),
        10,
    ),
    ("16@5×5, 32@3×3, FC128, ReLU, Adam", lambda: pictures(ReLU, (16, 5), (32, 3), hidden=128), Adam(0.001), (), 128),
    ("[784,256,10] Adam", lambda: wide(256), Adam(0.001), (), 64),
    ("[784,512,512,10] dropout, Adam", lambda: wide(512, 512, dropout=0.2), Adam(0.001), (), 128),
    ("[784,2000,2000,10] Adam", lambda: wide(2000, 2000), Adam(0.001), (), 128),
    ("[784,3000,3000,10] Adam", lambda: wide(3000, 3000), Adam(0.001), (), 1024),
]


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    clock = time.process_time if threads == 1 else time.perf_counter
    train = digitlab.data.load("mnist").train
    x, y = np.asarray(train.images)[:5000], np.asarray(train.labels)[:5000]
    rng = np.random.default_rng(0)
    print(f"{'network':36} batch   step  forward   µs per image, {threads} thread(s)")
    text = sys.argv[2] if len(sys.argv) > 2 else ""
    for name, make, optimizer, regularizers, batch in (row for row in ROWS if text in row[0]):
        network = make()
        engine = FastEngine(network, optimizer, regularizers, examples=50_000, threads=threads)
        predictor = Predictor(network)
        shaped = x.reshape(len(x), *network.input_shape)
        n = max(256, 2 * batch) if len(network.input_shape) == 3 else 2000
        rates = np.full(-(-n // batch), optimizer.learning_rate / 10)
        step = forward = np.inf
        for _ in range(25):
            order = rng.permutation(len(x))[:n]
            began = clock()
            engine.train_batches(shaped, y, order, batch, rates)
            step = min(step, clock() - began)
            began = clock()
            predictor(shaped[:n])
            forward = min(forward, clock() - began)
        print(f"{name:36} {batch:5} {step / n * 1e6:6.2f} {forward / n * 1e6:8.2f}", flush=True)


if __name__ == "__main__":
    main()
