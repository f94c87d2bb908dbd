"""The books' network in the standard library alone: lists of floats, every sum a loop.

It holds one list of biases and one list of weight rows per layer after the input, as Nielsen's chapter 2 does:

    weights[l][j][k]    from neuron k of layer l to neuron j of layer l + 1      (a list of lists of lists)
    biases[l][j]        of neuron j of layer l + 1                               (a list of lists)

A gradient has the same form: nested lists, one number for each weight and each bias. The arrays of
nn/network.py are these lists, and its matrix products are these loops.
"""

import json
import math
import os
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.nn.network import Network

Vector = list[float]
Matrix = list[Vector]
Gradient = tuple[list[Matrix], list[Vector]]  # by the weights, by the biases
Example = tuple[Sequence[float], Sequence[float]]  # inputs, and what each output should be
Progress = Callable[[int, int, float], None]  # called with the epoch, the examples done in it, the batch's mean loss

COSTS = {"quadratic": "QuadraticCost", "cross-entropy": "CrossEntropyCost"}  # their names in a file of network2.py


class PureNetwork:
    """Sigmoid neurons in layers; `PureNetwork([784, 30, 10], seed=0)` draws weights and biases from N(0, 1).

    loss    "quadratic": ½ Σ (a − t)² per example; "cross-entropy": −Σ [t ln a + (1 − t) ln(1 − a)]
    Raises ValueError for fewer than two sizes or an unknown loss.
    """

    def __init__(self, sizes: Sequence[int], *, loss: str = "quadratic", seed: int = 0) -> None:
        if len(sizes) < 2 or any(size < 1 for size in sizes):
            raise ValueError(f"sizes: got {list(sizes)}, expected at least two positive whole numbers")
        if loss not in COSTS:
            raise ValueError(f"loss: got {loss!r}, expected {' or '.join(map(repr, COSTS))}")
        rng = random.Random(seed)
        self.sizes = list(sizes)
        self.loss = loss
        self.biases: list[Vector] = [[rng.gauss(0, 1) for _ in range(n)] for n in sizes[1:]]
        self.weights: list[Matrix] = [
            [[rng.gauss(0, 1) for _ in range(n_in)] for _ in range(n_out)] for n_in, n_out in pairwise(sizes)
        ]

    def __repr__(self) -> str:
        return f"PureNetwork({self.sizes}, loss={self.loss!r})"

    def activations(self, x: Sequence[float]) -> list[Vector]:
        """The outputs of every layer for the input x, the input itself first: aⱼ = σ(Σₖ wⱼₖ aₖ + bⱼ).

        Raises ValueError unless there are as many numbers as inputs.
        """
        check_length(x, self.sizes[0], "inputs: one for each neuron of the first layer")
        layers = [list(x)]
        for rows, biases in zip(self.weights, self.biases):
            before = layers[-1]
            sums = [sum(w * a for w, a in zip(row, before)) + b for row, b in zip(rows, biases)]
            layers.append([sigmoid(z) for z in sums])
        return layers

    def predict(self, x: Sequence[float]) -> Vector:
        """The outputs for the input x."""
        return self.activations(x)[-1]

    def gradient(self, x: Sequence[float], target: Sequence[float]) -> Gradient:
        """Backpropagation: the derivative of one example's loss by every weight and every bias."""
        return self.backward(self.activations(x), target)

    def backward(self, layers: Sequence[Vector], target: Sequence[float]) -> Gradient:
        """The gradient from the outputs of every layer: what `gradient` does after the forward pass.

        Raises ValueError unless there are as many targets as outputs.
        """
        check_length(target, self.sizes[-1], "targets: one for each output")
        # BP1, the error of the output layer. With the cross-entropy the factor σ' has cancelled.
        delta = [a - t for a, t in zip(layers[-1], target)]
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

    def loss_of(self, outputs: Sequence[float], target: Sequence[float]) -> float:
        """One example's loss, from its outputs. The cross-entropy of an output of 0 or 1 on the wrong side is inf."""
        if self.loss == "quadratic":
            return sum((a - t) ** 2 for a, t in zip(outputs, target)) / 2
        return -sum(times_log(t, a) + times_log(1 - t, 1 - a) for a, t in zip(outputs, target))

    def train_batch(self, batch: Sequence[Example], learning_rate: float) -> float:
        """One step of gradient descent on the mean loss of a few examples: w ← w − η/m Σ ∂L/∂w.

        Returns the mean loss before the step.
        """
        step = learning_rate / len(batch)
        # All gradients are taken at the same weights; only then are the weights moved.
        outputs = [self.activations(x) for x, _ in batch]
        gradients = [self.backward(layers, target) for layers, (_, target) in zip(outputs, batch)]
        for by_weights, by_biases in gradients:
            for rows, changes in zip(self.weights, by_weights):
                for row, change in zip(rows, changes):
                    row[:] = [w - step * c for w, c in zip(row, change)]
            for biases, bias_change in zip(self.biases, by_biases):
                biases[:] = [b - step * c for b, c in zip(biases, bias_change)]
        return sum(self.loss_of(layers[-1], target) for layers, (_, target) in zip(outputs, batch)) / len(batch)

    def train(
        self,
        examples: Sequence[Example],
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> None:
        """Stochastic gradient descent: in every epoch all examples once, in a new order, a few at a time.

        `progress(epoch, done, loss)` is called after every batch. Raises ValueError for a batch size below 1, and if
        there are no examples.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size: got {batch_size}, expected at least 1")
        rng, order = random.Random(seed), list(examples)
        if not order:
            raise ValueError("examples: got none, expected at least one pair of inputs and targets")
        for epoch in range(1, epochs + 1):
            rng.shuffle(order)
            for start in range(0, len(order), batch_size):
                loss = self.train_batch(order[start : start + batch_size], learning_rate)
                if progress is not None:
                    progress(epoch, min(start + batch_size, len(order)), loss)

    def accuracy(self, examples: Sequence[tuple[Sequence[float], int]]) -> float:
        """The share of (inputs, label) pairs whose largest output is the label's. Raises ValueError for no pairs."""
        if not examples:
            raise ValueError("examples: got none, expected at least one pair of inputs and label")
        right = 0
        for x, label in examples:
            outputs = self.predict(x)
            right += outputs.index(max(outputs)) == label
        return right / len(examples)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network as JSON, in the form of Nielsen's network2.py. Every digitlab command reads this file.

        network2.py divides pixels by 256, and so does digitlab with such a file: load_mnist does the same.
        """
        table = {
            "sizes": self.sizes,
            "weights": self.weights,
            "biases": [[[b] for b in biases] for biases in self.biases],  # columns, as network2.py has them
            "cost": COSTS[self.loss],
        }
        Path(path).write_text(json.dumps(table), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "PureNetwork":
        """The network in a file that `save`, network2.py or `digitlab export --to json` wrote.

        Raises ValueError for a file that holds something else, OSError for one that cannot be read.
        """
        try:
            table = json.loads(Path(path).read_text(encoding="utf-8"))
            network = cls(table["sizes"], loss={cost: loss for loss, cost in COSTS.items()}[table["cost"]])
            network.weights = [[[float(w) for w in row] for row in rows] for rows in table["weights"]]
            network.biases = [[float(b) for (b,) in biases] for biases in table["biases"]]
        except (ValueError, KeyError, TypeError) as error:
            found = f"{type(error).__name__}: {error}"
            expected = "expected JSON with sizes, weights, biases and cost, as network2.py saves it"
            raise ValueError(f"{path}: cannot be read as a network ({found}); {expected}") from None
        shapes = [(n_out, n_in) for n_in, n_out in pairwise(network.sizes)]
        shaped = [(len(rows), *{len(row) for row in rows}) for rows in network.weights]
        if shaped != shapes or [len(biases) for biases in network.biases] != network.sizes[1:]:
            raise ValueError(f"{path}: got weights of shapes {shaped}, expected {shapes} for the sizes {network.sizes}")
        return network

    @classmethod
    def from_network(cls, network: "Network") -> "PureNetwork":
        """A copy of a digitlab network: dense layers with biases and sigmoids between them.

        Inputs are numbers that are scaled already. Raises ConfigError, naming the part, for any other network.
        """
        from digitlab.pure.arrays import lists_of

        sizes, loss, weights, biases = lists_of(network)
        pure = cls(sizes, loss=loss)
        pure.weights, pure.biases = weights, biases
        return pure

    def to_network(self) -> "Network":
        """This network in arrays, with pixels (uint8) divided by 256 as load_mnist does; needs NumPy."""
        from digitlab.pure.arrays import to_network

        return to_network(self)


def check_length(numbers: Sequence[float], expected: int, what: str) -> None:
    """ValueError unless there are as many numbers as expected."""
    if len(numbers) != expected:
        raise ValueError(f"got {len(numbers)} numbers, expected {expected} {what}")


def times_log(t: float, a: float) -> float:
    """t ln a, with 0 ln 0 = 0: an output that is exactly right has no loss."""
    if t == 0:
        return 0.0
    return t * math.log(a) if a > 0 else -math.inf


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
