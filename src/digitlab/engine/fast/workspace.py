"""A plan made concrete: the vectors it computes in, for one batch size and number of threads, and the job itself."""

from typing import Any

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.engine.fast.pixel_lists import PixelLists
from digitlab.engine.fast.plan import Plan, list_room, may_scale_lazily, segment_rows
from digitlab.errors import EngineError

Vector = np.ndarray[Any, Any]
ALIGNMENT = 64  # a cache line
UNKNOWN = {
    at.AN_OPERATION: "operation",
    at.A_CHOICE: "way through a dense layer",
    at.AN_ACTIVATION: "activation",
    at.A_LOSS: "loss",
    at.AN_OPTIMIZER: "optimizer",
    at.A_RULE: "rule of going back",
    at.AN_INPUT: "kind of input",
}
SMALL_BATCH = 32  # examples up to which threads share out a large layer's weights (ops/shared.py)


def aligned(size: int, dtype: Any = np.float32) -> Vector:
    """Zeros that begin on a cache line."""
    count = size * np.dtype(dtype).itemsize
    room = np.zeros(count + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + count].view(dtype)


class Job:
    """The vectors between layers, and every number and address that the kernels ask for.

    Made anew when the batch size, the kind of input or the number of threads changes.
    """

    def __init__(self, plan: Plan, batch: int, threads: int, sparse: bool, offset: float) -> None:
        self.plan, self.batch, self.threads, self.sparse, self.offset = plan, batch, threads, sparse, offset
        self.header = np.zeros(at.JOB_SIZE, np.int64)
        self.kept: dict[int, Vector] = {}  # arrays whose addresses stand in the header
        widest = plan.widest
        fixed = 2 * widest  # zeros, and the mask of the outputs there are
        operations = np.array(plan.operations, np.int64)
        numbers = np.array(plan.numbers, np.float64)
        first = operations[0]
        stride = int(first[at.Y_STRIDE])
        extra = gradient = fixed
        if sparse:
            first[at.KIND] = at.SPARSE_DENSE
            first[at.CHOICE] = int(may_scale_lazily(plan))
            numbers[0, 0] = offset
            gradient = extra + (2 + threads) * stride
            fixed = gradient + (0 if first[at.CHOICE] else int(first[at.N_IN]) * stride)
            first[at.EXTRA], first[at.W2] = extra, gradient
        for k in np.flatnonzero(operations[:, at.PARTS]):
            shared = operations[k, at.KIND] == at.DENSE and batch <= SMALL_BATCH
            operations[k, at.PARTS] = fixed if shared else 0
            if shared:
                operations[k, at.EXTRA] = list_room(segment_rows(operations[k, at.N_IN]))
                fixed += at.SEGMENTS * batch * operations[k, at.Y_STRIDE]
        pooled = operations[:, at.KIND] == at.POOLED_CONV
        operations[pooled, at.W2] += fixed
        fixed += plan.work_fixed
        for column in (at.X, at.Y, at.GX, at.GY, at.WHERE):
            there = operations[:, column] >= 0
            operations[there, column] = fixed + operations[there, column] * batch
        work = aligned(fixed + plan.work_per_example * batch + 64)
        work[widest : widest + plan.out] = 1.0
        self.hold(at.OPS, operations)
        self.hold(at.NUMBERS, numbers)
        self.hold(at.WORK, work)
        self.hold(
            at.SCRATCH, aligned(threads * (scratch := (at.GRADIENT_ROWS + 1) * widest + 2 * batch + plan.scratch))
        )
        self.hold(at.GRADIENTS, aligned(plan.params_size) if plan.kernel_set == "all" else None)
        self.hold(at.EXAMPLE_LOSSES, np.zeros(batch))
        self.hold(at.PARTIAL, np.zeros(8 * threads))
        self.hold(at.HYPER, np.array(plan.hyper))
        self.hold(at.SYNC, np.zeros(8, np.int64))
        last = operations[-1]
        for place, number in (
            (at.N_OPS, len(operations)),
            (at.BATCH, batch),
            (at.THREADS, threads),
            (at.INPUT_SIZE, plan.input_size),
            (at.LOSS, plan.loss),
            (at.OPTIMIZER, plan.optimizer),
            (at.OUT, plan.out),
            (at.OUT_STRIDE, last[at.Y_STRIDE]),
            (at.LOGITS, last[at.Y]),
            (at.DELTA, last[at.GY]),
            (at.LANE_MASK, widest),
            (at.SCRATCH_SIZE, scratch),
            (at.RULE, plan.rule),
        ):
            self.header[place] = number

    def hold(self, place: int, array: Vector | None) -> None:
        """Write an array's address into the header and keep the array alive; None leaves 0 there."""
        if array is None:
            self.kept.pop(place, None)
            self.header[place] = 0
            return
        assert array.flags.c_contiguous
        self.kept[place] = array
        self.header[place] = array.ctypes.data

    def reads(self, x: Vector | PixelLists) -> None:
        """Where examples come from."""
        if isinstance(x, PixelLists):
            self.header[at.INPUT] = at.SPARSE
            self.hold(at.STARTS, x.starts)
            self.hold(at.INDICES, x.indices)
            self.hold(at.VALUES, x.values)
        else:
            self.header[at.INPUT] = at.BYTE_ROWS if x.dtype == np.uint8 else at.FLOAT_ROWS
            self.hold(at.INPUTS, x)

    def check_known(self) -> None:
        """Raise EngineError if a kernel met a code that it does not know: what was computed then is no result."""
        if self.header[at.UNKNOWN]:
            what, code = UNKNOWN[int(self.header[at.UNKNOWN])], int(self.header[at.UNKNOWN_CODE])
            raise EngineError(
                f"the compiled kernels do not know {what} {code}, and stopped; the reference engine computes this "
                '(engine="reference"). Please report this: it is a mistake in digitlab'
            )

    @property
    def address(self) -> int:
        return self.header.ctypes.data
