"""Two recurrent layers that read one sequence from both ends, into the two halves of one output.

Twin: `Bidirectional` in nn/bidirectional.py. It has no kernels: its layers' operations share input and output.
"""

import math

from digitlab.engine.fast.ops import recurrent
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.nn.bidirectional import Bidirectional

LAYERS = (Bidirectional,)


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add both directions of layer i to the plan; False where the kernels do not support it."""
    layer, shape = builder.layers[i], builder.shapes[i]
    assert isinstance(layer, Bidirectional)
    units = layer.output_shape(shape)[-1] // 2
    children = enumerate(layer.children().items())
    first, second = [
        recurrent.row_of(builder, child, f"{builder.names[i]}.{name}", shape, first=k * units, readers=2)
        for k, (name, child) in children
    ]
    builder.add_output(first, math.prod(layer.output_shape(shape)))
    builder.add(second)
    return True
