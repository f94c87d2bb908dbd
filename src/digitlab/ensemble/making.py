"""Settings for the members of an ensemble: alike but for what is to make them err differently."""

import copy
import dataclasses
import itertools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.errors import ConfigError, not_among
from digitlab.nn import Network, build_network, describe_network, load_network
from digitlab.nn.describe import describe
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.slices import Slice, halves, quadrants
from digitlab.optim import Cyclic
from digitlab.train import Callback, RunConfig
from digitlab.train.history import Row

if TYPE_CHECKING:
    from digitlab.train import Trainer

KINDS = {
    "seeds": "the same settings from other seeds",
    "bagging": "each trains on images drawn with replacement (Breiman 1996)",
    "shares": "each trains on a different part of the training images",
    "specialists": "each tells a group of the digits apart, and from all others",
    "parts": "each sees a different part of the image: halves, quadrants, or strips",
    "snapshots": "one training with a cyclic learning rate, one network per cycle (Huang et al. 2017)",
}


def member_configs(config: RunConfig, kind: str, members: int, classes: int = 10) -> list[RunConfig]:
    """The settings of each member; one alone for "snapshots". `kind` is one of KINDS, the seeds count up from config's.

    Raises ConfigError for an unknown kind or a number of members that does not fit it.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown kind of members {not_among(kind, KINDS)}")
    if members < 2:
        raise ConfigError(f"got {members} members, expected at least 2")
    if kind == "snapshots":
        if config.epochs < members:
            raise ConfigError(f"got {config.epochs} epochs for {members} snapshots, expected at least one for each")
        length = Cyclic(members).cycle_epochs(config.epochs)
        if (cycles := math.ceil(config.epochs / length)) < members:
            raise ConfigError(
                f"{config.epochs} epochs in cycles of {length} give {cycles} snapshots, not {members}; "
                f"{members * length} epochs fit, or {members * (length - 1)}"
            )
        return [dataclasses.replace(config, schedule=Cyclic(members), keep="last")]
    seeds = range(config.seed, config.seed + members)
    configs = [dataclasses.replace(config, seed=seed) for seed in seeds]
    changes: list[dict[str, Any]] = [{} for _ in configs]
    if kind == "bagging":
        changes = [{"data": {"bootstrap": c.seed}} for c in configs]
    elif kind == "shares":
        changes = [{"data": {"share": [i + 1, members]}} for i in range(members)]
    elif kind == "specialists":
        if members > classes:
            raise ConfigError(f"got {members} specialists for {classes} classes, expected at most one for each")
        groups = [group.tolist() for group in np.array_split(np.arange(classes), members)]
        changes = [{"data": {"group": g}, "network": with_outputs(config.network, len(g) + 1)} for g in groups]
    elif kind == "parts":
        shape = _image_shape(config.network)
        changes = [{"network": seeing(config.network, shape, part)} for part in image_parts(shape, members)]
    return [
        dataclasses.replace(c, **change | {"data": {**c.data, **change.get("data", {})}})
        for c, change in zip(configs, changes)
    ]


def covers_for(configs: Sequence[RunConfig]) -> list[list[int]]:
    """For each member the digits it is a specialist for; [] for all."""
    return [list(config.data.get("group") or []) for config in configs]


def image_parts(shape: tuple[int, ...], n: int) -> list[Slice]:
    """n parts of an image (H, W) that share no pixel: upper and lower half, four quadrants, else n strips of rows."""
    if n == 2:
        return halves(shape)
    if n == 4:
        return quadrants(shape)
    if n > shape[0]:
        raise ConfigError(f"got {n} parts for images of {shape[0]} rows, expected at most a row for each")
    edges = [round(i * shape[0] / n) for i in range(n + 1)]
    return [Slice(rows=(low, high)) for low, high in itertools.pairwise(edges)]


def seeing(network: dict[str, Any], shape: tuple[int, ...], part: Slice) -> dict[str, Any]:
    """The network's table with a Slice before its layers, so that it sees that part of the image alone."""
    flat = len(network["input_shape"]) == 1
    before = [Reshape(shape), part, Flatten()] if flat else [part]
    return {**network, "layers": [describe(layer) for layer in before] + list(network["layers"])}


def with_outputs(network: dict[str, Any], outputs: int) -> dict[str, Any]:
    """The network's table with that many outputs; ConfigError if its last layer is not dense."""
    table = copy.deepcopy(describe_network(build_network(network, seed=None)))
    if table["layers"][-1].get("type") != "Dense":
        raise ConfigError(f"specialists need a network that ends with Dense; this ends with {table['layers'][-1]}")
    table["layers"][-1]["out_features"] = outputs
    return table


class Snapshots(Callback):
    """Keeps the network at the end of every cycle of a `Cyclic` schedule: snapshot-1.safetensors ... in a folder."""

    def __init__(self, folder: str | os.PathLike[str], cycles: int) -> None:
        self.folder, self.cycles = Path(folder), cycles

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        length = Cyclic(self.cycles).cycle_epochs(trainer.epochs)
        if row["epoch"] % length == 0 or row["epoch"] == trainer.epochs:
            trainer.network.save(self.folder / f"snapshot-{-(-row['epoch'] // length)}.safetensors")


def snapshot_networks(folder: str | os.PathLike[str]) -> list[Network]:
    """The snapshots in a folder, first to last."""
    paths = sorted(Path(folder).glob("snapshot-*.safetensors"), key=lambda path: int(path.stem.split("-")[1]))
    return [load_network(path) for path in paths]


def _image_shape(network: dict[str, Any]) -> tuple[int, ...]:
    shape = tuple(network["input_shape"])
    if len(shape) > 1:
        return shape
    side = math.isqrt(shape[0])
    if side * side != shape[0]:
        raise ConfigError(f"parts need images; a network for {shape[0]} numbers has no square image to cut")
    return (side, side)
