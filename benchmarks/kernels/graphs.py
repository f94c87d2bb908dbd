"""CPU time per image of a training step with branches or readable layers, by the fast and by the readable engine.

python benchmarks/kernels/graphs.py       (one thread each, alternating, Adam, batches of 64; median and range)
"""

import time

import numpy as np

from digitlab.engine import ReferenceEngine
from digitlab.engine.fast import FastEngine
from digitlab.nn import Conv2D, Dense, Flatten, Layer, LogLikelihood, MaxPool2D, Network, ReLU, Residual
from digitlab.optim import Adam

RUNS, IMAGES, BATCH = 6, 640, 64


class Rectifier(Layer):
    """A layer without kernels."""

    def forward(self, x, *, training=False):
        return np.maximum(x, 0), x

    def backward(self, grad_y, cache):
        return grad_y * (cache > 0)


def residual():
    """16@3×3 padding 1, ReLU, pool, a shortcut around two more, ReLU, pool, 10."""
    block = Residual([Conv2D(16, 3, padding=1), ReLU(), Conv2D(16, 3, padding=1)])
    layers = [Conv2D(16, 3, padding=1), ReLU(), MaxPool2D(2), block, ReLU(), MaxPool2D(2), Flatten(), Dense(10)]
    return Network(layers, (28, 28, 1), LogLikelihood())


def dense(activation):
    return Network([Dense(256), activation(), Dense(256), ReLU(), Dense(10)], 784, LogLikelihood())


NETWORKS = {
    "residual": residual,
    "[784,256,256,10], one readable layer": lambda: dense(Rectifier),
    "[784,256,256,10]": lambda: dense(ReLU),
}

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    pixels = np.where(rng.random((IMAGES, 28, 28, 1)) < 0.2, rng.integers(1, 256, (IMAGES, 28, 28, 1)), 0)
    y, order, rates = rng.integers(0, 10, IMAGES), np.arange(IMAGES), np.full(IMAGES // BATCH, 1e-3)
    for name, make in NETWORKS.items():
        x = pixels.astype(np.uint8).reshape(IMAGES, *make().input_shape)
        engines = FastEngine(make(), Adam(), threads=1), ReferenceEngine(make(), Adam())
        times = {engine.name: [] for engine in engines}
        for _ in range(RUNS):
            for engine in engines:
                start = time.process_time()
                engine.train_batches(x, y, order, BATCH, rates)
                times[engine.name].append((time.process_time() - start) / IMAGES * 1e6)
        for engine, found in times.items():
            found = sorted(found[1:])
            print(f"{name:40} {engine:10} {np.median(found):8.1f} µs [{found[0]:.1f} {found[-1]:.1f}]")
