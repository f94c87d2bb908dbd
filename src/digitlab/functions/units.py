"""The units in which a function is fitted: x from −8 to 8 (−2 to 2 for ReLU), y with mean 0 and deviation 1.

Initial weights and learning rates suit numbers of about that size. A network 1–40–40–1 on x² from 100 to 110 would
start with all neurons saturated, and its output would have to rise to 11,000. During training its first and last dense
layers are therefore rewritten in these units, and afterwards in those of the function: both are affine in x and y, so
the network computes the same function.

    first layer    x = c + s u:   x W + b  =  u (s W) + (b + c W)
    last layer     y = m + d v:   v = h (W/d) + (b − m)/d
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.functions.expression import Array
from digitlab.nn import Dense, MeanSquaredError, Network
from digitlab.nn.network import Layer
from digitlab.train.default_rate import bounded, hidden_activations

REACH = 8.0  # of u: weights drawn from N(0, 1) then bend a curve some ten times
REACH_UNBOUNDED = 2.0  # of u where activations grow with it, and their squares with its square: ReLU and its kin


@dataclass(frozen=True)
class Units:
    """x = center + scale · u and y = mean + spread · v; `Units()` changes nothing."""

    center: float = 0.0
    scale: float = 1.0
    mean: float = 0.0
    spread: float = 1.0

    def columns(self, x: Array, y: Array) -> tuple[Array, Array]:
        """u and v for x and y, as examples (N, 1)."""
        return column((x - self.center) / self.scale), column((y - self.mean) / self.spread)

    def curve(self, network: Network, x: Array) -> Array:
        """y for x by a network of u and v."""
        v = np.asarray(network.predict(column((x - self.center) / self.scale))).ravel()
        return v * self.spread + self.mean

    def write_in(self, network: Network) -> None:
        """Rewrite a network of x and y in u and v; it computes the same."""
        first, last = network.layers[0].params, network.layers[-1].params
        if (self.center, self.scale) != (0.0, 1.0):
            _set(first, b=first["b"].value + self.center * first["W"].value[0], W=first["W"].value * self.scale)
        if (self.mean, self.spread) != (0.0, 1.0):
            _set(last, b=(last["b"].value - self.mean) / self.spread, W=last["W"].value / self.spread)

    def write_out(self, network: Network) -> None:
        """Rewrite a network of u and v in x and y; it computes the same."""
        first, last = network.layers[0].params, network.layers[-1].params
        if (self.mean, self.spread) != (0.0, 1.0):
            _set(last, b=last["b"].value * self.spread + self.mean, W=last["W"].value * self.spread)
        if (self.center, self.scale) != (0.0, 1.0):
            _set(first, W=first["W"].value / self.scale)
            _set(first, b=first["b"].value - self.center * first["W"].value[0])


def units_for(network: Network, low: float, high: float, y: Array) -> Units:
    """The units for an interval and the function's values there, at those ends of the network that can be rewritten.

    An end can be rewritten if it is a dense layer with trainable weights and biases and, at the output, if the loss is
    the mean squared error. A single dense layer is both ends.
    """
    first, last = network.layers[0], network.layers[-1]
    if network.input_shape != (1,) or network.shapes[-1] != (1,):
        return Units()
    mean, spread = float(np.mean(y)), float(np.std(y))
    if spread <= 1e-12 * abs(mean):  # a constant
        spread = 1.0
    hidden = hidden_activations(network)
    reach = REACH if hidden and all(map(bounded, hidden)) else REACH_UNBOUNDED
    center, scale = ((low + high) / 2, (high - low) / (2 * reach)) if _affine(first) else (0.0, 1.0)
    if not _affine(last) or type(network.loss) is not MeanSquaredError:
        return Units(center, scale)
    return Units(center, scale, mean, spread)


def column(values: Array) -> Array:
    """Numbers (N,) as examples of one number, (N, 1)."""
    return np.asarray(values, dtype=np.float32)[:, None]


def _affine(layer: Layer) -> bool:
    return type(layer) is Dense and "b" in layer.params and all(p.trainable is True for p in layer.params.values())


def _set(params: Any, **values: Array) -> None:
    for name, value in values.items():
        params[name].value = value.astype(params[name].value.dtype)
