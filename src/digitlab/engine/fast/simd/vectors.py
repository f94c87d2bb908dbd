"""Eight floats at once: the vector type that the kernels of this folder are written in, and its arithmetic.

Numba compiles loops over scalars and hopes that LLVM sees the vectors in them; here they are said openly.
A kernel holds an `F8` (eight float32) in a local variable as it would a float: `acc = fma(x, w, acc)`, `a * b + c`.

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

from digitlab.engine.fast.layout import LANES

_F, _I = ir.FloatType(), ir.IntType(32)
_VF, _VI = ir.VectorType(_F, LANES), ir.VectorType(_I, LANES)


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
