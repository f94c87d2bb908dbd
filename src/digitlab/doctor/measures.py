"""What the doctor measures on a network and its data; every function is pure."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.gradients.check import float64_copy
from digitlab.nn.network import Layer, Network

Array = np.ndarray[Any, Any]
COMPARED, KNOWN = 400, 1200  # examples whose most similar one is looked for, among so many
NEAR = 0.02  # of the width of an activation's bounds: a value so near to one of them is saturated


def named_outputs(network: Network, x: Array) -> Iterator[tuple[str, Layer, Array]]:
    """Name, layer and output (N, ...) of every layer in turn, for a prepared batch x (N, ...)."""
    for i, layer in enumerate(network.layers):
        x = to_numpy(layer.forward(x)[0])
        yield str(i), layer, x


def outer_layers_with_weights(network: Network) -> list[tuple[int, Layer]]:
    """The outer layers with weights, and their places."""
    return [(i, layer) for i, layer in enumerate(network.layers) if any(p.regularized for p in layer.params.values())]


def errors_by_layer(network: Network, x: Array, y: Array) -> dict[str, float]:
    """The root mean square of δ = ∂L/∂z of every layer with weights, by its name, z its output; in float64.

    Nielsen ch. 5 compares ‖∂L/∂b‖, the sum of the same δ. Ratios between layers are what matters.
    """
    twin = float64_copy(network)
    logits, caches = twin.forward(x)
    grad = twin.loss.backward(twin.loss.forward(logits, y)[1])
    errors = {}
    for i in reversed(range(len(twin.layers))):
        if any(p.regularized for p in twin.layers[i].params.values()):
            errors[str(i)] = float(np.sqrt(np.mean(np.square(to_numpy(grad)))))
        grad = twin.layers[i].backward(grad, caches[i])
    return dict(reversed(errors.items()))


def saturated_share(layer: Layer, output: Array) -> float:
    """The share of outputs that are near a bound of an activation with two, such as the sigmoid; 0 for others."""
    low, high = layer.bounds
    if not layer.activates or not np.isfinite([low, high]).all():
        return 0.0
    near = NEAR * (high - low)
    return float(np.mean((output < low + near) | (output > high - near)))


def dead_share(layer: Layer, output: Array) -> float:
    """The share of neurons, or channels of maps, that give 0 for every example; 0 for other layers than ReLUs."""
    if getattr(layer, "flat_at", None) != 0:
        return 0.0
    return float(np.mean(np.abs(output.reshape(-1, output.shape[-1])).max(axis=0) == 0))


def equal_neurons(layer: Layer) -> bool:
    """Whether all neurons (or filters) of a layer have the same weights and biases: they then stay equal."""
    weights = [to_numpy(p.value) for p in layer.params.values()]
    if not any(p.regularized for p in layer.params.values()) or weights[0].shape[-1] < 2:
        return False
    return all(np.ptp(w.reshape(-1, w.shape[-1]), axis=1).max(initial=0.0) == 0 for w in weights)


def nearest(x: Array, other: Array) -> Array:
    """The position (N,) of the most similar example of `other` for each of x, by Euclidean distance."""
    a, b = (v.reshape(len(v), -1).astype(np.float32) for v in (x, other))
    found: Array = ((b * b).sum(axis=1) - 2 * a @ b.T).argmin(axis=1)
    return found


def similar_pairs(x: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Positions of some examples, drawn at random since x may be sorted, and of the most similar one of some others."""
    order = rng.permutation(len(x))[:KNOWN]
    few, others = np.split(order, [min(COMPARED, len(order) // 3)])
    return few, others[nearest(x[few], x[others])]


def found_in(x: Array, other: Array) -> Array:
    """The positions of examples of x that are in `other` as well, byte for byte."""
    known = {row.tobytes() for row in other}
    return np.array([i for i, row in enumerate(x) if row.tobytes() in known], dtype=int)


def recalls(labels: Array, guesses: Array, classes: int) -> Array:
    """The share of each class's examples that are recognized (classes,); NaN for a class without examples."""
    return np.array([np.mean(guesses[labels == c] == c) if (labels == c).any() else np.nan for c in range(classes)])


def constant_loss(network: Network, targets: Array) -> float | None:
    """The least loss that one answer for all inputs can have; None where the loss does not say which answer that is."""
    loss = network.loss
    if not loss.fits_mean:
        return None
    logits = np.zeros((len(targets), *network.shapes[-1]), np.float64)
    wanted = np.asarray(loss.targets(targets, logits), np.float64)  # (N, out)
    mean = wanted.mean(axis=0)
    if loss.owns == "sigmoid":
        mean = np.clip(mean, 1e-6, 1 - 1e-6)
        answer = np.log(mean / (1 - mean))
    elif loss.owns == "softmax":
        answer = np.log(np.clip(mean, 1e-6, None))
    else:
        answer = mean
    return float(loss.forward(logits + answer, wanted)[0])


def line_loss(network: Network, x: Array, targets: Array) -> float:
    """The loss of the straight line through targets (N, 1) over inputs (N, 1), by least squares."""
    slope, start = np.polyfit(x.ravel().astype(np.float64), targets.ravel(), 1)
    return float(network.loss.forward(slope * x.astype(np.float64) + start, targets)[0])
