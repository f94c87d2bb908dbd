"""The output of every layer for one image."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.nn.examples import inputs
from digitlab.nn.network import Network
from digitlab.viz.figures import Array, Figure, new_figure
from digitlab.viz.weights import tiles_figure


class Activity(NamedTuple):
    """The name and the output of one step, for a batch (N, ...)."""

    name: str
    values: Array


def activities(network: Network, images: Array) -> list[Activity]:
    """The prepared input, every layer's output, and the network's outputs, for images (N, ...)."""
    x = network.prepare(inputs(images, network, "images"))
    found = [Activity("input", to_numpy(x))]
    for i, layer in enumerate(network.layers):
        x, _ = layer.forward(x)
        found.append(Activity(f"{i}: {layer!r}", to_numpy(x)))
    outputs = to_numpy(network.loss.activation(x))
    return [*found, Activity(f"output of {type(network.loss).__name__}", outputs)]


def activities_figure(steps: Sequence[Activity], *, title: str = "One image, layer by layer", most: int = 12) -> Figure:
    """A row per step for the first image of the batch: maps (H, W, C) side by side, numbers (n,) as a strip.

    Each row has its own scale: negative values are blue, positive ones red.
    """
    figure = new_figure(1.0 * most + 1.4, 1.15 * len(steps) + 0.5)
    figure.suptitle(title, fontsize=11)
    parts = figure.subfigures(len(steps), 1, squeeze=False)[:, 0]
    for part, step in zip(parts, steps):
        values = step.values[0]
        limit = float(np.abs(values).max()) or 1.0
        shape = "×".join(map(str, values.shape))
        name = step.name if len(step.name) <= 70 else step.name[:69] + "…"
        part.suptitle(f"{name}   {shape}, from {values.min():.3g} to {values.max():.3g}", fontsize=8, x=0.01, ha="left")
        tiles = list(np.moveaxis(values, 2, 0)) if values.ndim == 3 else [as_strip(values)]
        grid = part.subplots(1, most if values.ndim == 3 else 1, squeeze=False)[0]
        for axes in grid:
            axes.set_axis_off()
        for axes, tile in zip(grid, tiles):
            axes.imshow(tile, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto" if len(tile) == 1 else "equal")
    return figure


def maps_figure(step: Activity, *, limit: int = 60) -> Figure:
    """All feature maps (H, W, C) of the first image after one layer."""
    tiles = np.moveaxis(step.values[0], 2, 0)[:limit]  # (C, H, W)
    titles = [f"map {c}" for c in range(len(tiles))]
    return tiles_figure(tiles, titles, title=f"Feature maps after {step.name}", unit="activation")


def as_strip(values: Array) -> Array:
    """A vector as one row, or as a square if it is one of at least 8×8; anything else as a matrix."""
    if values.ndim == 1:
        side = round(len(values) ** 0.5)
        return values.reshape(side, side) if side * side == len(values) and side >= 8 else values[None]
    return values.reshape(values.shape[0], -1)
