"""The plain recurrent layer. Twin: `SimpleRNN` in nn/recurrent.py; the shared parts: recurrent.py, sequence.py."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.ops import recurrent, sequence
from digitlab.engine.fast.ops.recurrent import GATES_STRIDE, GH, STATE, UNITS_STRIDE
from digitlab.engine.fast.ops.sequence import gates_at, own
from digitlab.engine.fast.simd import at, load, store, tanh
from digitlab.nn.recurrent import SimpleRNN

LAYERS = (SimpleRNN,)

plan, place, begin = recurrent.plan, recurrent.place, recurrent.begin
step, limit = recurrent.step, recurrent.limit


@kernel()
def _step(share, op, s):
    """h = tanh a, which stays with the gates, too."""
    sequence.summed_gates(share, op, s)
    wide, h = op[UNITS_STRIDE], own(share, op[STATE], op[UNITS_STRIDE])
    for n in range(share.hi - share.lo):
        a = at(gates_at(share, op, s), n * op[GATES_STRIDE])
        for u in range(0, wide, LANES):
            new = tanh(load(a, u))
            store(a, u, new)
            store(h, n * wide + u, new)


@kernel()
def _step_back(share, op, s):
    """δ = ∂L/∂h (1 − h²)."""
    wide, gh = op[UNITS_STRIDE], own(share, op[GH], op[UNITS_STRIDE])
    for n in range(share.hi - share.lo):
        a = at(gates_at(share, op, s), n * op[GATES_STRIDE])
        for u in range(0, wide, LANES):
            h = load(a, u)
            store(a, u, load(gh, n * wide + u) * (1.0 - h * h))
    if s > 0:
        sequence.back_through_u(share, op, s, 0)


forward, backward = sequence.forward_with(_step), sequence.backward_with(_step_back)
