"""Calls of kernels that another process compiles."""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from functools import cache

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from digitlab.engine.fast.layout import Share
from digitlab.engine.fast.simd.vectors import FLOATS, INTS

_FIELDS = {"header": INTS, "order": INTS, "rate": types.float64} | dict.fromkeys(("work", "params", "scratch"), FLOATS)
SHARE = types.NamedTuple([_FIELDS.get(name, types.int64) for name in Share._fields], Share)
OPERATION = types.void(SHARE, INTS)  # the signature of an operation's kernels: a share, and the operation's row


@cache
def external(symbol):
    """A kernel (share, op) with this symbol; it fails to compile for other types of arguments."""

    @intrinsic
    def call(typingctx, share, op):
        if OPERATION.args != (share, op):
            raise TypeError(f"{symbol}: got {(share, op)}, expected {OPERATION.args}")

        def codegen(context, builder, sig, args):
            kind = context.call_conv.get_function_type(sig.return_type, sig.args)
            function = cgutils.get_or_insert_function(builder.module, kind, symbol)
            context.call_conv.call_function(builder, function, sig.return_type, sig.args, args)
            return context.get_dummy_value()

        return OPERATION, codegen

    return call
