"""A plan under construction, to which the operations' `plan` functions add."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from digitlab.engine.fast.layout import (
    B_NUMBER,
    FROZEN,
    GX,
    GY,
    KIND,
    LANES,
    LEARNS,
    MASKED,
    N_IN,
    N_OUT,
    NOT_CONNECTED,
    W_NUMBER,
    X_STRIDE,
    Y_STRIDE,
    B,
    W,
    X,
    Y,
)
from digitlab.engine.fast.plan import Buffer, PerExample, Place, ReadableLayer, Row, Slot, padded
from digitlab.nn.containers import Sequential
from digitlab.nn.describe import Described, choices
from digitlab.nn.network import Layer, Network, Parameter, Shape


class NoKernel(Exception):
    """Why a network cannot be planned, as a sentence for the user."""


def settings(chosen: Described, known: Sequence[str]) -> dict[str, Any]:
    """What was chosen, by name. Raises NoKernel for a setting that the kernels do not know."""
    values = {field.name: getattr(chosen, field.name) for field in choices(chosen)}
    if unknown := [name for name in values if name not in known]:
        raise NoKernel(f"no kernel for {type(chosen).__name__} with a setting {unknown[0]!r}")
    return values


class Edited(NamedTuple):
    """Replaces a layer whose code was changed, so that no operation takes it."""

    layer: Layer
    clause: str  # what was changed


class Step(NamedTuple):
    """A layer at its place in a network: its full name, the shape of its input, and whether it trains.

    In a frozen `Subnetwork` a layer works as in a prediction: without dropout, and with its running statistics.
    """

    name: str
    layer: Any
    shape: Shape
    trains: bool


class PlanBuilder:
    """Operations so far; `value` and `gradient_at` say where the last one writes, `size` and `stride` how much.

    `layers`, `names` and `shapes` (of the inputs) are those of one chain: of the network, or of a branch in a
    container, which `plan_chain` plans. `remaining` are the numbers of the layers in it that have no operation yet;
    an operation that covers several layers `take`s the others. `place` is where the chain ends so far: a container
    keeps it, and sets it back for each branch. `codes` are the kinds' numbers by name. `edited`
    says what was changed in a layer's code, None if nothing was.
    """

    def __init__(
        self,
        network: Network,
        learning: bool,
        codes: dict[str, int],
        plan_layer: "Callable[[PlanBuilder, int], None]",
        edited: Callable[[Layer], str | None],
    ) -> None:
        self.network, self.learning, self.codes = network, learning, codes
        self.plan_layer, self.edited = plan_layer, edited
        self.readable: list[ReadableLayer] = []
        self.operations: list[Row] = []
        self.slots: list[Slot] = []
        self.buffers: list[Buffer] = []
        self.dropouts: list[Layer] = []
        self.batch_checks: list[Callable[[int], None]] = []
        self.steps: list[Step] = []
        self.remaining: list[int] = []
        self.params_size = self.per_example = self.work = self.scratch = 0
        shape = network.input_shape
        size = int(np.prod(shape))
        stride = padded(size) + (LANES if len(shape) == 3 else 0)
        self.place = Place(self.room(stride), -1, size, stride, ())  # the input has no gradient

    @property
    def place(self) -> Place:
        return Place(self.value, self.gradient_at, self.size, self.stride, self.made_by)

    @place.setter
    def place(self, place: Place) -> None:
        self.value, self.gradient_at, self.size, self.stride, self.made_by = place

    @property
    def layers(self) -> list[Any]:
        return [step.layer for step in self.steps]

    @property
    def names(self) -> list[str]:
        return [step.name for step in self.steps]

    @property
    def shapes(self) -> list[Shape]:
        return [step.shape for step in self.steps]

    def plan_chain(self, layers: Iterable[tuple[str, Layer]], shape: Shape, *, trains: bool) -> None:
        """Plan layers one after another, by name, from `place` on. Raises NoKernel."""
        outer = self.steps, self.remaining
        self.steps = list(self.unfolded(layers, shape, trains))
        self.remaining = list(range(len(self.steps)))
        while self.remaining:
            self.plan_layer(self, self.remaining.pop(0))
        self.steps, self.remaining = outer

    def unfolded(self, layers: Iterable[tuple[str, Layer]], shape: Shape, trains: bool) -> Iterator[Step]:
        """Layers one after another, with those inside a `Sequential` in its place: kernels span its border."""
        for name, layer in layers:
            if clause := self.edited(layer):
                yield Step(name, Edited(layer, clause), shape, trains)
            elif type(layer) is Sequential:
                inner = ((f"{name}.{key}", child) for key, child in layer.children().items())
                yield from self.unfolded(inner, shape, trains)
            else:
                yield Step(name, layer, shape, trains)
            shape = layer.output_shape(shape)

    def saved(self) -> dict[str, Any]:
        """The plan so far; `restore` goes back to it."""
        return {key: value.copy() if isinstance(value, list) else value for key, value in vars(self).items()}

    def restore(self, saved: dict[str, Any]) -> None:
        """Drop what was planned since `saved`."""
        vars(self).update(saved)

    def new_place(self, size: int, *, gradient: bool) -> Place:
        """Room for a value of `size` numbers, with room for a vector behind them, and for its gradient."""
        stride = padded(size) + LANES
        return Place(self.room(stride), self.room(stride) if gradient else -1, size, stride, ())

    def trains(self, i: int) -> bool:
        """Whether layer i works as in training."""
        return self.learning and self.steps[i].trains

    def take(self, i: int) -> None:
        """Layer i needs no operation of its own."""
        self.remaining.remove(i)

    def needs_scratch(self, *floats: int) -> None:
        """Each thread needs this much memory of its own: the largest of these numbers of floats."""
        self.scratch = max(self.scratch, *floats)

    def room(self, floats: int) -> PerExample:
        """An offset in `work` per example."""
        offset, self.per_example = PerExample(self.per_example), self.per_example + floats
        return offset

    def row(self, kind: str) -> Row:
        """A new operation that reads what the last one wrote."""
        row = Row()
        row[KIND], row[N_IN], row[N_OUT] = self.codes[kind], self.size, self.size
        row[X], row[X_STRIDE], row[GX] = self.value, self.stride, self.gradient_at
        row[B_NUMBER] = -1
        return row

    def add(self, row: Row) -> None:
        """Add an operation that writes its output to `value`, with the gradient at `gradient_at`."""
        row[Y], row[Y_STRIDE], row[GY] = self.value, self.stride, self.gradient_at
        self.operations.append(row)
        self.made_by = (*self.made_by, row)

    def add_elementwise(self, row: Row) -> None:
        """Add an operation with as many outputs as inputs, whose gradient is computed in place."""
        self.value = self.room(self.stride)
        self.add(row)

    def add_output(self, row: Row, size: int, *, first_gradient: bool = True) -> None:
        """Add an operation that writes `size` numbers for each example, with room for a vector behind them.

        first_gradient   whether ∂L/∂y is needed also where nothing before the operation learns
        """
        made_by = self.made_by
        self.place = self.new_place(size, gradient=first_gradient or self.gradient_at >= 0)._replace(made_by=made_by)
        self.add(row)

    def slot(self, name: str, parameter: Parameter, rows: int, columns: int, extra_rows: int = 0) -> Slot:
        """Room for a parameter in `params`."""
        stride = padded(columns)
        slot = Slot(name, parameter, self.params_size, rows, columns, stride, len(self.slots) + 1)
        self.params_size += (rows + extra_rows) * stride
        self.slots.append(slot)
        return slot

    def buffer(self, layer: Layer, name: str) -> int:
        """Room in `params` for one of a layer's buffers, whole vectors."""
        self.buffers.append(Buffer(layer, name, self.params_size))
        self.params_size += padded(layer.buffers[name].size)
        return self.buffers[-1].offset

    def weights(self, slot: Slot, layer: Layer | None, row: Row) -> None:
        """Write where a layer's weights lie, and which of them learn."""
        trainable = slot.parameter.trainable if self.learning else True
        row[W], row[W_NUMBER] = slot.offset, -1 if trainable is False else slot.number
        mask = None if isinstance(trainable, bool) else np.where(trainable != 0, LEARNS, FROZEN)
        if layer is not None and "connections" in layer.buffers:
            shape = slot.parameter.value.shape
            connected = np.broadcast_to(layer.buffers["connections"] != 0, shape)
            mask = np.where(connected, LEARNS if mask is None else mask, NOT_CONNECTED)
        if mask is not None:
            slot.mask, row[MASKED] = mask, 1

    def bias(self, named: tuple[str, Parameter] | None, n_out: int, row: Row) -> None:
        """Room for b; where there is none, room that stays zero."""
        if named is not None:
            b = self.slot(*named, 1, n_out)
            trainable = b.parameter.trainable if self.learning else True
            row[B], row[B_NUMBER] = b.offset, -1 if trainable is False else b.number
            if not isinstance(trainable, bool):
                b.mask, row[MASKED] = np.where(trainable != 0, LEARNS, FROZEN), 1
        else:
            row[B] = self.params_size
            self.params_size += padded(n_out)
