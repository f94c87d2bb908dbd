"""A plan made concrete: the vectors it computes in, for one batch size and number of threads, and their header."""

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.engine.fast.compiler.load import Kernels
from digitlab.engine.fast.operations import CODES, NAMES, OPERATIONS
from digitlab.engine.fast.ops import sparse_dense
from digitlab.engine.fast.ops.large import ON_UNIT, packing
from digitlab.engine.fast.ops.skipping import PACKED, TURNED
from digitlab.engine.fast.packing import ALIGNMENT, Vector, aligned
from digitlab.engine.fast.pixel_lists import PixelLists
from digitlab.engine.fast.plan import WIDEST_SPARSE, PerExample, Plan, Row, padded
from digitlab.engine.fast.readable_layers import ReadableLayers
from digitlab.errors import EngineError

LEAST_WHOLE = 1 << 18  # weights of a layer from which a product on the matrix unit is faster than lists of pixels


def can_list_pixels(plan: Plan, batch: int) -> bool:
    """Whether the first operation works on lists of non-zero pixels, and no other one reads the input.

    For a large layer and a large batch, a matrix unit's product of all pixels is faster.
    """
    first = plan.operations[0]
    if first.get(PACKED) and packing(batch) == ON_UNIT and first[at.N_IN] * first[at.N_OUT] >= LEAST_WHOLE:
        return False
    return reads_alone(plan) and bool(first[at.N_IN] < WIDEST_SPARSE)


def reads_alone(plan: Plan) -> bool:
    """Whether the first operation is a dense layer, and no other one reads the input."""
    first, *others = plan.operations
    dense = first[at.KIND] in (CODES["dense"], CODES["large_dense"])
    return dense and all(row.get(at.X) != first[at.X] for row in others)


def kernels_of(plan: Plan) -> set[str]:
    """The names of the operations that a plan may need, in batches of any size."""
    first, names = plan.operations[0], {NAMES[int(row[at.KIND])] for row in plan.operations}
    if reads_alone(plan) and first[at.N_IN] < WIDEST_SPARSE:
        names |= {"sparse_dense", "turned_dense"} if first[PACKED] else {"sparse_dense"}
    return names


