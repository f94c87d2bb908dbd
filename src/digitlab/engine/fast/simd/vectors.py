"""Eight floats at once: the vector type, and raw memory, that the kernels of this folder are written in.

Numba compiles loops over scalars and relies on LLVM to find the vectors in them; here they are explicit.
A kernel holds an `F8` (eight float32) in a local variable as it would a float: `acc = fma(x, w, acc)`, `a * b + c`.
Memory is a pointer and an index, `p[i]`, `load(p, i)`, `store(p, i, v)`, with no bounds checks, no reference counts
and no copies; planner.py lays the memory out, with every row padded to a multiple of `LANES`.

Why eight: AVX2, which every desktop since 2013 has, holds 8 floats in a register; on Zen 4 a 16-float register
does the same work in two halves, and 20 filters waste 4 lanes of 24 instead of 12 of 32.
"""

# mypy: ignore-errors
# (Numba's extension interface is untyped, and this file describes machine code.)

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES

_F, _I = ir.FloatType(), ir.IntType(32)
_VF, _VI = ir.VectorType(_F, LANES), ir.VectorType(_I, LANES)

FLOATS = types.CPointer(types.float32)
BYTES = types.CPointer(types.uint8)
SHORTS = types.CPointer(types.uint16)
INTS = types.CPointer(types.int64)
WORDS = types.CPointer(types.int32)
DOUBLES = types.CPointer(types.float64)


class VectorType(types.Type):
    """A Numba type of eight lanes: of float32, or of truth values."""


F8, B8 = VectorType("F8"), VectorType("B8")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _VF if fe_type == F8 else ir.VectorType(ir.IntType(1), LANES))


def vector(context, builder, kind, value):
    """LLVM: a vector as it is, and a number as eight copies of it."""
    return value if kind == F8 else splat_value(builder, context.cast(builder, value, kind, types.float32))


# Arithmetic and comparisons: the operators, lane by lane; one side may be a number


def _operator(op, result, emit):
    kinds = [(F8, F8), *((F8, t) for t in _NUMBERS), *((t, F8) for t in _NUMBERS)]

    @infer_global(op)
    class _(ConcreteTemplate):
        cases = tuple(signature(result, *pair) for pair in kinds)

    def lower(context, builder, sig, args):
        return emit(builder, *(vector(context, builder, *pair) for pair in zip(sig.args, args)))

    for pair in kinds:
        lower_builtin(op, *pair)(lower)


_NUMBERS = (types.float64, types.float32, types.int64)
_operator(operator.add, F8, lambda builder, a, b: builder.fadd(a, b))
_operator(operator.sub, F8, lambda builder, a, b: builder.fsub(a, b))
_operator(operator.mul, F8, lambda builder, a, b: builder.fmul(a, b))
_operator(operator.truediv, F8, lambda builder, a, b: builder.fdiv(a, b))
_operator(operator.gt, B8, lambda builder, a, b: builder.fcmp_ordered(">", a, b))
_operator(operator.lt, B8, lambda builder, a, b: builder.fcmp_ordered("<", a, b))
_operator(operator.eq, B8, lambda builder, a, b: builder.fcmp_ordered("==", a, b))


def _call(builder, name, args, result=_VF):
    kinds = [a.type for a in args]
    return builder.call(cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, kinds), name), args)


def constant(value, lanes=LANES):
    """An LLVM constant of equal floats, eight unless said otherwise."""
    return ir.Constant(ir.VectorType(_F, lanes), [ir.Constant(_F, value)] * lanes)


def splat_value(builder, x, lanes=LANES):
    """LLVM: copies of one float, eight unless said otherwise."""
    undefined = ir.Constant(ir.VectorType(_F, lanes), ir.Undefined)
    one = builder.insert_element(undefined, x, ir.Constant(_I, 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_I, lanes), [0] * lanes))


def fma_value(builder, a, b, c):
    """LLVM: a b + c, fused where the machine can."""
    return _call(builder, f"llvm.fmuladd.v{a.type.count}f32", [a, b, c], a.type)


def prefetch_value(builder, place):
    """LLVM: fetch the cache line of an address into the second-level cache, without waiting; any address will do."""
    kinds, numbers = [place.type, *[_I] * 3], [ir.Constant(_I, n) for n in (0, 2, 1)]  # to read, level, data
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), kinds), "llvm.prefetch.p0")
    builder.call(function, [place, *numbers])


@intrinsic
def splat(typingctx, x):
    """Eight copies of a number."""
    return F8(x), lambda context, builder, sig, args: vector(context, builder, sig.args[0], args[0])


