"""A plan: what the kernels compute for one network, and where its numbers are; planner.py makes it.

A plan is a list of operations with their places in two vectors: `params`, which holds every parameter with its rows
padded to whole vectors, and `work`, which holds what passes between layers for one batch. Nothing here needs numba.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from digitlab.engine.fast.layout import LANES, NOT_CONNECTED
from digitlab.nn.network import Layer, Parameter, Shape

WIDEST_SPARSE = 1 << 16  # pixel numbers are uint16


class PerExample(int):
    """An offset in the part of `work` that grows with the batch; times the batch it is an offset for all of them."""


class Place(NamedTuple):
    """Where a value of each example is in `work`."""

    value: int
    gradient_at: int  # where ∂L/∂value is; -1: nothing before it learns
    size: int
    stride: int  # from one example to the next
    made_by: tuple["Row", ...]  # the operations that made it, one after another, since the last fork


class Row(dict[int, Any]):
    """An operation's numbers by column (layout.py and the operation's file), 0 where nothing else is written.

    Floats are stored as float64. An array of float32 or int32 numbers, which stay the same, is stored in `work`, and
    its offset in the row.
    """

    def __missing__(self, column: int) -> int:
        return 0


def padded(n: int) -> int:
    """n, rounded up to whole vectors."""
    return -(-n // LANES) * LANES


@dataclass
class Slot:
    """Where a parameter lies in `params`: `rows` rows of `columns` numbers, `stride` apart."""

    name: str
    parameter: Parameter
    offset: int
    rows: int
    columns: int
    stride: int
    number: int  # among the parameters, from 1: its place in the vector of step counts
    kernels: tuple[int, int] | None = None  # of a pooled convolution: W[kh, kw, C, filters] as [filters, kh, kw · C]
    mask: Any = None  # where single weights are frozen or not connected: LEARNS, FROZEN, NOT_CONNECTED (layout.py)

    def value(self) -> Any:
        """The parameter, with 0 where nothing is connected."""
        value = self.parameter.value
        return value if self.mask is None else np.where(self.mask == NOT_CONNECTED, 0.0, value)


@dataclass
class Buffer:
    """Where one of a layer's arrays without a gradient, such as a running mean, is in `params`."""

    layer: Layer
    name: str
    offset: int

    @property
    def value(self) -> Any:
        """The layer's array as it is now."""
        return self.layer.buffers[self.name]


@dataclass
class ReadableLayer:
    """A layer that runs as readable code."""

    name: str
    layer: Layer
    reason: str  # why it has no kernel here
    shape: Shape
    out_shape: Shape
    trains: bool
    x: Place
    y: Place
    slots: list[Slot]  # of its parameters and those of the layers in it


@dataclass
class Plan:
    """What the kernels compute."""

    operations: list[Row]
    slots: list[Slot]
    buffers: list[Buffer]
    params_size: int
    work_per_example: int  # floats of `work` that each example of a batch needs
    widest: int
    scratch: int
    input_size: int
    output: Place  # the logits
    loss: int
    optimizer: int
    state_keys: tuple[str, ...]
    counts_steps: bool  # whether the optimizer's state holds the number of steps
    hyper: list[float]
    rule: int  # how errors go back
    work: int  # multiplications per example in a step, about
    dropouts: list[Layer]
    batch_checks: list[Callable[[int], None]]  # called with the number of examples in the smallest batch
    readable: list[ReadableLayer]
    learning: bool

    @property
    def out(self) -> int:
        """How many logits there are."""
        return self.output.size