class Workspace:
    """The vectors between layers, and every number and address that the kernels ask for.

    Another batch size, kind of input or number of threads needs another workspace.
    """

    def __init__(self, plan: Plan, kernels: Kernels, batch: int, threads: int, sparse: bool, offset: float) -> None:
        self.key = batch, threads, sparse, offset
        self.batch, self.threads, self.sparse = batch, threads, sparse
        self.header = np.zeros(at.HEADER_SIZE, np.int64)
        self.arrays: dict[int, Vector] = {}  # whose addresses stand in the header
        widest = plan.widest
        self.size = 2 * widest  # floats of `work`: first zeros, and the mask of the outputs there are
        rows = [Row(row) for row in plan.operations]
        if sparse:
            sparse_dense.convert(rows[0], plan, self._room, batch, threads, offset)
            rows[0][at.KIND] = CODES["turned_dense" if rows[0][TURNED] else "sparse_dense"]
        for row in rows:
            if place := getattr(OPERATIONS.get(int(row[at.KIND])), "place", None):
                place(row, self._room, batch)
        on_unit = not sparse and rows[0][PACKED] == ON_UNIT and reads_alone(plan)
        self.reads_unscaled = on_unit and plan.hyper[at.OFFSET] == 0
        constants = [
            (row, column, row[column]) for row in rows for column in row if isinstance(row[column], np.ndarray)
        ]
        for row, key, array in constants:
            row[key] = self._room(padded(array.size))
        for row in rows:
            addresses = kernels.addresses.get(NAMES.get(int(row[at.KIND]), ""), {})
            row.update((at.PHASES[name], address) for name, address in addresses.items())
        operations = self._as_array(rows)
        work = aligned(self.size + plan.work_per_example * batch + ALIGNMENT)
        work[widest : widest + plan.out] = 1.0
        for row, key, array in constants:
            work[row[key] : row[key] + array.size] = array.view(np.float32)
        scratch = -(-((at.GRADIENT_ROWS + 1) * widest + 2 * batch + plan.scratch) // ALIGNMENT) * ALIGNMENT
        modules = [OPERATIONS.get(int(row[at.KIND])) for row in rows]
        steps_biases = any(hasattr(module, "step_biases") for module in modules)
        for place, array in (
            (at.OPS, operations),
            (at.WORK, work),
            (at.SCRATCH, aligned(threads * scratch)),
            (at.GRADIENTS, aligned(plan.params_size) if steps_biases or plan.readable else None),
            (at.EXAMPLE_LOSSES, np.zeros(batch)),
            (at.THREAD_NUMBERS, np.zeros(at.LANES * threads)),
            (at.HYPER, np.array(plan.hyper)),
            (at.LEARNING, np.array([0, *(slot.parameter.trainable is not False for slot in plan.slots)], np.int64)),
            (at.SYNC, np.zeros(at.LANES, np.int64)),
        ):
            self.hold(place, array)
        for place, number in (
            (at.N_OPS, len(operations)),
            (at.OP_SIZE, operations.shape[1]),
            (at.N_PARAMETERS, len(plan.slots)),
            (at.PARAMS_SIZE, plan.params_size),
            (at.BATCH, batch),
            (at.THREADS, threads),
            (at.INPUT_SIZE, plan.input_size),
            (at.LOSS, plan.loss),
            (at.OPTIMIZER, plan.optimizer),
            (at.OUT, plan.out),
            (at.OUT_STRIDE, plan.output.stride),
            (at.LOGITS, self.place(plan.output.value)),
            (at.DELTA, self.place(plan.output.gradient_at)),
            (at.LANE_MASK, widest),
            (at.SCRATCH_SIZE, scratch),
            (at.RULE, plan.rule),
            (at.BEGINS, any(hasattr(module, "begin") for module in modules)),
            (at.STEPS_BIASES, steps_biases),
        ):
            self.header[place] = number
        self.readable: ReadableLayers | None = None
        if plan.readable:
            self.readable = ReadableLayers(self, plan.readable, plan.learning)
            self.header[at.READABLE] = self.readable.address

    def _room(self, floats: int) -> int:
        """An offset of so many floats in `work` that do not grow with the batch."""
        offset, self.size = self.size, self.size + floats
        return offset

    def place(self, number: int) -> int:
        """An offset as the kernels read it."""
        return self.size + number * self.batch if isinstance(number, PerExample) else number

    def _as_array(self, rows: list[Row]) -> Vector:
        """The operations as the kernels read them."""
        table = np.zeros((len(rows), at.columns()), np.int64)
        reals = table.view(np.float64)
        for k, row in enumerate(rows):
            for column, number in row.items():
                (reals if isinstance(number, float) else table)[k, column] = self.place(number)
        return table

    def hold(self, place: int, array: Vector | None) -> None:
        """Write an array's address into the header and keep the array alive; None leaves 0 there."""
        if array is None:
            self.arrays.pop(place, None)
            self.header[place] = 0
            return
        assert array.flags.c_contiguous
        self.arrays[place] = array
        self.header[place] = array.ctypes.data

    def read_from(self, x: Vector | PixelLists) -> None:
        """Where examples come from."""
        if isinstance(x, PixelLists):
            self.header[at.INPUT] = at.SPARSE
            self.hold(at.STARTS, x.starts)
            self.hold(at.INDICES, x.indices)
            self.hold(at.VALUES, x.values)
        else:
            pixels = at.UNSCALED_BYTE_ROWS if self.reads_unscaled else at.BYTE_ROWS
            self.header[at.INPUT] = pixels if x.dtype == np.uint8 else at.FLOAT_ROWS
            self.hold(at.INPUTS, x)

    def check_known(self) -> None:
        """Raise EngineError if a kernel met a code that it does not know, or what a readable layer has raised.

        What was computed then is no result.
        """
        self.raise_error()
        if self.header[at.UNKNOWN]:
            what, code = at.UNKNOWN_WORDS[int(self.header[at.UNKNOWN])], int(self.header[at.UNKNOWN_CODE])
            raise EngineError(
                f"the compiled kernels do not know {what} {code}, and stopped; the reference engine computes this "
                '(engine="reference"). Please report this: it is a mistake in digitlab'
            )

    def raise_error(self) -> None:
        """Raise what a readable layer has raised, once."""
        if self.readable is not None and self.readable.error is not None:
            error, self.readable.error, self.header[at.UNKNOWN] = self.readable.error, None, 0
            raise error

    @property
    def address(self) -> int:
        """The header's address, which is all that the kernels are given."""
        return self.header.ctypes.data
