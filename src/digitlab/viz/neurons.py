"""Neurons that have stopped learning: dead ones with constant output, saturated ones at a bound of their range."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digitlab.nn.network import Activation, Network
from digitlab.viz.activity import activities
from digitlab.viz.figures import COLOURS, Array, Figure, axes_figure


class Health(NamedTuple):
    """The neurons of one activation layer; a channel of maps (H, W, C) counts as one neuron."""

    name: str
    neurons: int
    dead: int
    saturated: int


def health(network: Network, images: Array, *, near: float = 0.02, share: float = 0.95) -> list[Health]:
    """Dead and saturated neurons of each activation layer, over images (N, ...).

    dead        a ReLU is 0 for every image; any other activation gives the same number (to 10⁻⁶) for every image
    saturated   an activation with two bounds (sigmoid, tanh) that is alive, but for at least `share` of the images
                nearer to a bound than `near` times its range, where its derivative is tiny
    """
    found = []
    steps = activities(network, images)
    for layer, step in zip(network.layers, steps[1:]):
        if not isinstance(layer, Activation) or not layer.activates:
            continue
        y = step.values.reshape(-1, step.values.shape[-1])  # (N or N·H·W, neurons)
        found.append(Health(step.name, y.shape[1], *(int(kind.sum()) for kind in judge(y, type(layer), near, share))))
    return found


def judge(y: Array, kind: type[Activation], near: float, share: float) -> tuple[Array, Array]:
    """Which columns of activations (M, neurons) are dead, and which saturated: bool (neurons,)."""
    dead: Array = np.ptp(y, axis=0) <= 1e-6 if kind.flat_at is None else np.asarray((y <= kind.flat_at).all(axis=0))
    low, high = kind.bounds
    if not (np.isfinite(low) and np.isfinite(high) and kind.differentiable):
        return dead, np.zeros_like(dead)
    margin = near * (high - low)
    at_an_end = (y < low + margin) | (y > high - margin)
    return dead, np.asarray(~dead & (at_an_end.mean(axis=0) >= share))


def health_figure(layers: Sequence[Health]) -> Figure:
    """Bars of alive, saturated and dead neurons in per cent, one for each activation layer, with their counts."""
    figure, axes = axes_figure(8.0, 0.6 * len(layers) + 1.8)
    names = [layer.name for layer in layers]
    dead, saturated = np.array([[layer.dead, layer.saturated] for layer in layers]).T
    neurons, left = np.array([layer.neurons for layer in layers]), np.zeros(len(layers))
    kinds = (
        ("alive", neurons - dead - saturated, COLOURS[5], "", "black"),
        ("saturated", saturated, COLOURS[4], "//", "black"),
        ("dead", dead, COLOURS[6], "", "white"),
    )
    for kind, counts, colour, hatch, ink in kinds:
        width = 100 * counts / neurons
        bars = axes.barh(range(len(names)), width, left=left, color=colour, hatch=hatch, label=kind, tick_label=names)
        axes.bar_label(bars, [str(n or "") for n in counts], label_type="center", fontsize=8, color=ink)
        left += width
    axes.invert_yaxis()
    axes.set(xlabel="neurons of the layer (%), with their number", title="Dead and saturated neurons")
    figure.legend(fontsize=8, loc="outside lower center", ncols=3)
    return figure
