"""Calls of kernels by addresses that are known when the training starts: each operation is compiled by itself."""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from numba import types
from numba.extending import intrinsic

from digitlab.engine.fast.layout import Share
from digitlab.engine.fast.simd.vectors import FLOATS, INTS

_FIELDS = {"header": INTS, "order": INTS, "rate": types.float64} | dict.fromkeys(("work", "params", "scratch"), FLOATS)
SHARE = types.NamedTuple([_FIELDS.get(name, types.int64) for name in Share._fields], Share)
OPERATION = types.void(SHARE, INTS)  # the signature of an operation's kernels: a share, and the operation's row


@intrinsic
def call_kernel(typingctx, address, share, op):
    """The kernel (share, op) at this address; it fails to compile for other types of arguments."""
    if OPERATION.args != (share, op):
        raise TypeError(f"got {(share, op)}, expected {OPERATION.args}")

    def codegen(context, builder, sig, args):
        kind = context.call_conv.get_function_type(OPERATION.return_type, OPERATION.args).as_pointer()
        function = builder.inttoptr(args[0], kind)
        context.call_conv.call_function(builder, function, OPERATION.return_type, OPERATION.args, args[1:])
        return context.get_dummy_value()

    return types.void(types.int64, share, op), codegen
