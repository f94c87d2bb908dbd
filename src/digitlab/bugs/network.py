"""A network that reads digits, in NumPy alone: two hidden layers of sigmoids, softmax, dropout, gradient descent.

    z1 = x W1 + b1, a1 = σ(z1)      z2 = a1 W2 + b2, a2 = σ(z2)      z3 = a2 W3 + b3, y = softmax(z3)
    L = −1/N Σₙ ln yₙ(label)

`python network.py` trains it. x is (N, 64), a1 and a2 are (N, 20), y is (N, 10).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from digitlab.data import load

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Arrays = dict[str, Array]

INPUTS, HIDDEN, CLASSES = 64, 20, 10
RATE, BATCH, EPOCHS, DROPOUT = 0.5, 10, 12, 0.05


def load_data() -> list[tuple[Array, Labels]]:
    """Training, validation and test set: images (N, 64) from 0 to 1, and labels (N,)."""
    sets = []
    for part in (load("digits", part="train"), load("digits", part="valid"), load("digits", part="test")):
        images = part.images.reshape(len(part), INPUTS) / 255
        labels = part.labels
        sets.append((images, labels))
    return sets


def first_weights(rng: np.random.Generator) -> Arrays:
    """Weights (in, out) of variance 1/in and biases (out,) of 0, by name."""
    p: Arrays = {}
    for layer, (n_in, n_out) in enumerate([(INPUTS, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES)], 1):
        p[f"W{layer}"] = rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_out))
        p[f"b{layer}"] = np.zeros(n_out)
    return p


def sigmoid(z: Array) -> Array:
    """σ(z), elementwise; by tanh, which does not overflow."""
    return 0.5 * (1 + np.tanh(z / 2))


def softmax(z: Array) -> Array:
    """Probabilities (N, 10) that add up to 1 in each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    y: Array = e / e.sum(axis=1, keepdims=True)
    return y


def dropout(a: Array, rng: np.random.Generator | None) -> Array:
    """Activations of which some are left out and the others enlarged, if there is a generator."""
    if rng is None:
        return a
    return a * (rng.random(a.shape) >= DROPOUT) / (1 - DROPOUT)


def forward(p: Arrays, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array, Array]:
    """The outputs of the three layers, a1, a2 and y; with dropout if there is a generator."""
    a1 = dropout(sigmoid(x @ p["W1"] + p["b1"]), rng)
    a2 = dropout(sigmoid(a1 @ p["W2"] + p["b2"]), rng)
    y = softmax(a2 @ p["W3"] + p["b3"])
    return a1, a2, y


def loss(y: Array, labels: Labels) -> float:
    """The mean of −ln y(label) over the batch."""
    return float(-np.mean(np.log(y[np.arange(len(labels)), labels] + 1e-12)))


def backward(p: Arrays, x: Array, labels: Labels, a1: Array, a2: Array, y: Array) -> Arrays:
    """The gradient of the loss by every array of p."""
    t = np.eye(CLASSES)[labels]
    d3 = (y - t) / len(x)
    d2 = d3 @ p["W3"].T * a2 * (1 - a2)
    d1 = d2 @ p["W2"].T * a1 * (1 - a1)
    return {
        "W1": x.T @ d1, "b1": d1.sum(axis=0),
        "W2": a1.T @ d2, "b2": d2.sum(axis=0),
        "W3": a2.T @ d3, "b3": d3.sum(axis=0),
    }  # fmt: skip


def update(p: Arrays, gradient: Arrays) -> None:
    """A step of gradient descent."""
    for name in p:
        p[name] -= RATE * gradient[name]


def batches(x: Array, labels: Labels, rng: np.random.Generator) -> Iterator[tuple[Array, Labels]]:
    """All examples once, in a new order, a few at a time."""
    order = rng.permutation(len(x))
    for start in range(0, len(x), BATCH):
        chosen = order[start : start + BATCH]
        yield x[chosen], labels[chosen]


def train_step(p: Arrays, x: Array, labels: Labels, rng: np.random.Generator) -> float:
    """One step on a batch; returns the loss before it."""
    a1, a2, y = forward(p, x, rng)
    gradient = backward(p, x, labels, a1, a2, y)
    update(p, gradient)
    return loss(y, labels)


def accuracy(p: Arrays, x: Array, labels: Labels) -> float:
    """The share of images that are recognized."""
    y = forward(p, x)[-1]
    return float(np.mean(y.argmax(axis=1) == labels))


def train(
    p: Arrays, data: tuple[Array, Labels], valid: tuple[Array, Labels], rng: np.random.Generator
) -> tuple[Arrays, list[tuple[float, float]]]:
    """The best arrays, and the training loss and validation accuracy of every epoch."""
    history: list[tuple[float, float]] = []
    best, highest = p, 0.0
    for _ in range(EPOCHS):
        losses = [train_step(p, x, labels, rng) for x, labels in batches(*data, rng)]
        history.append((float(np.mean(losses)), accuracy(p, *valid)))
        if history[-1][1] > highest:
            best, highest = {name: array.copy() for name, array in p.items()}, history[-1][1]
    return best, history


if __name__ == "__main__":
    data, valid, test = load_data()
    generator = np.random.default_rng(0)
    best, history = train(first_weights(generator), data, valid, generator)
    for epoch, (mean, right) in enumerate(history, 1):
        print(f"epoch {epoch:2}  loss {mean:.4f}  valid {100 * right:.1f} %")
    print(f"test {100 * accuracy(best, *test):.1f} %")
