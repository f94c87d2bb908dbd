"""Reads a finished network, optimizer and regularizers, and makes a plan for the kernels, or says why there is none."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.engine.fast import pictures
from digitlab.engine.fast.choices import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    RULES,
    NoKernel,
    activation_number,
    check,
    hyper_parameters,
)
from digitlab.engine.fast.plan import LANES, WIDEST_SPARSE, Plan, Slot, list_room, padded, segment_rows
from digitlab.gradients import Backpropagation, Gradient
from digitlab.nn.bias import Bias
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.network import Dense, Layer, Network, Parameter
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import Regularizer

LAYERS: tuple[type[Layer], ...] = (Dense, Conv2D, *pictures.POOLS, Bias, Flatten, Reshape, Dropout, *ACTIVATIONS)
LEAST_SKIPPING = 1 << 12  # weights of a layer from which listing its inputs that are not zero can pay
LEAST_SHARED = 1 << 17  # and from which threads share out the weights, if the batch is small


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
        return Planner(network, optimizer, regularizers, examples, gradient, learning).plan()
    except NoKernel as reason:
        return str(reason)


class Planner:
    """A plan in the making, layer after layer; `value` and `gradient_at` say where the last operation writes."""

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
        self.large = False

    def plan(self) -> Plan:
        """All operations. Raises NoKernel."""
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
            raise NoKernel("there is nothing to train")
        dense = [row[at.Y_STRIDE] for row in self.operations if row[at.KIND] == at.DENSE]
        return Plan(
            self.operations,
            self.numbers,
            self.slots,
            self.params_size,
            self.per_example,
            self.fixed,
            widest=max([self.stride, *dense, *(row[at.FILTER_STRIDE] for row in self.operations)]),
            scratch=self.scratch,
            input_size=int(np.prod(shape)),
            out=self.size,
            loss=LOSSES[type(self.network.loss)],
            optimizer=optimizer,
            state_keys=keys,
            hyper=hyper,
            rule=RULES[type(self.gradient or Backpropagation())],
            work=self.work,
            large=self.large,
            dropouts=self.dropouts,
        )

    def layer(self, i: int) -> int:
        """Add layer i's operation, and those of layers that it is fused with; returns how many layers that was."""
        layer = self.network.layers[i]
        kind = type(layer)
        if kind not in LAYERS:
            raise NoKernel(f"no kernel for {kind.__name__}, layer {i}")
        if kind in (Flatten, Reshape):
            return 1
        if kind is Conv2D:
            return pictures.pooled_convolution(self, i) or pictures.convolution(self, i)
        if kind in pictures.POOLS:
            return pictures.pool(self, i)
        row, numbers = self.row(), [0.0] * at.NUMBER_SIZE
        if kind is Dense:
            self.dense(i, layer, row)
            self.size, self.stride = row[at.N_OUT], padded(row[at.N_OUT])
            self.value, self.gradient_at = self.room(self.stride), self.room(self.stride)
        elif kind in ACTIVATIONS or kind is Dropout:
            if isinstance(layer, Dropout) and not self.learning and layer.inverted:
                row[at.KIND], row[at.CODE] = at.ACTIVATION, at.LINEAR  # passes all on
            elif isinstance(layer, Dropout):
                row[at.KIND], numbers[:2] = at.DROPOUT, dropping(layer, self.learning)
                self.dropouts.append(layer)
            else:
                row[at.KIND], row[at.CODE] = at.ACTIVATION, ACTIVATIONS[kind]
                numbers[0] = activation_number(layer)
            self.value = self.room(self.stride)
        else:
            raise NoKernel(f"no kernel for {kind.__name__} by itself, layer {i}")
        self.add(row, numbers)
        return 1

    def row(self) -> list[int]:
        """A new operation that reads what the last one wrote."""
        row = [0] * at.OP_SIZE
        row[at.N_IN] = row[at.N_OUT] = self.size
        row[at.X], row[at.X_STRIDE], row[at.GX] = self.value, self.stride, self.gradient_at
        return row

    def add(self, row: list[int], numbers: list[float] | None = None) -> None:
        """Take an operation in, which writes to where `value` and `gradient_at` are now."""
        row[at.Y], row[at.Y_STRIDE], row[at.GY] = self.value, self.stride, self.gradient_at
        self.operations.append(row)
        self.numbers.append(numbers or [0.0] * at.NUMBER_SIZE)

    def room(self, floats: int) -> int:
        """An offset in `work` per example; times the batch it is an offset for all of them."""
        offset, self.per_example = self.per_example, self.per_example + floats
        return offset

    def slot(self, name: str, parameter: Parameter, rows: int, columns: int, extra_rows: int = 0) -> Slot:
        """Room for a parameter in `params`."""
        stride = padded(columns)
        slot = Slot(name, parameter, self.params_size, rows, columns, stride, len(self.slots) + 1)
        self.params_size += (rows + extra_rows) * stride
        self.slots.append(slot)
        return slot

    def dense(self, i: int, layer: Any, row: list[int]) -> None:
        """A dense layer's weights and biases."""
        n_in, n_out = self.size, layer.out_features
        row[at.N_OUT], row[at.FILTER_STRIDE] = n_out, padded(n_out)
        # Rows of W up to the padded width of the input exist and are zero, so that ∂L/∂x is zero in the padding.
        w = self.slot(f"{i}.W", layer.params["W"], n_in, n_out, padded(n_in) - n_in)
        row[at.KIND], row[at.W] = at.DENSE, w.offset
        self.work += 3 * n_in * n_out
        may_skip = self.behind_relu() and n_in < WIDEST_SPARSE and n_in * n_out >= LEAST_SKIPPING
        may_share = n_in * n_out >= LEAST_SHARED
        self.large |= may_skip or may_share
        if self.learning and may_skip:
            row[at.MAY_SKIP], row[at.EXTRA] = 1, list_room(n_in)
            row[at.WHERE] = self.room(at.SEGMENTS * list_room(segment_rows(n_in)))
        row[at.PARTS] = int(self.learning and may_share)
        self.weights(w, layer, row)
        self.bias((f"{i}.b", layer.params["b"]) if "b" in layer.params else None, n_out, row)

    def behind_relu(self) -> bool:
        """Whether inputs that are zero have no gradient: a ReLU made them so, or dropout behind one."""
        behind = next((row for row in reversed(self.operations) if row[at.KIND] != at.DROPOUT), None)
        return behind is not None and (behind[at.KIND], behind[at.CODE]) == (at.ACTIVATION, at.RELU)

    def weights(self, slot: Slot, layer: Any, row: list[int]) -> None:
        """Whether a layer's weights learn, and which of them."""
        trainable = slot.parameter.trainable if self.learning else True
        row[at.PARAMETER] = -1 if trainable is False else slot.number
        mask = None if isinstance(trainable, bool) else np.where(trainable != 0, at.LEARNS, at.FROZEN)
        if "connections" in layer.buffers:
            shape = slot.parameter.value.shape
            connected = np.broadcast_to(layer.buffers["connections"] != 0, shape)
            mask = np.where(connected, at.LEARNS if mask is None else mask, at.NOT_CONNECTED)
        if mask is not None:
            slot.mask, row[at.MASKED] = mask, 1

    def bias(self, named: tuple[str, Parameter] | None, n_out: int, row: list[int]) -> None:
        """Room for b; where there is none, room that stays zero."""
        if named is not None:
            b = self.slot(*named, 1, n_out)
            trainable = b.parameter.trainable if self.learning else True
            row[at.B], row[at.CODE] = b.offset, -1 if trainable is False else b.number
            if not isinstance(trainable, bool):
                b.mask, row[at.MASKED] = np.where(trainable != 0, at.LEARNS, at.FROZEN), 1
        else:
            row[at.B], row[at.CODE] = self.params_size, -1
            self.params_size += padded(n_out)


def dropping(layer: Dropout, learning: bool) -> list[float]:
    """The share that is left out, and the factor of what is kept."""
    if learning:
        return [float(layer.rate), 1.0 / (1.0 - layer.rate) if layer.inverted else 1.0]
    return [0.0, 1.0 - layer.rate]  # the book's form, which shrinks instead
