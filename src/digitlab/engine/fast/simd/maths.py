"""eˣ, tanh, σ and ln(1 + eˣ) of vectors, and a generator of random numbers.

Twins: np.exp, np.tanh, and `sigmoid` and `softplus` of nn/. Within 3 units in the last place of float32; NaN stays NaN.
The formulas of activations are compiled with this module as their `m` (ops/activation.py).
"""

# mypy: ignore-errors
# (Numba infers the types of kernels, and its extension interface is untyped.)

import math

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.simd.vectors import (
    F8,
    absolute,
    fma,
    lane,
    maximum,
    minimum,
    nearest,
    splat,
    times_power_of_2,
    where,
    with_lane,
)


@kernel()
def exp(x):
    """eˣ = 2ⁿ eʳ with n = round(x / ln 2) and |r| ≤ ½ ln 2, where six terms of Taylor's series are enough.

    x is held to [−87, 88], so that 2ⁿ stays a normal float32.
    """
    x = maximum(minimum(x, 88.0), -87.0)
    n = nearest(x * 1.4426950408889634)
    # ln 2 in two parts: the first has few digits, so that n · .693359375 is exact (Cody & Waite).
    r = fma(n, 2.12194440e-4, fma(n, -0.693359375, x))
    p = splat(1.9875691500e-4)  # the coefficients are Cephes' (expf.c), near 1/7!, 1/6! ... 1/2!
    p = fma(p, r, 1.3981999507e-3)
    p = fma(p, r, 8.3334519073e-3)
    p = fma(p, r, 4.1665795894e-2)
    p = fma(p, r, 1.6666665459e-1)
    p = fma(p, r, 5.0000001201e-1)
    p = fma(p, r * r, r + 1.0)
    return times_power_of_2(p, n)


@kernel()
def sigmoid(x):
    """σ(x) = 1 / (1 + e⁻ˣ)."""
    return 1.0 / (1.0 + exp(0.0 - x))


@kernel()
def tanh(x):
    """tanh x = (1 − e⁻²ˣ) / (1 + e⁻²ˣ), and for |x| < .625 an odd polynomial, where that would cancel."""
    size = absolute(x)
    e = exp(-2.0 * size)
    far = (1.0 - e) / (1.0 + e)
    far = where(x > 0.0, far, 0.0 - far)
    s = x * x
    p = splat(-5.70498872745e-3)  # Cephes, tanhf.c
    p = fma(p, s, 2.06390887954e-2)
    p = fma(p, s, -5.37397155531e-2)
    p = fma(p, s, 1.33314422036e-1)
    p = fma(p, s, -3.33332819422e-1)
    return where(size > 0.625, far, fma(p * s, x, x))


@kernel()
def softplus(x):
    """ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), lane by lane: the C library's functions."""
    y = maximum(x, 0.0)
    for k in range(LANES):
        y = with_lane(y, k, lane(y, k) + math.log1p(math.exp(-abs(lane(x, k)))))
    return y


@intrinsic
def uniform(typingctx, key, counter):
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
