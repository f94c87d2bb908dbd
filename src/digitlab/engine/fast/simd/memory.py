"""Raw memory: vectors and numbers that lie there, and pointers to them.

Memory is a pointer and an index, `p[i]`, `load(p, i)`, `store(p, i, v)`, with no bounds checks, no reference counts
and no copies; planner.py lays the memory out, with every row padded to a multiple of `LANES`.
"""

# mypy: ignore-errors
# (Numba's extension interface is untyped, and this file describes machine code.)

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.simd.vectors import F8, constant, splat

_I = ir.IntType(32)
_VI = ir.VectorType(_I, LANES)

FLOATS = types.CPointer(types.float32)
BYTES = types.CPointer(types.uint8)
SHORTS = types.CPointer(types.uint16)
INTS = types.CPointer(types.int64)
WORDS = types.CPointer(types.int32)
DOUBLES = types.CPointer(types.float64)


def address(builder, pointer, index):
    """LLVM: pointer + index, in elements."""
    return builder.gep(pointer, [index])


def load_value(builder, pointer, lanes=LANES):
    """LLVM: the floats from here on, eight unless said otherwise; they need not be aligned."""
    vector = builder.load(builder.bitcast(pointer, ir.VectorType(ir.FloatType(), lanes).as_pointer()))
    vector.align = 4
    return vector


def store_value(builder, pointer, vector):
    """LLVM: the floats of a vector to memory."""
    builder.store(vector, builder.bitcast(pointer, vector.type.as_pointer())).align = 4


def prefetch_value(builder, place):
    """LLVM: fetch the cache line of an address into the second-level cache, without waiting; any address will do."""
    kinds, numbers = [place.type, *[_I] * 3], [ir.Constant(_I, n) for n in (0, 2, 1)]  # to read, level, data
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), kinds), "llvm.prefetch.p0")
    builder.call(function, [place, *numbers])


@intrinsic
def load(typingctx, p, i):
    """The eight floats p[i] … p[i + 7]."""
    return F8(FLOATS, types.int64), lambda context, builder, sig, args: load_value(builder, address(builder, *args))


@intrinsic
def store(typingctx, p, i, v):
    """p[i] … p[i + 7] = v."""

    def codegen(context, builder, sig, args):
        store_value(builder, address(builder, args[0], args[1]), args[2])
        return context.get_dummy_value()

    return types.void(FLOATS, types.int64, F8), codegen


def _first(builder, count):
    """LLVM: which lanes are among the first `count`."""
    lanes = ir.Constant(ir.VectorType(ir.IntType(64), LANES), list(range(LANES)))
    one = builder.insert_element(ir.Constant(lanes.type, ir.Undefined), count, ir.Constant(_I, 0))
    counts = builder.shuffle_vector(one, ir.Constant(lanes.type, ir.Undefined), ir.Constant(_VI, [0] * LANES))
    return builder.icmp_signed("<", lanes, counts)


@intrinsic
def first_lanes(typingctx, v, count):
    """The vector with 0 behind its first `count` lanes."""

    def codegen(context, builder, sig, args):
        return builder.select(_first(builder, args[1]), args[0], constant(0.0))

    return F8(F8, types.int64), codegen


@intrinsic
def store_some(typingctx, p, i, v, count):
    """p[i] … p[i + count − 1] = the first lanes of v, all of them if count is LANES or more; no memory behind them."""

    def codegen(context, builder, sig, args):
        pointer, index, vector, count = args
        mask, place = _first(builder, count), address(builder, pointer, index)
        kinds = [vector.type, place.type, _I, mask.type]
        kind = ir.FunctionType(ir.VoidType(), kinds)
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.masked.store.v8f32.p0")
        builder.call(function, [vector, place, ir.Constant(_I, 4), mask])
        return context.get_dummy_value()

    return types.void(FLOATS, types.int64, F8, types.int64), codegen


@intrinsic
def words(typingctx, p):
    """The same memory, read as int32 numbers."""
    return WORDS(FLOATS), lambda context, builder, sig, args: builder.bitcast(args[0], context.get_value_type(WORDS))


@intrinsic
def shorts_of(typingctx, p):
    """The same memory, read as uint16 numbers."""
    return SHORTS(FLOATS), lambda context, builder, sig, args: builder.bitcast(args[0], context.get_value_type(SHORTS))


@intrinsic
def store_whole(typingctx, p, i, v):
    """p[i] … p[i + 7] = v, whole numbers held as floats, stored as int32."""

    def codegen(context, builder, sig, args):
        place = builder.bitcast(address(builder, args[0], args[1]), _VI.as_pointer())
        builder.store(builder.fptosi(args[2], _VI), place).align = 4
        return context.get_dummy_value()

    return types.void(WORDS, types.int64, F8), codegen


@intrinsic
def word(typingctx, p, i):
    """The eight bytes p[i] … p[i + 7] as one number, which is 0 if they all are."""

    def codegen(context, builder, sig, args):
        place = builder.bitcast(address(builder, *args), ir.IntType(64).as_pointer())
        number = builder.load(place)
        number.align = 1
        return number

    return types.int64(BYTES, types.int64), codegen


@intrinsic
def real(typingctx, p, i):
    """p[i], read as a float64 number."""

    def codegen(context, builder, sig, args):
        kind = context.get_value_type(types.float64).as_pointer()
        return builder.load(builder.bitcast(address(builder, *args), kind))

    return types.float64(INTS, types.int64), codegen


@intrinsic
def at(typingctx, p, i):
    """The pointer i elements on."""
    return p(p, types.int64), lambda context, builder, sig, args: address(builder, *args)


def _pointer(kind, what):
    @intrinsic
    def pointer(typingctx, number):
        def codegen(context, builder, sig, args):
            return builder.inttoptr(args[0], context.get_value_type(kind))

        return kind(types.int64), codegen

    pointer.__doc__ = f"The {what} at this address."
    return pointer


floats = _pointer(FLOATS, "float32 numbers")
bytes_ = _pointer(BYTES, "bytes")
shorts = _pointer(SHORTS, "uint16 numbers")
ints = _pointer(INTS, "int64 numbers")
doubles = _pointer(DOUBLES, "float64 numbers")


@kernel()
def put(p, i, v, count):
    """p[i] … = the first `count` lanes of v, LANES at most."""
    if count >= LANES:
        store(p, i, v)
    else:
        store_some(p, i, v, count)


@kernel()
def clear(x, count):
    """x = 0, `count` numbers."""
    for i in range(0, count, LANES):
        store(x, i, splat(0.0))


@kernel()
def copy(y, x, count):
    """y = x, `count` numbers, a multiple of LANES."""
    for i in range(0, count, LANES):
        store(y, i, load(x, i))


@kernel()
def padded(n):
    """n, rounded up to whole vectors."""
    return (n + LANES - 1) // LANES * LANES
