"""How threads divide the rows of a matrix, or other things that can be counted."""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import THREADS


@kernel()
def part_of(share, count):
    """This thread's part of `count` things: from first to last."""
    thread, threads = share.thread, share.header[THREADS]
    return count * thread // threads, count * (thread + 1) // threads
