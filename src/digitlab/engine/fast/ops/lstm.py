"""Long short-term memory. Twin: `LSTM` in nn/recurrent.py; the shared parts are in recurrent.py and sequence.py."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.ops import recurrent, sequence
from digitlab.engine.fast.ops.recurrent import GATES_STRIDE, GC, GH, STATE, UNITS_STRIDE
from digitlab.engine.fast.ops.sequence import cells_at, gates_at, own
from digitlab.engine.fast.simd import at, fma, load, sigmoid, splat, store, tanh
from digitlab.nn.recurrent import LSTM

LAYERS = (LSTM,)

plan, place, begin = recurrent.plan, recurrent.place, recurrent.begin
step, limit = recurrent.step, recurrent.limit


@kernel()
def _step(share, op, s):
    """c = f c + i g and h = o tanh c; the gates i f g o stay where their sums were."""
    sequence.summed_gates(share, op, s)
    wide, h = op[UNITS_STRIDE], own(share, op[STATE], op[UNITS_STRIDE])
    cells, before = cells_at(share, op, s), cells_at(share, op, max(s - 1, 0))
    for n in range(share.hi - share.lo):
        a, row = at(gates_at(share, op, s), n * op[GATES_STRIDE]), n * wide
        for u in range(0, wide, LANES):
            i, f = sigmoid(load(a, u)), sigmoid(load(a, wide + u))
            g, o = tanh(load(a, 2 * wide + u)), sigmoid(load(a, 3 * wide + u))
            c = fma(f, load(before, row + u) if s > 0 else splat(0.0), i * g)
            store(a, u, i)
            store(a, wide + u, f)
            store(a, 2 * wide + u, g)
            store(a, 3 * wide + u, o)
            store(cells, row + u, c)
            store(h, row + u, o * tanh(c))


@kernel()
def _step_back(share, op, s):
    """[δᵢ δ_f δ_g δₒ] in place of the gates, and ∂L/∂c of the step before."""
    wide, gh, gc = op[UNITS_STRIDE], own(share, op[GH], op[UNITS_STRIDE]), own(share, op[GC], op[UNITS_STRIDE])
    cells, before = cells_at(share, op, s), cells_at(share, op, max(s - 1, 0))
    for n in range(share.hi - share.lo):
        a, row = at(gates_at(share, op, s), n * op[GATES_STRIDE]), n * wide
        for u in range(0, wide, LANES):
            i, f, g, o = load(a, u), load(a, wide + u), load(a, 2 * wide + u), load(a, 3 * wide + u)
            tanh_c, grad_h = tanh(load(cells, row + u)), load(gh, row + u)
            c_before = load(before, row + u) if s > 0 else splat(0.0)
            shown = grad_h * o
            grad_c = load(gc, row + u) + shown * (1.0 - tanh_c * tanh_c)
            store(a, u, grad_c * g * i * (1.0 - i))
            store(a, wide + u, grad_c * c_before * f * (1.0 - f))
            store(a, 2 * wide + u, grad_c * i * (1.0 - g * g))
            store(a, 3 * wide + u, shown * tanh_c * (1.0 - o))
            store(gc, row + u, grad_c * f)
    if s > 0:
        sequence.back_through_u(share, op, s, 0)


forward, backward = sequence.forward_with(_step), sequence.backward_with(_step_back)
