"""What a plan and its kernels agree on: the places of numbers in the header, an operation's columns, and the codes.

The header is one int64 vector: addresses of arrays, sizes and choices. The kernels receive its address only.
Each operation is one row of int64 numbers, some of which are read as float64 (`real`). Offsets count floats from the
start of `WORK` (what passes between layers: row n of a batch at offset + n · stride) or of `PARAMS` (weights; the
optimizer's state and gradients lie at the same offsets in vectors of their own).
"""

from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

LANES = 8  # floats in a vector (simd/vectors.py)
DEEP, AT_ONCE = 256, 512  # numbers of a sum, and rows, that a large product packs at once (simd/packed.py)
SIDE, BLOCK_FLOATS = 32, 1536  # a matrix unit's block: numbers along each side, and the floats that hold its parts
UNIT_DEEP, UNIT_AT_ONCE = 256, 512  # numbers of a sum, and rows, that are split at once (simd/matrix_unit.py)


def numbers(start: int = 0) -> Callable[[], int]:
    """A function that gives start, start + 1 … with each call."""
    return count(start).__next__


# The header: addresses …
_place = numbers()
OPS = _place()
PARAMS = _place()
STATE_1 = _place()
STATE_2 = _place()
WORK = _place()
SCRATCH = _place()
INPUTS = _place()
STARTS = _place()
INDICES = _place()
VALUES = _place()
LABELS = _place()
TARGETS = _place()
ORDER = _place()
RATES = _place()
LOSSES = _place()
EXAMPLE_LOSSES = _place()
THREAD_NUMBERS = _place()  # a cache line of float64 for each thread
HYPER = _place()
UPDATES = _place()
LEARNING = _place()  # by the parameter's number: 1 if it learns
SYNC = _place()
GRADIENTS = _place()
OUTPUTS = _place()
MASKS = _place()
ORIGINALS = _place()
WEIGHTS = _place()
READABLE = _place()  # the Python function that runs layers without kernels (readable_layers.py)
# … sizes and choices
N_OPS = _place()
OP_SIZE = _place()
N_PARAMETERS = _place()
PARAMS_SIZE = _place()
N_ORDER = _place()
BATCH = _place()
THREADS = _place()
INPUT = _place()
INPUT_SIZE = _place()
LOSS = _place()
OPTIMIZER = _place()
OUT = _place()
OUT_STRIDE = _place()
LOGITS = _place()
DELTA = _place()
LANE_MASK = _place()
SCRATCH_SIZE = _place()
KEY = _place()
RULE = _place()
BEGINS = _place()  # whether an operation has a `begin` (operations.py)
STEPS_BIASES = _place()  # and a `step_biases`
UNKNOWN = _place()  # if it is not 0: the kind of code that a kernel does not know (ops/unknown.py)
UNKNOWN_CODE = _place()
HEADER_SIZE = _place()

# Columns that operations of every kind have; further ones are the kind's own (`own_columns`), in its file
_column = numbers()
KIND = _column()
N_IN = _column()
N_OUT = _column()
X_STRIDE = _column()
Y_STRIDE = _column()
X = _column()
Y = _column()
GX = _column()  # ∂L/∂x, -1 if it is not needed
GY = _column()
W = _column()
W_STRIDE = _column()
W_NUMBER = _column()  # the weights' place among the parameters, from 1; 0: no weights, -1: frozen
MASKED = _column()  # whether single weights are frozen or not connected
B = _column()
B_NUMBER = _column()  # of the biases; -1: none, or frozen
NEEDS_BACKWARD = _column()  # whether `backward` runs even where ∂L/∂x is not needed: `step` needs what it leaves
# The addresses of its kernels (operations.py), 0 where it has none; every kind has the first three
FORWARD_KERNEL = _column()
BACKWARD_KERNEL = _column()
STEP_KERNEL = _column()
BEGIN_KERNEL = _column()
STEP_BIASES_KERNEL = _column()
LIMIT_KERNEL = _column()
FINISH_KERNEL = _column()
ERROR_TO_DELTA_KERNEL = _column()
_FIRST_OWN = _column()


_columns = [_FIRST_OWN]  # of the kind that has most


def own_columns() -> Callable[[], int]:
    """Gives the numbers of the columns that only one kind of operation has."""
    number = numbers(_FIRST_OWN)

    def column() -> int:
        _columns[0] = max(_columns[0], 1 + (new := number()))
        return new

    return column


PHASES = {
    "forward": FORWARD_KERNEL,
    "backward": BACKWARD_KERNEL,
    "step": STEP_KERNEL,
    "begin": BEGIN_KERNEL,
    "step_biases": STEP_BIASES_KERNEL,
    "limit": LIMIT_KERNEL,
    "finish": FINISH_KERNEL,
    "error_to_delta": ERROR_TO_DELTA_KERNEL,
}


def columns() -> int:
    """How many columns a table of operations has. A column that no plan wrote is 0."""
    return _columns[0]


# Kinds of code that a kernel may not know, and their words in the message
UNKNOWN_WORDS = [""]


def _unknown(word: str) -> int:
    UNKNOWN_WORDS.append(word)
    return len(UNKNOWN_WORDS) - 1


AN_OPERATION = _unknown("operation")
A_CHOICE = _unknown("choice of a dense layer")
AN_ACTIVATION = _unknown("activation")
A_LOSS = _unknown("loss")
AN_OPTIMIZER = _unknown("optimizer")
A_RULE = _unknown("backward rule")
AN_INPUT = _unknown("kind of input")
A_READABLE_LAYER = _unknown("layer, whose readable code failed,")

_code = numbers()
SPARSE, FLOAT_ROWS, BYTE_ROWS = _code(), _code(), _code()  # where examples come from
UNSCALED_BYTE_ROWS = _code()  # the first layer scales its sums instead
_code = numbers()
BACKPROPAGATION, RASHID = _code(), _code()  # how errors go back

_code = numbers()
FORWARD, BACKWARD = _code(), _code()  # what the readable code of a layer is called for

GRADIENT_ROWS = 16  # rows of W whose gradient is held at once: 16 rows of 100 floats stay in the first-level cache

# The mask's numbers: what it says of one weight
NOT_CONNECTED, FROZEN, LEARNS = -1.0, 0.0, 1.0

# Hyper-parameters of optimizer, regularizers, loss and scaling, float64
_hyper = numbers()
MU = _hyper()
BETA_1 = _hyper()
BETA_2 = _hyper()
EPSILON = _hyper()
DECOUPLED = _hyper()
L1_SHARE = _hyper()
L2_SHARE = _hyper()
MAX_NORM = _hyper()
LOW = _hyper()
HIGH = _hyper()
FACTOR = _hyper()
OFFSET = _hyper()
HYPER_SIZE = _hyper()


class Share(NamedTuple):
    """One thread's share of a batch: what every kernel of an operation receives, with the operation's row."""

    header: Any
    work: Any
    params: Any
    scratch: Any  # this thread's own memory
    order: Any  # the numbers of the batch's examples
    examples: Any  # how many there are
    lo: Any  # this thread's examples: lo … hi
    hi: Any
    thread: Any
    step: Any  # batches before this one in the call; -1 for predictions
    rate: Any  # the learning rate
