"""What several test files need: random numbers, and training in its plainest form."""

import numpy as np


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def train(net, x, y, *, rate, epochs, batch=32, seed=0):
    """A plain loop of stochastic gradient descent that respects what is frozen."""
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            net.gradient(x[rows], y[rows], training=True)
            for p in net.parameters().values():
                p.value = np.where(p.trainable, p.value - rate * p.grad, p.value).astype(p.value.dtype)
