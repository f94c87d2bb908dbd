"""Where threads wait for each other: a barrier of two numbers in shared memory."""

# mypy: ignore-errors
# (Numba's extension interface is untyped.)

import sys

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.simd.vectors import INTS, at

PATIENCE = 2000  # turns, a few microseconds


@intrinsic
def fetch_add(typingctx, p, n):
    """p[0] += n, atomically; returns the value before."""

    def codegen(context, builder, sig, args):
        return builder.atomic_rmw("add", args[0], args[1], "seq_cst")

    return types.int64(INTS, types.int64), codegen


@intrinsic
def read_now(typingctx, p):
    """p[0] as it is now in memory, whichever thread wrote it."""

    def codegen(context, builder, sig, args):
        return builder.load_atomic(args[0], "seq_cst", 8)

    return types.int64(INTS), codegen


@intrinsic
def give_way(typingctx):
    """Yield the core to another thread, if one waits for it."""

    def codegen(context, builder, sig, args):
        name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), codegen


@kernel()
def barrier(sync, threads):
    """Returns when all threads have arrived, or when one cannot arrive: sync[1] is then not 0.

    sync[0] counts all arrivals of a training, so that it needs no reset.

    It spins: a step takes microseconds, and putting a thread to sleep and waking it takes longer than that.
    But a core may be busy with other programs, and then spinning would only keep the thread waited for from running.
    """
    if threads > 1:
        ticket = fetch_add(sync, 1)
        goal = (ticket // threads + 1) * threads
        turns = 0
        while read_now(sync) < goal and read_now(at(sync, 1)) == 0:
            turns += 1
            if turns > PATIENCE:
                give_way()
