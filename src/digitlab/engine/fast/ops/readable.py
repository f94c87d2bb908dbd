"""A layer without kernels: its readable Python code, called from between the kernels (readable_layers.py).

Thread 0 calls it for the whole batch while the other threads wait, so the results do not depend on how many there are.
The layer's parameters are operations of their own (parameter.py).
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    A_READABLE_LAYER,
    BACKWARD,
    FORWARD,
    GX,
    READABLE,
    SYNC,
    THREADS,
    UNKNOWN,
    UNKNOWN_CODE,
    own_columns,
)
from digitlab.engine.fast.ops import parameter
from digitlab.engine.fast.plan import ReadableLayer
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import barrier, call_python, ints
from digitlab.nn.network import Layer

LAYERS: tuple[type[Layer], ...] = ()  # any layer that no other operation takes: planner.py asks `plan_readable`

_column = own_columns()
NUMBER = _column()  # of the layer in the plan's list


def plan_readable(builder: PlanBuilder, i: int, layer: Layer, reason: str) -> None:
    """Plan layer i as readable code."""
    step, before = builder.steps[i], builder.place
    row, shape = builder.row("readable"), layer.output_shape(step.shape)
    parameters = (
        {f"{name}.{key}": p for name, inner in within(step.name, layer) for key, p in inner.params.items()}
        if builder.learning
        else {}
    )
    if parameters and before.gradient_at < 0:
        row[GX] = builder.room(builder.stride)  # so that backward is called
    row[NUMBER] = len(builder.readable)
    builder.add_output(row, math.prod(shape), first_gradient=bool(parameters))
    slots = [parameter.add(builder, name, p) for name, p in parameters.items()]
    x, y, trains = before._replace(made_by=()), builder.place._replace(made_by=()), builder.trains(i)
    builder.readable.append(ReadableLayer(step.name, layer, reason, step.shape, shape, trains, x, y, slots))


def within(name: str, layer: Layer) -> "list[tuple[str, Layer]]":
    """A layer and those inside it, by name."""
    return [
        (name, layer),
        *(found for key, child in layer.children().items() for found in within(f"{name}.{key}", child)),
    ]


@kernel()
def call(share, op, phase):
    """Call Python for one phase of a layer, by the first thread while the others wait."""
    header, sync, threads = share.header, ints(share.header[SYNC]), share.header[THREADS]
    barrier(sync, threads)  # until the numbers of all examples are there
    if share.thread == 0 and call_python(header[READABLE], op[NUMBER], phase, share.examples) != 0:
        header[UNKNOWN], header[UNKNOWN_CODE] = A_READABLE_LAYER, op[NUMBER]
    barrier(sync, threads)


@kernel()
def forward(share, op):
    """Call the layer's own `forward` for the whole batch."""
    call(share, op, FORWARD)


@kernel()
def backward(share, op):
    """Call the layer's own `backward` for the whole batch."""
    call(share, op, BACKWARD)
