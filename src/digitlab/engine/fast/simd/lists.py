"""Lists of the numbers that are not zero, sixteen at a time, for processors with AVX-512.

Both kernels read numbers g and words w, each 16 times a place plus a code below 16, as pooled_conv.py keeps them.
"""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from digitlab.engine.fast.simd.vectors import FLOATS, WORDS, load_value, store_value

SIXTEEN = 16
_INT, _WORD = ir.IntType(64), ir.IntType(32)
_FLOATS, _WORDS = ir.VectorType(ir.FloatType(), SIXTEEN), ir.VectorType(_WORD, SIXTEEN)
_NUMBERS = ir.Constant(_WORDS, list(range(SIXTEEN)))


def _call(builder, name, result, *args):
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _all(builder, number):
    """LLVM: sixteen copies of a whole number, as words."""
    number = builder.trunc(number, _WORD) if number.type == _INT else number
    one = builder.insert_element(ir.Constant(_WORDS, ir.Undefined), number, ir.Constant(_WORD, 0))
    return builder.shuffle_vector(one, ir.Constant(_WORDS, ir.Undefined), ir.Constant(_WORDS, [0] * SIXTEEN))


def _keep(builder, mask, value, offset, values, offsets):
    """LLVM: the lanes of the mask, side by side, to both lists, which have room for sixteen; how many they are."""
    nothing = ir.Constant(_FLOATS, ir.Undefined)
    for vector, place in ((value, values), (builder.bitcast(offset, _FLOATS), offsets)):
        kept = _call(builder, "llvm.x86.avx512.mask.compress.v16f32", _FLOATS, vector, nothing, mask)
        store_value(builder, builder.bitcast(place, ir.FloatType().as_pointer()), kept)
    bits = builder.bitcast(mask, ir.IntType(SIXTEEN))
    return builder.zext(_call(builder, "llvm.ctpop.i16", bits.type, bits), _INT)


def _not_zero(builder, g):
    return builder.fcmp_unordered("!=", g, ir.Constant(_FLOATS, [ir.Constant(ir.FloatType(), 0.0)] * SIXTEEN))


@intrinsic
def list_code(typingctx, values, offsets, g, w, left, code, first, step):
    """List g[k] and first + k step of the g[k], k < left, that are not zero and have this code. Returns how many."""
    sig = types.int64(FLOATS, WORDS, FLOATS, WORDS, *[types.int64] * 4)

    def codegen(context, builder, sig, args):
        values, offsets, g, w, left, code, first, step = args
        inside = builder.icmp_signed("<", _NUMBERS, _all(builder, left))
        number = load_value(builder, g, SIXTEEN)
        word = builder.bitcast(load_value(builder, builder.bitcast(w, g.type), SIXTEEN), _WORDS)
        same = builder.icmp_signed("==", builder.and_(word, ir.Constant(_WORDS, [15] * SIXTEEN)), _all(builder, code))
        mask = builder.and_(builder.and_(inside, same), _not_zero(builder, number))
        offset = builder.add(_all(builder, first), builder.mul(_NUMBERS, _all(builder, step)))
        return _keep(builder, mask, number, offset, values, offsets)

    return sig, codegen


@intrinsic
def list_places(typingctx, values, offsets, g, w, pace, left, first):
    """List g[k pace] and first + its place, k < left, where g[k pace] is not zero. Returns how many."""
    sig = types.int64(FLOATS, WORDS, FLOATS, WORDS, *[types.int64] * 3)

    def codegen(context, builder, sig, args):
        values, offsets, g, w, pace, left, first = args
        inside = builder.icmp_signed("<", _NUMBERS, _all(builder, left))
        where = builder.mul(_NUMBERS, _all(builder, pace))
        size = ir.Constant(_WORD, 4)  # bytes of a number

        def gather(name, kind, start):
            zeros = ir.Constant(kind, None)
            return _call(builder, f"llvm.x86.avx512.mask.gather.{name}.512", kind, zeros, start, where, inside, size)

        number, word = gather("dps", _FLOATS, g), gather("dpi", _WORDS, w)
        offset = builder.add(_all(builder, first), builder.ashr(word, ir.Constant(_WORDS, [4] * SIXTEEN)))
        return _keep(builder, _not_zero(builder, number), number, offset, values, offsets)

    return sig, codegen
