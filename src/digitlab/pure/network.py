"""The books' network in the standard library alone: lists of floats, every sum a loop.

It holds one list of biases and one list of weight rows per layer after the input, as Nielsen's chapter 2 does:

    weights[l][j][k]    from neuron k of layer l to neuron j of layer l + 1      (a list of lists of lists)
    biases[l][j]        of neuron j of layer l + 1                               (a list of lists)

A gradient has the same form: nested lists, one number for each weight and each bias. The arrays of
nn/network.py are these lists, and its matrix products are these loops.
"""

import math
import random
from collections.abc import Sequence
from itertools import pairwise

Vector = list[float]
Matrix = list[Vector]
Gradient = tuple[list[Matrix], list[Vector]]  # by the weights, by the biases
Example = tuple[Sequence[float], Sequence[float]]  # inputs, and what each output should be


class PureNetwork:
    """Sigmoid neurons in layers; `PureNetwork([784, 30, 10], seed=0)` draws weights and biases from N(0, 1).

    loss    "quadratic": ½ Σ (a − t)² per example; "cross-entropy": −Σ [t ln a + (1 − t) ln(1 − a)]
    Raises ValueError for fewer than two sizes or an unknown loss.
    """

    def __init__(self, sizes: Sequence[int], *, loss: str = "quadratic", seed: int = 0) -> None:
        if len(sizes) < 2 or any(size < 1 for size in sizes):
            raise ValueError(f"sizes: got {list(sizes)}, expected at least two positive whole numbers")
        if loss not in ("quadratic", "cross-entropy"):
            raise ValueError(f"loss: got {loss!r}, expected 'quadratic' or 'cross-entropy'")
        rng = random.Random(seed)
        self.sizes = list(sizes)
        self.loss = loss
        self.biases: list[Vector] = [[rng.gauss(0, 1) for _ in range(n)] for n in sizes[1:]]
        self.weights: list[Matrix] = [
            [[rng.gauss(0, 1) for _ in range(n_in)] for _ in range(n_out)] for n_in, n_out in pairwise(sizes)
        ]

    def activations(self, x: Sequence[float]) -> list[Vector]:
        """The outputs of every layer for the input x, the input itself first: aⱼ = σ(Σₖ wⱼₖ aₖ + bⱼ).

        Raises ValueError unless there are as many numbers as inputs.
        """
        layers = [list(x)]
        for rows, biases in zip(self.weights, self.biases):
            before = layers[-1]
            sums = [sum(w * a for w, a in zip(row, before, strict=True)) + b for row, b in zip(rows, biases)]
            layers.append([sigmoid(z) for z in sums])
        return layers

    def predict(self, x: Sequence[float]) -> Vector:
        """The outputs for the input x."""
        return self.activations(x)[-1]

    def gradient(self, x: Sequence[float], target: Sequence[float]) -> Gradient:
        """Backpropagation: the derivative of one example's loss by every weight and every bias."""
        layers = self.activations(x)
        # BP1, the error of the output layer. With the cross-entropy the factor σ' has cancelled.
        delta = [a - t for a, t in zip(layers[-1], target, strict=True)]
        if self.loss == "quadratic":
            delta = [d * a * (1 - a) for d, a in zip(delta, layers[-1])]
        by_weights: list[Matrix] = []
        by_biases: list[Vector] = []
        for level in reversed(range(len(self.weights))):
            before = layers[level]
            by_biases.insert(0, delta)  # BP3
            by_weights.insert(0, [[d * a for a in before] for d in delta])  # BP4
            if level:  # BP2: the error of a neuron is the sum over the next layer, weighted by its connections
                rows = self.weights[level]
                propagated = [sum(row[k] * d for row, d in zip(rows, delta)) for k in range(len(before))]
                delta = [p * a * (1 - a) for p, a in zip(propagated, before)]
        return by_weights, by_biases

    def train_batch(self, batch: Sequence[Example], learning_rate: float) -> None:
        """One step of gradient descent on the mean loss of a few examples: w ← w − η/m Σ ∂L/∂w."""
        step = learning_rate / len(batch)
        # All gradients are taken at the same weights; only then are the weights moved.
        gradients = [self.gradient(x, target) for x, target in batch]
        for by_weights, by_biases in gradients:
            for rows, changes in zip(self.weights, by_weights):
                for row, change in zip(rows, changes):
                    row[:] = [w - step * c for w, c in zip(row, change)]
            for biases, bias_change in zip(self.biases, by_biases):
                biases[:] = [b - step * c for b, c in zip(biases, bias_change)]

    def train(
        self, examples: Sequence[Example], *, epochs: int, batch_size: int, learning_rate: float, seed: int = 0
    ) -> None:
        """Stochastic gradient descent: in every epoch all examples once, in a new order, a few at a time."""
        if batch_size < 1:
            raise ValueError(f"batch_size: got {batch_size}, expected at least 1")
        rng, order = random.Random(seed), list(examples)
        for _ in range(epochs):
            rng.shuffle(order)
            for start in range(0, len(order), batch_size):
                self.train_batch(order[start : start + batch_size], learning_rate)

    def accuracy(self, examples: Sequence[tuple[Sequence[float], int]]) -> float:
        """The share of (inputs, label) pairs whose largest output is the label's."""
        right = 0
        for x, label in examples:
            outputs = self.predict(x)
            right += outputs.index(max(outputs)) == label
        return right / len(examples)


def sigmoid(z: float) -> float:
    """1 / (1 + e⁻ᶻ), written so that neither sign of z can overflow."""
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def one_hot(label: int, classes: int) -> Vector:
    """A label as what each output should be: 1 at its place, 0 elsewhere. Raises ValueError for another class."""
    if not 0 <= label < classes:
        raise ValueError(f"got the label {label}, expected 0 to {classes - 1}")
    return [1.0 if i == label else 0.0 for i in range(classes)]
