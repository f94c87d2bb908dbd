"""Reads a finished network, optimizer and regularizers, and gives a plan for the kernels, or the reason why not.

A plan is a list of operations with their places in two vectors: `params`, which holds every parameter with its rows
padded to a multiple of 8, and `work`, which holds what passes between layers for one batch. Nothing here
needs numba, so asking costs nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.engine.fast.choices import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    RISING,
    RULES,
    NoKernel,
    check,
    hyper_parameters,
)
from digitlab.nn.bias import Bias
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.gradients import Backpropagation, Gradient
from digitlab.nn.network import Dense, Layer, Network, Parameter
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.regularizers import Regularizer
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.windows import Windows
from digitlab.optimizers.base import Optimizer

LANES = 8
LARGEST_PICTURE = 1 << 20  # 16 times a place in it must be exact in float32 (kernels/pooled_conv.py)
WIDEST_SPARSE = 1 << 16  # pixel numbers are uint16
OF_PICTURES = (at.POOLED_CONV, at.CONV, at.MAX_POOL, at.AVERAGE_POOL)
GRADIENT_ROWS = 16  # as in kernels/windows.py


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
    dropouts: list[Layer] = field(default_factory=list)

    @property
    def piece(self) -> str:
        """The piece of the kernels that is enough for this plan (kernels/piece.py)."""
        return "all" if any(row[at.KIND] in OF_PICTURES for row in self.operations) else "dense"

    @property
    def masked(self) -> bool:
        """Whether there are single weights that are frozen or not connected."""
        return any(slot.mask is not None for slot in self.slots)


def make_plan(
    network: Network,
    optimizer: Optimizer,
    regularizers: Sequence[Regularizer] = (),
    *,
    examples: int = 1,
    gradient: Gradient | None = None,
    learning: bool = True,
) -> Plan | str:
    """The plan, or one sentence that names what has no kernel. `learning` False: for predictions only."""
    try:
        return _Planner(network, optimizer, regularizers, examples, gradient, learning).plan()
    except NoKernel as reason:
        return str(reason)


class _Planner:
    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        regularizers: Sequence[Regularizer],
        examples: int,
        gradient: Gradient | None,
        learning: bool,
    ) -> None:
        self.network, self.optimizer, self.examples, self.learning = network, optimizer, examples, learning
        self.regularizers, self.gradient = tuple(regularizers), gradient
        self.operations: list[list[int]] = []
        self.numbers: list[list[float]] = []
        self.slots: list[Slot] = []
        self.dropouts: list[Layer] = []
        self.params_size = 0
        self.per_example = 0
        self.fixed = 0
        self.work = 0
        self.scratch = 0

    def plan(self) -> Plan:
        check(self.network, self.optimizer, self.regularizers, self.gradient)
        optimizer, keys = OPTIMIZERS[type(self.optimizer)]
        hyper = hyper_parameters(self.network, self.optimizer, self.regularizers, self.examples)
        shape = self.network.input_shape
        self.size, self.stride, self.gradient_at = int(np.prod(shape)), 0, -1  # the input has no gradient
        self.stride = padded(self.size) + (LANES if len(shape) == 3 else 0)
        self.value = self.room(self.stride)
        i = 0
        while i < len(self.network.layers):
            i += self.layer(i)
        if not self.slots:
            raise NoKernel("there is nothing to learn")
        dense = [row[at.Y_STRIDE] for row in self.operations if row[at.KIND] == at.DENSE]
        return Plan(
            self.operations, self.numbers, self.slots, self.params_size, self.per_example, self.fixed,
            widest=max([padded(self.size), *dense, *(row[at.FILTER_STRIDE] for row in self.operations)]),
            scratch=self.scratch, input_size=int(np.prod(shape)), out=self.size, loss=LOSSES[type(self.network.loss)],
            optimizer=optimizer, state_keys=keys, hyper=hyper, rule=RULES[type(self.gradient or Backpropagation())],
            work=self.work, dropouts=self.dropouts,
        )  # fmt: skip

    def layer(self, i: int) -> int:
        """Add layer i's operation, and those of layers that it is fused with; returns how many layers that was."""
        layer = self.network.layers[i]
        kind = type(layer)
        if kind in (Flatten, Reshape):
            return 1
        if kind is Conv2D:
            return self.pooled_convolution(i) or self.convolution(i)
        if kind in (MaxPool2D, AveragePool2D, GlobalAveragePool):
            return self.pool(i)
        row, numbers = self.row(), [0.0] * at.NUMBER_SIZE
        if kind is Dense:
            self.dense(i, layer, row)
            self.size, self.stride = row[at.N_OUT], padded(row[at.N_OUT])
            self.value, self.gradient_at = self.room(self.stride), self.room(self.stride)
        elif kind in ACTIVATIONS or kind is Dropout:
            if isinstance(layer, Dropout):
                row[at.KIND], numbers[0] = at.DROPOUT, float(layer.rate)
                self.dropouts.append(layer)
            else:
                row[at.KIND], row[at.CODE] = at.ACTIVATION, ACTIVATIONS[kind]
                numbers[0] = float(getattr(layer, "slope", getattr(layer, "alpha", 0.0)))
            self.value = self.room(self.stride)
        else:
            raise NoKernel(f"no kernel for {kind.__name__}, layer {i}")
        self.add(row, numbers)
        return 1

    def row(self) -> list[int]:
        """A new operation that reads what the last one wrote."""
        row = [0] * at.OP_SIZE
        row[at.N_IN] = row[at.N_OUT] = self.size
        row[at.X], row[at.X_STRIDE], row[at.GX] = self.value, self.stride, self.gradient_at
        return row

    def add(self, row: list[int], numbers: list[float] | None = None) -> None:
        row[at.Y], row[at.Y_STRIDE], row[at.GY] = self.value, self.stride, self.gradient_at
        self.operations.append(row)
        self.numbers.append(numbers or [0.0] * at.NUMBER_SIZE)

    def room(self, floats: int) -> int:
        """An offset in `work` per example; times the batch it is an offset for all of them."""
        offset, self.per_example = self.per_example, self.per_example + floats
        return offset

    def slot(self, name: str, parameter: Parameter, rows: int, columns: int, extra_rows: int = 0) -> Slot:
        stride = padded(columns)
        slot = Slot(name, parameter, self.params_size, rows, columns, stride, len(self.slots) + 1)
        self.params_size += (rows + extra_rows) * stride
        self.slots.append(slot)
        return slot

    def dense(self, i: int, layer: Any, row: list[int]) -> None:
        n_in, n_out = self.size, layer.out_features
        row[at.N_OUT], row[at.FILTER_STRIDE] = n_out, padded(n_out)
        # Rows of W up to the padded width of the input exist and are zero, so that ∂L/∂x is zero in the padding.
        w = self.slot(f"{i}.W", layer.params["W"], n_in, n_out, padded(n_in) - n_in)
        row[at.KIND], row[at.W] = at.DENSE, w.offset
        self.work += 3 * n_in * n_out
        self.weights(w, layer, row)
        self.bias((f"{i}.b", layer.params["b"]) if "b" in layer.params else None, n_out, row)

    def weights(self, slot: Slot, layer: Any, row: list[int]) -> None:
        """Whether a layer's weights learn, and which of them."""
        learns = slot.parameter.learns if self.learning else True
        row[at.PARAMETER] = -1 if learns is False else slot.number
        mask = None if isinstance(learns, bool) else np.where(learns != 0, at.LEARNS, at.FROZEN)
        if "connections" in layer.buffers:
            shape = slot.parameter.value.shape
            connected = np.broadcast_to(layer.buffers["connections"] != 0, shape)
            mask = np.where(connected, at.LEARNS if mask is None else mask, at.NOT_CONNECTED)
        if mask is not None:
            slot.mask, row[at.MASKED] = mask, 1

    def pooled_convolution(self, i: int) -> int:
        """A convolution with the max-pooling after it: activations that never fall may stand on either side of it.

        Returns how many layers that was: 0 if they are not of the kind that kernels/pooled_conv.py takes.
        """
        layers = self.network.layers
        conv, j = layers[i], i + 1
        assert isinstance(conv, Conv2D)
        windows = conv.windows(self.network.shapes[i])
        activation: list[int] = []
        while j < len(layers) and type(layers[j]) in RISING:
            activation.append(j)
            j += 1
        pool = layers[j] if j < len(layers) else None
        if type(pool) is not MaxPool2D:
            return 0
        pools = pool.windows(self.network.shapes[j])
        size = pools.kernel[0]
        if (
            (windows.stride, windows.dilation) != ((1, 1), (1, 1))
            or conv.connections is not None or not all(isinstance(p.learns, bool) for p in conv.params.values())
            or (pools.kernel, pools.stride, pools.padded) != ((size, size), pools.kernel, pools.picture) or size > 3
            or math.prod(windows.padded) * self.network.shapes[i][2] >= LARGEST_PICTURE
        ):  # fmt: skip
            return 0
        if windows.padded != windows.picture:
            self.frame(windows)
        bias, j = (f"{i}.b", conv.params["b"]) if "b" in conv.params else None, j + 1
        separate = layers[j] if j < len(layers) and bias is None and not activation else None
        if type(separate) is Bias and isinstance(separate.params["b"].learns, bool):
            bias, j = (f"{j}.b", layers[j].params["b"]), j + 1
        (height, width), (kh, kw), channels = windows.padded, windows.kernel, self.network.shapes[i][2]
        row, filters = self.row(), conv.filters
        line = padded(kw * channels)
        w = self.slot(f"{i}.W", conv.params["W"], filters * kh, kw * channels)
        w.kernels = (kh, filters)
        row[at.KIND], row[at.W], row[at.N_OUT] = at.POOLED_CONV, w.offset, filters
        self.weights(w, conv, row)
        self.bias(bias, filters, row)
        row[at.HEIGHT], row[at.WIDTH], row[at.CHANNELS] = height, width, channels
        row[at.KERNEL], row[at.KERNEL_WIDTH], row[at.POOL] = kh, kw, size
        row[at.OUT_HEIGHT], row[at.OUT_WIDTH] = pools.count
        row[at.FILTER_STRIDE] = padded(filters)
        row[at.W2], self.fixed = self.fixed, self.fixed + kh * kw * channels * padded(filters)
        self.work += 2 * math.prod(windows.count) * kh * kw * channels * filters
        x_stride, self.size = self.stride, math.prod(pools.count) * filters
        self.stride = padded(self.size) + LANES
        self.value, self.gradient_at = self.room(self.stride), self.room(self.stride)
        row[at.EXTRA] = self.stride + padded(2 * height)  # of `where`, with the ink's reach in each row behind it
        row[at.WHERE] = self.room(row[at.EXTRA])
        self.add(row)
        pixels = math.prod(pools.count)
        chunk = max(1, min(6000 // x_stride, 8000 // (pixels * filters)))  # as in kernels/pooled_conv.py
        self.scratch = max(
            self.scratch,
            size * size * pools.count[1] * padded(filters) + LANES,
            (2 * filters + 1) * pixels * size * size + LANES,
            (2 * chunk * pixels + 1) * filters + LANES,
            line,
        )
        for k in activation:
            self.layer(k)
        return j - i

    def convolution(self, i: int) -> int:
        """Any other convolution: kernels/windows.py."""
        conv = self.network.layers[i]
        assert isinstance(conv, Conv2D)
        windows, channels, filters = conv.windows(self.network.shapes[i]), self.network.shapes[i][2], conv.filters
        if windows.padded != windows.picture:
            self.frame(windows)
        row, n = self.windows(windows, channels), math.prod(windows.kernel) * channels
        w = self.slot(f"{i}.W", conv.params["W"], n, filters, padded(n) - n)
        row[at.KIND], row[at.W], row[at.N_IN], row[at.N_OUT] = at.CONV, w.offset, n, filters
        row[at.FILTER_STRIDE] = padded(filters)
        self.weights(w, conv, row)
        self.bias((f"{i}.b", conv.params["b"]) if "b" in conv.params else None, filters, row)
        count = math.prod(windows.count)
        self.work += 3 * count * n * filters
        room = count * (padded(n) + padded(filters)) + GRADIENT_ROWS * padded(filters)
        self.scratch = max(self.scratch, room + LANES)
        self.put_out(row, count * filters)
        return 1

    def pool(self, i: int) -> int:
        """A pool that no convolution is fused with."""
        pool, shape, numbers = self.network.layers[i], self.network.shapes[i], [0.0] * at.NUMBER_SIZE
        if isinstance(pool, GlobalAveragePool):
            whole = shape[0], shape[1]
            windows = Windows(whole, (1, 1), (1, 1), whole, (0, 0), (0, 0))
        else:
            assert isinstance(pool, MaxPool2D | AveragePool2D)
            windows = pool.windows(shape)
        if windows.padded != windows.picture:
            raise NoKernel(f"no kernel for {type(pool).__name__} with padding, layer {i}")
        row = self.windows(windows, shape[2])
        row[at.KIND], row[at.N_OUT] = at.MAX_POOL if type(pool) is MaxPool2D else at.AVERAGE_POOL, shape[2]
        numbers[0] = 1.0 / math.prod(windows.kernel)
        self.put_out(row, math.prod(windows.count) * shape[2], numbers)
        return 1

    def windows(self, windows: Windows, channels: int) -> list[int]:
        """A new operation that slides windows over what the last one wrote."""
        row = self.row()
        (row[at.HEIGHT], row[at.WIDTH]), row[at.CHANNELS] = windows.padded, channels
        row[at.KERNEL], row[at.KERNEL_WIDTH] = windows.kernel
        row[at.DOWN], row[at.ACROSS] = windows.stride
        row[at.DILATION_DOWN], row[at.DILATION_ACROSS] = windows.dilation
        row[at.OUT_HEIGHT], row[at.OUT_WIDTH] = windows.count
        return row

    def put_out(self, row: list[int], size: int, numbers: list[float] | None = None) -> None:
        """Add an operation whose output is a picture of `size` numbers."""
        first = self.gradient_at < 0 and row[at.KIND] != at.CONV  # no gradient is asked for before the first weights
        self.size, self.stride = size, padded(size) + LANES
        self.value, self.gradient_at = self.room(self.stride), -1 if first else self.room(self.stride)
        self.add(row, numbers)

    def frame(self, windows: Windows) -> None:
        """The border of zeros that padding asks for."""
        row = self.row()
        row[at.KIND], (row[at.HEIGHT], row[at.WIDTH]) = at.FRAME, windows.picture
        row[at.CHANNELS] = self.size // math.prod(windows.picture)
        (row[at.PADDING], row[at.CHOICE]), (row[at.OUT_HEIGHT], row[at.OUT_WIDTH]) = windows.before, windows.padded
        self.size = math.prod(windows.padded) * row[at.CHANNELS]
        self.stride = padded(self.size) + LANES
        self.value = self.room(self.stride)
        self.gradient_at = self.room(self.stride) if self.gradient_at >= 0 else -1
        self.add(row)

    def bias(self, named: tuple[str, Parameter] | None, n_out: int, row: list[int]) -> None:
        """Room for b; where there is none, room that stays zero."""
        if named is not None:
            b = self.slot(*named, 1, n_out)
            learns = b.parameter.learns if self.learning else True
            row[at.B], row[at.CODE] = b.offset, -1 if learns is False else b.number
            if not isinstance(learns, bool):
                b.mask, row[at.MASKED] = np.where(learns != 0, at.LEARNS, at.FROZEN), 1
        else:
            row[at.B], row[at.CODE] = self.params_size, -1
            self.params_size += padded(n_out)


def can_list_pixels(plan: Plan) -> bool:
    """Whether the first operation can work on lists of non-zero pixels."""
    first = plan.operations[0]
    return first[at.KIND] in (at.DENSE, at.SPARSE_DENSE) and first[at.N_IN] < WIDEST_SPARSE


def may_scale_lazily(plan: Plan) -> bool:
    """Whether the sparse layer may hold W as s (V + c), see kernels/sparse.py: plain gradient descent, at most L2,
    and every weight of the layer learns."""
    plain = plan.optimizer == at.PLAIN_SGD and plan.hyper[at.L1_SHARE] == 0 and plan.hyper[at.MAX_NORM] == 0
    return plain and not plan.operations[0][at.MASKED]
