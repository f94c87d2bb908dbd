"""A call of a Python function whose address is known."""

# mypy: ignore-errors
# (Numba's extension interface is untyped.)

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def call_python(typingctx, function, number, phase, examples):
    """function(number, phase, examples), three int64 numbers; returns a fourth. ctypes takes Python's lock for it."""

    def codegen(context, builder, sig, args):
        number = ir.IntType(64)
        kind = ir.FunctionType(number, [number] * 3).as_pointer()
        return builder.call(builder.inttoptr(args[0], kind), args[1:])

    return types.int64(types.int64, types.int64, types.int64, types.int64), codegen
