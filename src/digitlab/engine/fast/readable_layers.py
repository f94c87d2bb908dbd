"""The layers of a plan that have no kernel: the kernels call their readable code here, by number.

Each call handles the whole batch, on arrays of the layer's shapes: copies, so that a layer may keep them or write into
them. Before it, the layer's parameters get the values that the kernels have trained so far; after `backward`, their
gradients go to the kernels.
"""

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.arrays import Array
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.packing import read, write
from digitlab.engine.fast.plan import Place, ReadableLayer
from digitlab.errors import ShapeError

if TYPE_CHECKING:
    from digitlab.engine.fast.workspace import Workspace

CALLBACK: Any = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class ReadableLayers:
    """What the kernels of one workspace call; `address` is the function's.

    An exception in a layer is kept as `error`, no layer is called after it, and the kernels stop before the next step.
    """

    def __init__(self, workspace: "Workspace", layers: Sequence[ReadableLayer], learning: bool) -> None:
        self.workspace, self.layers, self.learning = workspace, layers, learning
        self.caches: list[Any] = [None] * len(layers)
        self.error: BaseException | None = None
        self.callback = CALLBACK(self.call)
        self.address: int = ctypes.cast(self.callback, ctypes.c_void_p).value or 0

    def call(self, number: int, phase: int, examples: int) -> int:
        """Run one layer; 1 if it or one before it has failed."""
        if self.error is None:
            try:
                (self.forward if phase == at.FORWARD else self.backward)(number, examples)
            except BaseException as error:  # Ctrl-C, too: nothing may pass through the kernels
                self.error = error
        return int(self.error is not None)

    def forward(self, number: int, examples: int) -> None:
        """Layer `number` forward for the whole batch, from and to `work`."""
        one = self.layers[number]
        for slot in one.slots:
            slot.parameter.value = read(self.workspace.arrays[at.PARAMS], slot)
        x = self.numbers(one.x, one.x.value, examples).copy().reshape(examples, *one.shape)
        y, cache = one.layer.forward(x, training=one.trains)
        self.numbers(one.y, one.y.value, examples)[...] = self.flat(y, examples, one.out_shape, one, "forward")
        self.caches[number] = cache if self.learning else None

    def backward(self, number: int, examples: int) -> None:
        """Layer `number` backward for the whole batch: ∂L/∂x into `work`, the parameters' gradients to the kernels."""
        one, cache = self.layers[number], self.caches[number]
        self.caches[number] = None
        g = self.numbers(one.y, one.y.gradient_at, examples).copy().reshape(examples, *one.out_shape)
        if one.x.gradient_at < 0:
            one.layer.backward_params(g, cache)
        else:
            gx = self.flat(one.layer.backward(g, cache), examples, one.shape, one, "backward")
            self.numbers(one.x, one.x.gradient_at, examples)[...] = gx
        for slot in one.slots:
            if slot.parameter.trainable is not False:
                write(self.workspace.arrays[at.GRADIENTS], slot, np.asarray(slot.parameter.grad))

    def numbers(self, place: Place, offset: int, examples: int) -> Array:
        """(N, size): the values, or gradients, at a place of `work`; a view."""
        start = self.workspace.place(offset)
        rows = self.workspace.arrays[at.WORK][start : start + examples * place.stride]
        return rows.reshape(examples, place.stride)[:, : place.size]

    @staticmethod
    def flat(array: Array, examples: int, shape: tuple[int, ...], one: ReadableLayer, method: str) -> Array:
        """What a layer returned, as (N, size). Raises ShapeError for another shape."""
        if tuple(np.shape(array)) != (examples, *shape):
            raise ShapeError(
                f"layer {one.name}, {one.layer!r}: {method} returned an array of shape {tuple(np.shape(array))}, "
                f"expected {(examples, *shape)}"
            )
        return np.asarray(array).reshape(examples, -1)
