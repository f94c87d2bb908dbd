"""Neurons that have stopped learning: dead ones, always silent, and saturated ones, always at an end of their range."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from digitlab.nn.network import Activation, Network
from digitlab.viz.activity import activities
from digitlab.viz.figures import COLOURS, Figure, new_figure

Array = np.ndarray[Any, Any]


class Health(NamedTuple):
    """The neurons behind one activation; for maps (H, W, C) a channel is a neuron, at all its places."""

    name: str
    neurons: int
    dead: int
    saturated: int


def health(network: Network, images: Array, *, near: float = 0.02, share: float = 0.95) -> list[Health]:
    """Dead and saturated neurons behind each activation of the network, over images (N, ...).

    dead        a ReLU is 0 for every image; any other activation gives the same number (to 10⁻⁶) for every image
    saturated   an activation with two bounds, as a sigmoid or tanh, that is alive, but within `near` of its range (a
                part of its width) from one of its ends for at least `share` of the images: its derivative is tiny there
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
    """Which columns of activations (M, neurons) of this kind of layer are dead, which saturated: bool (neurons,)."""
    dead: Array = np.ptp(y, axis=0) <= 1e-6 if kind.flat_at is None else np.asarray((y <= kind.flat_at).all(axis=0))
    low, high = kind.bounds
    if not (np.isfinite(low) and np.isfinite(high) and kind.differentiable):
        return dead, np.zeros_like(dead)
    margin = near * (high - low)
    at_an_end = (y < low + margin) | (y > high - margin)
    return dead, np.asarray(~dead & (at_an_end.mean(axis=0) >= share))


def health_figure(layers: Sequence[Health]) -> Figure:
    """Bars of alive, saturated and dead neurons in per cent, an activation a bar, with their counts."""
    figure = new_figure(8.0, 0.6 * len(layers) + 1.8)
    axes = figure.add_subplot()
    for place, layer in enumerate(layers):
        left = 0.0
        counts = (layer.neurons - layer.dead - layer.saturated, layer.saturated, layer.dead)
        for count, colour, hatch, name in zip(
            counts, (COLOURS[5], COLOURS[4], COLOURS[6]), ("", "//", ""), ("alive", "saturated", "dead")
        ):
            width = 100 * count / layer.neurons
            axes.barh(place, width, left=left, color=colour, hatch=hatch, label=name if place == 0 else None)
            if count:
                axes.text(
                    left + width / 2,
                    place,
                    str(count),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if name == "dead" else "black",
                )
            left += width
    axes.set_yticks(range(len(layers)), [layer.name for layer in layers])
    axes.invert_yaxis()
    axes.set_xlabel("neurons of the layer (%), counts inside")
    axes.set_title("Dead and saturated neurons")
    figure.legend(fontsize=8, loc="outside lower center", ncols=3)
    return figure
