"""How a plan and its kernels talk: the numbers' places in the job, the operations' columns, and the codes.

A job is one int64 vector: addresses of arrays, sizes and choices. The kernels receive its address and nothing else.
Each operation is one row of int64 and one row of float64 numbers; offsets count floats from the start of `WORK`
(what passes between layers: row n of a batch at offset + n · stride) or of `PARAMS` (weights; the optimizer's
state and gradients lie at the same offsets in vectors of their own).
"""

# The job: addresses …
(
    OPS,
    NUMBERS,
    PARAMS,
    STATE_1,
    STATE_2,
    WORK,
    SCRATCH,
    INPUTS,
    STARTS,
    INDICES,
    VALUES,
    LABELS,
    TARGETS,
    ORDER,
    RATES,
    LOSSES,
    EXAMPLE_LOSSES,
    PARTIAL,
    HYPER,
    UPDATES,
    SYNC,
    GRADIENTS,
    OUTPUTS,
    MASKS,
    ORIGINALS,
    WEIGHTS,
    # … and sizes and choices
    N_OPS,
    N_ORDER,
    BATCH,
    THREADS,
    INPUT,
    INPUT_SIZE,
    LOSS,
    OPTIMIZER,
    OUT,
    OUT_STRIDE,
    LOGITS,
    DELTA,
    LANE_MASK,
    SCRATCH_SIZE,
    KEY,
    RULE,
    UNKNOWN,
    UNKNOWN_CODE,
    JOB_SIZE,
) = range(45)

# UNKNOWN, if it is not 0: what a kernel met that it has no code for (ops/unknown.py); UNKNOWN_CODE is its number
AN_OPERATION, A_CHOICE, AN_ACTIVATION, A_LOSS, AN_OPTIMIZER, A_RULE, AN_INPUT = range(1, 8)

# Where examples come from
SPARSE, FLOAT_ROWS, BYTE_ROWS = range(3)

# One operation's columns
(
    KIND,
    N_IN,
    N_OUT,
    X_STRIDE,
    Y_STRIDE,
    X,
    Y,
    GX,
    GY,
    W,
    B,
    CODE,
    EXTRA,
    PARAMETER,
    HEIGHT,
    WIDTH,
    CHANNELS,
    KERNEL,
    KERNEL_WIDTH,
    POOL,
    OUT_HEIGHT,
    OUT_WIDTH,
    PADDING,
    FILTER_STRIDE,
    W2,
    WHERE,
    CHOICE,
    DOWN,
    ACROSS,
    DILATION_DOWN,
    DILATION_ACROSS,
    MASKED,
    MAY_SKIP,
    PARTS,
    OP_SIZE,
) = range(35)
NUMBER_SIZE = 4  # float64 numbers per operation

# Kinds of operation
SPARSE_DENSE, DENSE, ACTIVATION, DROPOUT, POOLED_CONV, FRAME, CONV, MAX_POOL, AVERAGE_POOL = range(9)

# CHOICE of a dense operation: all of its input, or only what is not zero (ops/skipping.py), if it MAY_SKIP
ALL_INPUTS, SKIP_ZEROS = range(2)

# Parts that a large dense layer's weights are shared out in; PARTS is where they leave their sums, 0 if it is not
SEGMENTS = 4
GRADIENT_ROWS = 16  # rows of W whose gradient is held at once: 16 rows of 100 floats stay in the first-level cache

# A chunk of pictures whose gradient is taken at a time: so many input numbers and so many listed ones stay near the
# first-level cache.
CHUNK_INPUTS, CHUNK_ITEMS = 6000, 8000

# The mask's numbers: what it says of one weight
NOT_CONNECTED, FROZEN, LEARNS = -1.0, 0.0, 1.0

# Activations
LINEAR, SIGMOID, TANH, RELU, LEAKY_RELU, ELU_, GELU_, SOFTPLUS, SILU, HARD_SIGMOID = range(10)

# How errors go back
BACKPROPAGATION, RASHID = range(2)

# Losses
QUADRATIC, CROSS_ENTROPY, LOG_LIKELIHOOD, MEAN_SQUARED_ERROR = range(4)

# Optimizers
PLAIN_SGD, MOMENTUM, NESTEROV, RMSPROP, ADAM = range(5)

# Hyper-parameters of optimizer, regularizers and loss, float64
(MU, BETA_1, BETA_2, EPSILON, DECOUPLED, L1_SHARE, L2_SHARE, MAX_NORM, LOW, HIGH, FACTOR, OFFSET, HYPER_SIZE) = range(
    13
)
