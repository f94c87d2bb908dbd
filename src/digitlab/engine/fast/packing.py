"""Parameters and optimizer states between a network's arrays and the kernels' flat vectors."""

from collections.abc import Callable
from typing import Any

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.engine.fast.plan import Plan, Slot
from digitlab.engine.fast.planner import make_plan
from digitlab.nn.network import Layer, Network
from digitlab.nn.shapes import same_order
from digitlab.optim.sgd import SGD

Vector = np.ndarray[Any, Any]
ALIGNMENT = 64  # a cache line


def aligned(size: int, dtype: Any = np.float32) -> Vector:
    """Zeros that begin on a cache line."""
    count = size * np.dtype(dtype).itemsize
    room = np.zeros(count + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + count].view(dtype)


def rows(vector: Vector, slot: Slot) -> Vector:
    """A parameter's part of a vector, as (rows, columns) without the padding; a view."""
    flat = vector[slot.offset : slot.offset + slot.rows * slot.stride]
    return flat.reshape(slot.rows, slot.stride)[:, : slot.columns]


def read(vector: Vector, slot: Slot) -> Vector:
    """A parameter's part of a vector, as an array of its own in the parameter's shape."""
    part, shape = rows(vector, slot), slot.parameter.value.shape
    if slot.kernels is not None:
        kh, filters = slot.kernels
        return np.ascontiguousarray(part.reshape(filters, kh, *shape[1:3]).transpose(1, 2, 3, 0))
    return part.reshape(shape).copy()


def write(vector: Vector, slot: Slot, value: Vector) -> None:
    """An array of the parameter's shape into its part of a vector."""
    if slot.kernels is not None:
        value = value.transpose(3, 0, 1, 2)
    rows(vector, slot)[...] = value.reshape(slot.rows, slot.columns)


def write_all(vector: Vector, plan: Plan) -> None:
    """All of a network's parameters and buffers into the flat vector."""
    for slot in plan.slots:
        write(vector, slot, slot.value())
    for buffer in plan.buffers:
        vector[buffer.offset : buffer.offset + buffer.value.size] = buffer.value.ravel()


def read_all(vector: Vector, plan: Plan) -> None:
    """The flat vector's parameters and buffers into the network, as arrays of their own."""
    for slot in plan.slots:
        slot.parameter.value = read(vector, slot)
    for buffer in plan.buffers:
        new = vector[buffer.offset : buffer.offset + buffer.value.size]
        buffer.layer.buffers[buffer.name] = new.reshape(buffer.value.shape).copy()


def as_read(network: Network, x: Vector) -> Vector:
    """Examples (N, ...) as the kernels read them: bytes or float32 in the order of the input; else as `prepare` does.

    Kernels see numbers and no shape, so another order of axes would pass unseen. Raises ShapeError and DataError.
    """
    fits = (
        x.ndim > 1 and len(x) and (x.shape[1:] == network.input_shape or same_order(x.shape[1:], network.input_shape))
    )
    return x if fits and x.dtype in (np.uint8, np.float32) else network.prepare(x)


def mask_vector(plan: Plan) -> Vector | None:
    """What each weight may do: LEARNS, FROZEN or NOT_CONNECTED (layout.py); None if all learn."""
    if all(slot.mask is None for slot in plan.slots):
        return None
    masks = aligned(plan.params_size)
    masks[:] = at.LEARNS
    for slot in plan.slots:
        if slot.mask is not None:
            write(masks, slot, slot.mask)
    return masks


def read_only_plan(network: Network, edited: Callable[[Layer], str | None] = lambda layer: None) -> Plan | str:
    """The plan of the forward pass alone: without dropout, and frozen weights do not matter."""
    return make_plan(network, SGD(), learning=False, edited=edited)
