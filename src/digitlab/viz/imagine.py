"""The linear inversion of a network: from an output back to a picture of a digit."""

import math
from typing import Any, NamedTuple

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.network import Dense, Layer, Network
from digitlab.notebook_html import notebook_html

Picture = np.ndarray[Any, Any]


class Imagined(NamedTuple):
    """A picture of a digit, and the network's prediction for that picture."""

    digit: int
    picture: Picture  # (H, W), any scale: large where a pixel is evidence for the digit
    first: int  # the network's guess
    second: int  # its second guess
    margin: float  # 100 · (first output − second output) / second output, in per cent

    def _repr_html_(self) -> str | None:
        return notebook_html(self)

    def __repr__(self) -> str:
        size = "×".join(map(str, self.picture.shape))
        return f"Imagined({self.digit}: {size} picture, read as {self.first}, then {self.second}, {self.margin:.1f} %)"


def linear_back(network: Network, digit: int) -> Picture:
    """A one-hot output propagated back through the transposed weights, without inverting the activations.

    The result, (H, W), shows which pixels are evidence for the digit (large) and against it (small).
    Raises ShapeError for networks that are not chains of dense layers.
    """
    dense = [layer for layer in dense_chain(network) if isinstance(layer, Dense)]
    signal = one_hot(network, digit)
    for layer in reversed(dense):
        signal = signal @ to_numpy(layer.connected(layer.params["W"].value)).T  # (in,)
    return signal.reshape(picture_shape(network))


def dense_chain(network: Network, way: str = "the linear inversion") -> list[Layer]:
    """The layers, if they are dense with only activations and changes of shape between them.

    Raises ShapeError, naming the method (`way`) that needs such a chain and the layer that does not belong to one.
    """
    sizes = [math.prod(shape) for shape in network.shapes]
    odd = [
        layer
        for layer, before, after in zip(network.layers, sizes, sizes[1:])
        if not isinstance(layer, Dense) and (layer.params or layer.children() or before != after)
    ]
    if odd or not any(isinstance(layer, Dense) for layer in network.layers):
        found = repr(odd[0]) if odd else "no layer with weights"
        raise ShapeError(
            f"{way} needs a chain of dense layers; this network has {found} (gradient ascent works for it)"
        )
    return network.layers


def imagine(network: Network, digit: int, picture: Picture | None = None, *, stretch: bool = True) -> Imagined:
    """The linear inversion for a digit (or a given picture), and the network's prediction for it.

    For the prediction the picture is stretched to the network's range of pixels, unless stretch=False.
    """
    if picture is None:
        picture = linear_back(network, digit)
    shown = picture
    if stretch:
        low, high = float(picture.min()), float(picture.max())
        black, white = pixel_range(network)
        shown = (picture - low) / ((high - low) or 1.0) * (white - black) + black
    outputs = to_numpy(network.predict(shown.reshape(1, *network.input_shape).astype(network.dtype)))[0]
    second, first = (int(i) for i in np.argsort(outputs, kind="stable")[-2:])
    # A second output of 0 would make the margin infinite; the least float32 keeps it a number.
    margin = 100 * float(outputs[first] - outputs[second]) / max(float(outputs[second]), 1e-38)
    return Imagined(digit, picture, first, second, margin)


def pixel_range(network: Network) -> tuple[float, float]:
    """The bytes 0 and 255 after the network's scaling of pixels."""
    return network.scaling.offset, 255 * network.scaling.factor + network.scaling.offset


def one_hot(network: Network, digit: int) -> Picture:
    """The output (out,) that is 1 for the digit and 0 elsewhere; ConfigError if the network has no such output."""
    (outputs,) = network.shapes[-1]
    if digit not in range(outputs):
        raise ConfigError(f"got {digit}; this network has outputs for 0 to {outputs - 1}")
    row: Picture = np.eye(outputs)[int(digit)]
    return row


def picture_shape(network: Network) -> tuple[int, ...]:
    """The shape in which to show an input: its own, or a square for flat inputs such as 784 = 28 · 28."""
    shape = network.input_shape
    if len(shape) > 1:
        return shape[:2] if shape[-1:] == (1,) else shape
    side = round(shape[0] ** 0.5)
    return (side, side) if side * side == shape[0] else (1, shape[0])