@intrinsic
def fma(typingctx, a, b, c):
    """a b + c with one rounding where the machine has it; each may be a number."""

    def codegen(context, builder, sig, args):
        return fma_value(builder, *(vector(context, builder, *pair) for pair in zip(sig.args, args)))

    return F8(a, b, c), codegen


@intrinsic
def sqrt(typingctx, a):
    """√a, lane by lane."""
    return F8(F8), lambda context, builder, sig, args: _call(builder, "llvm.sqrt.v8f32", list(args))


@intrinsic
def absolute(typingctx, a):
    """|a|, lane by lane."""
    return F8(F8), lambda context, builder, sig, args: _call(builder, "llvm.fabs.v8f32", list(args))


@intrinsic
def where(typingctx, condition, if_true, otherwise):
    """`if_true` in the lanes where the condition holds, else `otherwise`; both may be numbers."""

    def codegen(context, builder, sig, args):
        return builder.select(args[0], *(vector(context, builder, *pair) for pair in list(zip(sig.args, args))[1:]))

    return F8(B8, if_true, otherwise), codegen


def _bounded(op):
    @intrinsic
    def bounded(typingctx, a, bound):
        def codegen(context, builder, sig, args):
            limit = vector(context, builder, sig.args[1], args[1])
            return builder.select(builder.fcmp_ordered(op, args[0], limit), limit, args[0])

        return F8(F8, bound), codegen

    return bounded


minimum, maximum = _bounded(">"), _bounded("<")  # of a vector and a bound, lane by lane; a NaN stays one


@intrinsic
def times_power_of_2(typingctx, a, n):
    """a 2ⁿ for whole numbers n from −126 to 127, held as floats: n goes straight into the exponent's bits."""

    def codegen(context, builder, sig, args):
        exponent = builder.add(builder.fptosi(args[1], _VI), ir.Constant(_VI, [127] * LANES))
        power = builder.bitcast(builder.shl(exponent, ir.Constant(_VI, [23] * LANES)), _VF)
        return builder.fmul(args[0], power)

    return F8(F8, F8), codegen


@intrinsic
def nearest(typingctx, a):
    """The nearest whole numbers."""
    return F8(F8), lambda context, builder, sig, args: _call(builder, "llvm.nearbyint.v8f32", list(args))


def total_value(builder, v):
    """LLVM: the sum of the eight lanes, by halves."""
    undefined = ir.Constant(_VF, ir.Undefined)
    for half in (4, 2, 1):
        lanes = [(i + half) % LANES for i in range(LANES)]
        v = builder.fadd(v, builder.shuffle_vector(v, undefined, ir.Constant(_VI, lanes)))
    return builder.extract_element(v, ir.Constant(_I, 0))


def totals_value(builder, four):
    """LLVM: the sums of the eight lanes of four vectors, as one vector of four: half the work of one by one."""

    def shuffled(a, b, lanes):
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I, len(lanes)), lanes))

    def woven(a, b, first, second):
        return builder.fadd(shuffled(a, b, first), shuffled(a, b, second))

    a, b, c, d = four
    low, high = [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15]
    ab, cd = woven(a, b, low, high), woven(c, d, low, high)  # a b a b | a b a b, and of c and d
    v = woven(ab, cd, [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])  # a b c d | a b c d
    return woven(v, v, [0, 1, 2, 3], [4, 5, 6, 7])


@intrinsic
def total(typingctx, v):
    """The sum of the eight lanes."""
    return types.float32(F8), lambda context, builder, sig, args: total_value(builder, args[0])


@intrinsic
def lane(typingctx, v, i):
    """One of the eight floats."""
    return types.float32(F8, types.int64), lambda context, builder, sig, args: builder.extract_element(*args)


@intrinsic
def with_lane(typingctx, v, i, x):
    """The vector with another float in lane i."""

    def codegen(context, builder, sig, args):
        return builder.insert_element(args[0], args[2], args[1])

    return F8(F8, types.int64, types.float32), codegen


# Memory


def address(builder, pointer, index):
    """LLVM: pointer + index, in elements."""
    return builder.gep(pointer, [index])


def load_value(builder, pointer, lanes=LANES):
    """LLVM: the floats from here on, eight unless said otherwise; they need not be aligned."""
    vector = builder.load(builder.bitcast(pointer, ir.VectorType(_F, lanes).as_pointer()))
    vector.align = 4
    return vector


def store_value(builder, pointer, vector):
    """LLVM: the floats of a vector to memory."""
    builder.store(vector, builder.bitcast(pointer, vector.type.as_pointer())).align = 4


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
