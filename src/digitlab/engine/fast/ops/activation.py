"""The activations, compiled from the formulas that their classes state.

Twins: every class of nn/ with `kernel_value(x, a, m)` = f(x) and `kernel_grad(g, x, y, a, m)` = g f'(x), y = f(x);
a is the activation's one setting (a slope, an α) and m is simd/maths.py: exp, tanh, sigmoid, softplus, maximum,
minimum, where, fma.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from collections.abc import Iterator
from typing import Any

import digitlab.nn
from digitlab.engine.fast.compiler.jit import COMPILING, kernel
from digitlab.engine.fast.layout import (
    AN_ACTIVATION,
    BACKPROPAGATION,
    GY,
    LANES,
    RULE,
    X_STRIDE,
    Y_STRIDE,
    X,
    Y,
    own_columns,
)
from digitlab.engine.fast.ops.dispatch import dispatcher
from digitlab.engine.fast.plan_builder import PlanBuilder, settings
from digitlab.engine.fast.simd import at, load, real, splat, store
from digitlab.nn.network import Activation, Layer

if COMPILING:
    from digitlab.engine.fast.simd import maths


def _with_formulas(family: type[Activation]) -> Iterator[type[Activation]]:
    for cls in family.__subclasses__():
        if "kernel_value" in vars(cls) and cls.__module__.startswith(f"{digitlab.nn.__name__}."):
            yield cls
        yield from _with_formulas(cls)


# Sorted: the compiler's process and this one must number them alike, whatever classes a program defines.
LAYERS = tuple(sorted(_with_formulas(Activation), key=lambda cls: cls.__qualname__))
SETTINGS = ("slope", "alpha")  # an activation has at most one of these

_column = own_columns()
FUNCTION = _column()  # which activation: its place in LAYERS
SETTING = _column()  # float64: its a


def formulas() -> Iterator[Any]:
    """The functions that are compiled from classes of nn/."""
    for cls in LAYERS:
        yield from (cls.kernel_value, cls.kernel_grad)  # type: ignore[attr-defined]


def setting(layer: Layer) -> float:
    """The one number that an activation may have. Raises NoKernel for another setting."""
    return float(next(iter(settings(layer, SETTINGS).values()), 0.0))


def is_monotone(layer: Layer) -> bool:
    """Whether a layer is an activation that never falls; those with a slope of their own may."""
    return isinstance(layer, Activation) and type(layer) in LAYERS and layer.is_monotone and setting(layer) >= 0


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the activation of layer i to the plan; False where the kernels do not support it."""
    layer, row = builder.layers[i], builder.row("activation")
    row[FUNCTION], row[SETTING] = LAYERS.index(type(layer)), setting(layer)
    builder.add_elementwise(row)
    return True


def _over_vectors(arguments: str, statement: str) -> Any:
    """A kernel that runs a statement, which mentions f, for every vector; f is a formula of the activation `code`."""
    names = {"LANES": LANES, "load": load, "store": store, "splat": splat}
    cases = {k: f"for i in range(0, count, LANES): {statement.replace('f(', f'f{k}(')}" for k in range(len(LAYERS))}
    for k, cls in enumerate(LAYERS) if COMPILING else ():
        formula = cls.kernel_grad if "g" in arguments.split(", ") else cls.kernel_value  # type: ignore[attr-defined]
        names |= {f"f{k}": kernel()(formula), "m": maths}
    return dispatcher(arguments, cases, f"unknown(header, {AN_ACTIVATION}, code)", **names)


values = _over_vectors("header, code, a, x, y, count", "store(y, i, f(load(x, i), splat(a), m))")
grads = _over_vectors(
    "header, code, a, x, y, g, count", "store(g, i, f(load(g, i), load(x, i), load(y, i), splat(a), m))"
)


@kernel()
def forward(share, op):
    """y = f(x)."""
    x, y = at(share.work, op[X] + share.lo * op[X_STRIDE]), at(share.work, op[Y] + share.lo * op[Y_STRIDE])
    values(share.header, op[FUNCTION], real(op, SETTING), x, y, (share.hi - share.lo) * op[Y_STRIDE])


@kernel()
def error_to_delta(share, op):
    """g ← g f'(x) in place; Rashid's rule does so after the errors have gone back through all weights."""
    if op[GY] >= 0:
        x, y = at(share.work, op[X] + share.lo * op[X_STRIDE]), at(share.work, op[Y] + share.lo * op[Y_STRIDE])
        g = at(share.work, op[GY] + share.lo * op[Y_STRIDE])
        grads(share.header, op[FUNCTION], real(op, SETTING), x, y, g, (share.hi - share.lo) * op[Y_STRIDE])


@kernel()
def backward(share, op):
    """∂L/∂x = g · φ'(z), from the activation's formula."""
    if share.header[RULE] == BACKPROPAGATION:
        error_to_delta(share, op)
