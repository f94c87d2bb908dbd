"""A plan: what the kernels are to do for one network, and where its numbers lie; planner.py makes it.

A plan is a list of operations with their places in two vectors: `params`, which holds every parameter with its rows
padded to a multiple of 8, and `work`, which holds what passes between layers for one batch. Nothing here
needs numba, so asking costs nothing.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.nn.network import Layer, Parameter

LANES = 8
WIDEST_SPARSE = 1 << 16  # pixel numbers are uint16
WITHOUT_PICTURES = (at.SPARSE_DENSE, at.DENSE, at.ACTIVATION, at.DROPOUT)


def padded(n: int) -> int:
    """n, rounded up to whole vectors."""
    return -(-n // LANES) * LANES


def segment_rows(inputs: int) -> int:
    """The most rows of W in one segment of a layer that is shared out (ops/shared.py)."""
    return inputs // at.SEGMENTS + LANES


def list_room(inputs: int) -> int:
    """Floats for the list of those inputs of an example that are not zero (ops/skipping.py): values and indices."""
    return LANES + padded(inputs + 4 * LANES) * 3 // 2


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
        return value if self.mask is None else np.where(self.mask == at.NOT_CONNECTED, 0.0, value)


@dataclass
class Plan:
    """What the kernels are to do: see layout.py for the columns of `operations`."""

    operations: list[list[int]]
    numbers: list[list[float]]
    slots: list[Slot]
    params_size: int
    work_per_example: int  # floats of `work` that each example of a batch needs
    work_fixed: int  # and those there are whatever the batch
    widest: int
    scratch: int
    input_size: int
    out: int
    loss: int
    optimizer: int
    state_keys: tuple[str, ...]
    hyper: list[float]
    rule: int  # how errors go back
    work: int  # multiplications per example in a step, about
    large: bool  # whether in training a dense layer may skip zeros or share its weights out
    dropouts: list[Layer] = field(default_factory=list)

    @property
    def kernel_set(self) -> str:
        """The set of kernels that is enough for this plan (compiler/kernel_set.py)."""
        if any(row[at.KIND] not in WITHOUT_PICTURES for row in self.operations):
            return "all"
        return "large" if self.large else "dense"


def can_list_pixels(plan: Plan) -> bool:
    """Whether the first operation can work on lists of non-zero pixels."""
    first = plan.operations[0]
    return first[at.KIND] in (at.DENSE, at.SPARSE_DENSE) and first[at.N_IN] < WIDEST_SPARSE


def may_scale_lazily(plan: Plan) -> bool:
    """Whether the sparse layer may hold W as s (V + c), see ops/sparse_dense.py: plain gradient descent, at most L2,
    and every weight of the layer learns."""
    plain = plan.optimizer == at.PLAIN_SGD and plan.hyper[at.L1_SHARE] == 0 and plan.hyper[at.MAX_NORM] == 0
    return plain and not plan.operations[0][at.MASKED]
