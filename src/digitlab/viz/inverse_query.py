"""Rashid's backquery: an output propagated back through the inverse of every layer to a picture."""

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.errors import ShapeError
from digitlab.nn.dropout import Dropout
from digitlab.nn.network import Activation, Dense, Layer, Loss, Network
from digitlab.viz.imagine import Picture, dense_chain, one_hot, picture_shape

LOW, HIGH = 0.01, 0.99


def inverse_query(network: Network, digit: int) -> Picture:
    """The picture (H, W), from .01 to .99, that belongs to the output for a digit.

        output    a = .99 for the digit, .01 for the others;  z = logit a
        layer     a = (z − b) Wᵀ, stretched to .01 … .99 (min-max);  z = logit a
        ...       down to the pixels, which keep the stretched values

    Wᵀ replaces the inverse of W, which does not exist, and the stretching corrects its scale. Without biases this is
    Rashid's "backquery" (Make Your Own Neural Network, part 3); biases are subtracted first. Other activations than σ
    are inverted by bisection, from −.99 … .99 for tanh; unbounded ones such as ReLU pass the signal unchanged. For
    softmax z = ln a.

    Raises ShapeError for a network that is not a chain of dense layers, or whose activation has no inverse.
    """
    chain = dense_chain(network, "the inverse query")
    signal = np.where(one_hot(network, digit) == 1, HIGH, LOW)  # (out,)
    signal = _before_output(network.loss, signal)
    for i in reversed(range(len(chain))):
        layer = chain[i]
        if isinstance(layer, Dense):
            if "b" in layer.params:
                signal = signal - to_numpy(layer.params["b"].value)  # (out,)
            weights = to_numpy(layer.connected(layer.params["W"].value))
            signal = stretched(signal @ weights.T.astype(np.float64))  # (in,)
        else:
            signal = _before(layer, signal)
    return stretched(signal).reshape(picture_shape(network))


def stretched(values: Picture, low: float = LOW, high: float = HIGH) -> Picture:
    """Values stretched to `low` … `high` (min-max); equal values become the middle."""
    least, most = float(values.min()), float(values.max())
    if least == most:
        return np.full_like(values, (low + high) / 2)
    return (values - least) / (most - least) * (high - low) + low


def logit(a: Picture) -> Picture:
    """σ⁻¹(a) = ln(a / (1 − a))."""
    inverse: Picture = np.log(a / (1 - a))
    return inverse


def _before(layer: Layer, signal: Picture) -> Picture:
    """The input of an activation for its output `signal`, which is stretched to .01 … .99."""
    if isinstance(layer, Dropout):
        return signal if layer.inverted else signal / (1 - layer.rate)
    if layer.passes_on:
        return signal
    if not (isinstance(layer, Activation) and layer.is_monotone and layer.differentiable):
        raise ShapeError(f"the inverse query needs activations with an inverse; this network has {layer!r}")
    low, high = layer.bounds
    if not np.isfinite(high):
        return signal  # the line y = x, or near it
    return solved(layer, stretched(signal, low + LOW, high - LOW))


def solved(activation: Activation, y: Picture) -> Picture:
    """The x whose f(x) is y, by bisection between −40 and 40, for a monotone activation."""
    low, high = np.full_like(y, -40.0), np.full_like(y, 40.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = activation.forward(middle)[0] < y
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    x: Picture = (low + high) / 2
    return x


def _before_output(loss: Loss, answer: Picture) -> Picture:
    """The logits for an output, by the output activation that the loss owns."""
    if loss.owns == "sigmoid":
        return logit(answer)
    if loss.owns == "softmax":
        return np.log(answer)
    if not loss.owns:
        return answer
    raise ShapeError(f"the inverse query needs a loss whose output has an inverse; this network has {loss!r}")
