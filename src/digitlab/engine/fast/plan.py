"""A plan: what the kernels are to do for one network, and where its numbers lie; planner.py makes it.

A plan is a list of operations with their places in two vectors: `params`, which holds every parameter with its rows
padded to whole vectors, and `work`, which holds what passes between layers for one batch. Nothing here needs numba.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.engine.fast.layout import LANES, NOT_CONNECTED
from digitlab.nn.network import Layer, Parameter

WIDEST_SPARSE = 1 << 16  # pixel numbers are uint16


class PerExample(int):
    """An offset in the part of `work` that grows with the batch; times the batch it is an offset for all of them."""


class Row(dict[int, Any]):
    """An operation's numbers by column (layout.py and the operation's file), 0 where nothing else is written.

    Floats are stored as float64.
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
class Plan:
    """What the kernels are to do."""

    operations: list[Row]
    slots: list[Slot]
    params_size: int
    work_per_example: int  # floats of `work` that each example of a batch needs
    widest: int
    scratch: int
    input_size: int
    out: int
    loss: int
    optimizer: int
    state_keys: tuple[str, ...]
    counts_steps: bool  # whether the optimizer's state holds the number of steps
    hyper: list[float]
    rule: int  # how errors go back
    work: int  # multiplications per example in a step, about
    kernel_sets: frozenset[str]  # what has to be compiled (compiler/jit.py)
    dropouts: list[Layer]
