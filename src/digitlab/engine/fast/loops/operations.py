"""A thread's share of a batch on its way through all operations: inputs, forward, backward, and the step.

Twins: `Network.forward`, `Network.backward` and `Network.prepare` in nn/network.py, `ReferenceEngine.update` in
engine/reference.py.
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.dispatch import unknown
from digitlab.engine.fast.ops.loss import errors_to_deltas
from digitlab.engine.fast.ops.masks import restore_frozen
from digitlab.engine.fast.simd import at, barrier, bytes_, call_kernel, doubles, floats, ints


@kernel()
def operation(header, k):
    """The row of operation k."""
    return at(ints(header[OPS]), k * header[OP_SIZE])


@kernel()
def run(share, op, phase):
    """The operation's kernel for a phase, the number of its column."""
    if op[phase] != 0:
        call_kernel(op[phase], share, op)
    elif phase <= STEP_KERNEL:
        unknown(share.header, AN_OPERATION, op[KIND])


@kernel()
def fetch_rows(share):
    """Dense input: a thread's examples as rows of floats. Twin: `Network.prepare`."""
    header, op, hyper = share.header, operation(share.header, 0), doubles(share.header[HYPER])
    n_in, factor, offset = header[INPUT_SIZE], hyper[FACTOR], hyper[OFFSET]
    for n in range(share.lo, share.hi):
        row = at(share.work, op[X] + n * op[X_STRIDE])
        if header[INPUT] == FLOAT_ROWS:
            source = at(floats(header[INPUTS]), share.order[n] * n_in)
            for i in range(n_in):
                row[i] = source[i]
        elif header[INPUT] == BYTE_ROWS:
            pixels = at(bytes_(header[INPUTS]), share.order[n] * n_in)
            for i in range(n_in):
                row[i] = pixels[i] * factor + offset
        elif header[INPUT] == UNSCALED_BYTE_ROWS:
            pixels = at(bytes_(header[INPUTS]), share.order[n] * n_in)
            for i in range(n_in):
                row[i] = pixels[i]
        else:
            unknown(header, AN_INPUT, header[INPUT])


@kernel()
def begin(share):
    """What depends on the weights alone."""
    for k in range(share.header[N_OPS]):
        op = operation(share.header, k)
        run(share, op, BEGIN_KERNEL)


@kernel()
def forward(share):
    """Logits of a thread's examples, operation after operation."""
    for k in range(share.header[N_OPS]):
        op = operation(share.header, k)
        run(share, op, FORWARD_KERNEL)


@kernel()
def backward(share):
    """∂L/∂x of every operation but the first with parameters, from δ of a thread's examples."""
    for k in range(share.header[N_OPS] - 1, -1, -1):
        op = operation(share.header, k)
        if op[GX] >= 0 or op[NEEDS_BACKWARD]:  # else nothing before it learns
            run(share, op, BACKWARD_KERNEL)


@kernel()
def errors_to_deltas_everywhere(share):
    """Rashid's rule: after the errors e have gone back through the weights, each layer's δ = e σ'(z), in place."""
    for k in range(share.header[N_OPS]):
        op = operation(share.header, k)
        run(share, op, ERROR_TO_DELTA_KERNEL)
    errors_to_deltas(share)


@kernel()
def step(share):
    """Update this thread's share of every parameter along the whole batch's gradient."""
    header, threads = share.header, share.header[THREADS]
    for k in range(header[N_OPS]):
        op = operation(header, k)
        if op[W_NUMBER] != 0:
            run(share, op, STEP_KERNEL)
    if header[STEPS_BIASES]:
        barrier(ints(header[SYNC]), threads)  # the biases' gradients are complete
        for k in range(header[N_OPS]):
            op = operation(header, k)
            run(share, op, STEP_BIASES_KERNEL)
    if doubles(header[HYPER])[MAX_NORM] > 0.0:
        barrier(ints(header[SYNC]), threads)
        for k in range(header[N_OPS]):
            op = operation(header, k)
            run(share, op, LIMIT_KERNEL)
    if header[MASKS] != 0:
        barrier(ints(header[SYNC]), threads)
        restore_frozen(share)


@kernel()
def finish(share):
    """The end of a call."""
    for k in range(share.header[N_OPS]):
        op = operation(share.header, k)
        run(share, op, FINISH_KERNEL)


@kernel()
def count_updates(header):
    """Count the step of every parameter that learns; the first step is number 1."""
    updates, learning = ints(header[UPDATES]), ints(header[LEARNING])
    for number in range(1, header[N_PARAMETERS] + 1):
        updates[number] += learning[number]
