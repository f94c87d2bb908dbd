"""eˣ, tanh and σ for eight floats, and a generator of random numbers.

Twins: np.exp, np.tanh and `sigmoid` of nn/network.py. Within 3 units in the last place of float32; NaN stays NaN.
"""

# mypy: ignore-errors

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.simd.vectors import (
    F8,
    LANES,
    absolute,
    at_least,
    at_most,
    fma,
    nearest,
    splat,
    times_power_of_2,
    where_positive,
)


@kernel()
def exp8(x):
    """eˣ = 2ⁿ eʳ with n = round(x / ln 2) and |r| ≤ ½ ln 2, where six terms of Taylor's series are enough.

    x is held to [−87, 88], so that 2ⁿ stays a normal float32.
    """
    x = at_least(at_most(x, splat(88.0)), splat(-87.0))
    n = nearest(x * splat(1.4426950408889634))
    # ln 2 in two parts: the first has few digits, so that n · .693359375 is exact (Cody & Waite).
    r = fma(n, splat(2.12194440e-4), fma(n, splat(-0.693359375), x))
    p = splat(1.9875691500e-4)  # the coefficients are Cephes' (expf.c), near 1/7!, 1/6! ... 1/2!
    p = fma(p, r, splat(1.3981999507e-3))
    p = fma(p, r, splat(8.3334519073e-3))
    p = fma(p, r, splat(4.1665795894e-2))
    p = fma(p, r, splat(1.6666665459e-1))
    p = fma(p, r, splat(5.0000001201e-1))
    p = fma(p, r * r, r + splat(1.0))
    return times_power_of_2(p, n)


@kernel()
def sigmoid8(x):
    """σ(x) = 1 / (1 + e⁻ˣ)."""
    one = splat(1.0)
    return one / (one + exp8(splat(0.0) - x))


@kernel()
def tanh8(x):
    """tanh x = (1 − e⁻²ˣ) / (1 + e⁻²ˣ), and for |x| < .625 an odd polynomial, where that would cancel."""
    one, size = splat(1.0), absolute(x)
    e = exp8(splat(-2.0) * size)
    far = (one - e) / (one + e)
    far = where_positive(x, far, splat(0.0) - far)
    s = x * x
    p = splat(-5.70498872745e-3)  # Cephes, tanhf.c
    p = fma(p, s, splat(2.06390887954e-2))
    p = fma(p, s, splat(-5.37397155531e-2))
    p = fma(p, s, splat(1.33314422036e-1))
    p = fma(p, s, splat(-3.33332819422e-1))
    return where_positive(size - splat(0.625), far, fma(p * s, x, x))


@intrinsic
def uniform8(typingctx, key, counter):
    """Eight random floats in [0, 1), determined by a 64-bit key and the numbers counter … counter + 7 alone.

    Twice the 32-bit mixer "lowbias32" (Wellons 2018, "Prospecting for hash functions"), once with each half of the
    key: no state, so the number at a place does not depend on the order or the thread it is drawn in.
    """

    def codegen(context, builder, sig, args):
        i32 = ir.IntType(32)
        vector = ir.VectorType(i32, LANES)

        def splat32(value):
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(i32, 0))
            return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), ir.Constant(vector, [0] * LANES))

        def all_equal(number):
            return ir.Constant(vector, [number] * LANES)

        low = builder.trunc(args[0], i32)
        high = builder.trunc(builder.lshr(args[0], ir.Constant(ir.IntType(64), 32)), i32)
        x = builder.add(splat32(builder.trunc(args[1], i32)), ir.Constant(vector, list(range(LANES))))
        for half in (low, high):
            x = builder.xor(x, splat32(half))
            for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
                x = builder.xor(x, builder.lshr(x, all_equal(shift)))
                x = builder.mul(x, all_equal(factor))
            x = builder.xor(x, builder.lshr(x, all_equal(16)))
        fraction = builder.uitofp(builder.lshr(x, all_equal(8)), ir.VectorType(ir.FloatType(), LANES))
        scale = ir.Constant(ir.VectorType(ir.FloatType(), LANES), [ir.Constant(ir.FloatType(), 2.0**-24)] * LANES)
        return builder.fmul(fraction, scale)

    return F8(types.int64, types.int64), codegen
