"""What recurrent layers share: their plan, copies of their weights, and the step, one product for all weights.

Twin: `Recurrent` in nn/recurrent.py. To a kernel the layer is dense, step by step: its input is the row [x 1 h], its
weights are the rows of W, b and U, one below the other.

    forward    a = [x 1 h] [W; b; U], then the cell's own arithmetic on the gates (simple_rnn.py, lstm.py, gru.py)
    backward   the cell turns its gates into δ where they are, and ∂L/∂h of the step before is δ Uᵀ
    step       ∂L/∂[W; b; U] = Σ [x 1 h]ᵀ δ over all steps and examples: one product; threads share out its rows

Each thread takes its own examples through all steps, without a barrier (sequence.py). The products read copies of the
weights in strips (simd/strips.py), and of Uᵀ and Wᵀ; in training the threads make them before every forward pass.
What is kept for the way back are rows [x 1 h], gates and cells of every step; a prediction keeps one step.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math
from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.masks import cut
from digitlab.engine.fast.ops.optimizer import limit_norms, update
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.plan import Row
from digitlab.engine.fast.plan import padded as whole_vectors
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, doubles, floats, outer_product, pack_row, pack_transposed, padded
from digitlab.nn.network import Layer, Shape
from digitlab.nn.recurrent import GRU, LSTM, Recurrent, SimpleRNN

STRIP = 32  # columns that threads pack at once: a strip of simd/strips.py

KINDS: dict[type[Layer], str] = {SimpleRNN: "simple_rnn", LSTM: "lstm", GRU: "gru"}

column = own_columns()
STEPS = column()
FEATURES = column()
UNITS = column()
UNITS_STRIDE = column()  # the units, in whole vectors; the gates of a row lie so far apart
ROW_STRIDE = column()  # of rows [x 1 h]
GATES_STRIDE = column()
ROWS = column()  # offsets for each example: rows [x 1 h],
GATES = column()  # gates, later δ, and what else a cell keeps in their row;
CELLS = column()  # an LSTM's cells; r h of a GRU with reset="before"
STATE = column()  # the latest h
GH = column()  # ∂L/∂h,
GC = column()  # ∂L/∂c, and other intermediate results,
GROW = column()  # ∂L/∂x of one step
KEPT = column()  # 1: all steps are kept; 0: only the latest
RETURNS_ALL = column()
REVERSE = column()
Y_FIRST = column()  # where this layer's numbers begin in y, and how far it is from step to step
Y_PACE = column()
ADDS = column()  # whether ∂L/∂x is added to what is there
U_NUMBER = column()
V = column()
V_NUMBER = column()
RESETS_BEFORE = column()  # a GRU's reset="before"
SUMMED = column()  # numbers in a row of gates that are sums of x's part and h's part: all but a GRU's candidate
STRIPS = column()  # the copies for all threads: W, b and U,
STRIPS_BACK = column()  # Uᵀ,
STRIPS_X = column()  # and Wᵀ
DELTAS = column()  # δ of all steps and examples, in strips: the gradient reads it column by column
GRADIENT = column()  # ∂L/∂W, ∂L/∂b, ∂L/∂U, and ∂L/∂v


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the recurrent layer of layer i to the plan; False where the kernels do not support it."""
    layer, shape = builder.layers[i], builder.shapes[i]
    row = row_of(builder, layer, builder.names[i], shape)
    builder.add_output(row, math.prod(layer.output_shape(shape)))
    return True


def row_of(builder: PlanBuilder, layer: Any, name: str, shape: Shape, *, first: int = 0, readers: int = 1) -> Row:
    """A recurrent layer's operation, still without its output, which it may share with other `readers` of the input.

    first   how many numbers of the output's steps are those of readers before it
    """
    assert isinstance(layer, Recurrent)
    (steps, features), units, gates = shape, layer.units, layer.gates()
    row = builder.row(KINDS[type(layer)])
    row[STEPS], row[FEATURES], row[UNITS], row[UNITS_STRIDE] = steps, features, units, whole_vectors(units)
    row[KEPT], row[RETURNS_ALL], row[REVERSE] = int(builder.learning), int(layer.returns == "all"), int(layer.reverse)
    row[Y_FIRST], row[Y_PACE], row[ADDS] = first, readers * units, int(readers > 1 and first == 0)
    row[N_IN], row[W_STRIDE] = features + 1 + units, gates * whole_vectors(units)
    for key, offset, number in (("W", W, W_NUMBER), ("b", B, B_NUMBER), ("U", None, U_NUMBER), ("v", V, V_NUMBER)):
        if key in layer.params:
            # A slot's row is one gate of one input; rows of U up to whole vectors exist and are zero.
            rows = layer.params[key].value.size // units
            extra = gates * (whole_vectors(units) - units) if key == "U" else 0
            slot, weights = builder.slot(f"{name}.{key}", layer.params[key], rows, units, extra), Row()
            builder.weights(slot, layer, weights)
            row[number], row[MASKED] = weights[W_NUMBER], row[MASKED] | weights[MASKED]
            if offset is not None:
                row[offset] = slot.offset
    row[NEEDS_BACKWARD] = 1
    blocks, row[SUMMED] = gates, row[W_STRIDE]
    if isinstance(layer, GRU):
        blocks, row[SUMMED], row[RESETS_BEFORE] = 4, 2 * whole_vectors(units), int(layer.reset == "before")
    # An odd number of cache lines between rows: they do not compete for the same places in the cache.
    row[ROW_STRIDE], row[GATES_STRIDE] = whole_vectors(row[N_IN]) + LANES, blocks * whole_vectors(units) + 2 * LANES
    kept = steps if row[KEPT] else 1
    row[ROWS], row[GATES] = builder.room(kept * row[ROW_STRIDE]), builder.room(kept * row[GATES_STRIDE])
    row[CELLS] = builder.room(kept * whole_vectors(units)) if isinstance(layer, LSTM | GRU) else 0
    row[STATE] = builder.room(whole_vectors(units))
    if builder.learning:
        row[DELTAS] = builder.room(steps * blocks * whole_vectors(units))
        row[GH], row[GC], row[GROW] = (builder.room(whole_vectors(n)) for n in (units, units, features))
    builder.work += 3 * steps * row[N_IN] * gates * units
    return row


def place(row: Row, room: Any, batch: int) -> None:
    """Room for the copies and the gradient, which all examples share."""
    row[STRIPS] = room(row[N_IN] * row[W_STRIDE] + row[UNITS_STRIDE])
    if row[KEPT]:
        row[STRIPS_BACK] = room(row[UNITS_STRIDE] * row[W_STRIDE])
        row[STRIPS_X] = room(whole_vectors(row[FEATURES]) * row[W_STRIDE]) if row[GX] >= 0 else 0
        row[GRADIENT] = room((row[N_IN] + 1) * row[W_STRIDE])


@kernel()
def strips_of(columns, thread, threads):
    """The columns that a thread packs: whole strips."""
    count = (columns + STRIP - 1) // STRIP
    return count * thread // threads * STRIP, min(count * (thread + 1) // threads * STRIP, columns)


@kernel()
def candidate_strips(op):
    """Where a GRU's copies for its candidate state begin: of W and b, and of v and U."""
    first = op[STRIPS] + op[N_IN] * op[SUMMED]
    return first, first + (op[FEATURES] + 1) * op[UNITS_STRIDE]


@kernel()
def pack(share, op, thread, threads):
    """A thread's share of the copies."""
    stride, summed, units, wide = op[W_STRIDE], op[SUMMED], op[UNITS], op[UNITS_STRIDE]
    rows, before_h, work = op[N_IN], op[FEATURES] + 1, share.work
    of_x, of_h = candidate_strips(op)
    with_v = op[V] > 0
    for k in range(rows * thread // threads, rows * (thread + 1) // threads):
        row = at(share.params, op[W] + k * stride)
        pack_row(at(work, op[STRIPS]), rows, k, row, summed)
        if summed < stride and k < before_h:
            pack_row(at(work, of_x), before_h, k, at(row, summed), wide)
        elif summed < stride:
            pack_row(at(work, of_h), units + with_v, k - before_h + with_v, at(row, summed), wide)
    if with_v and thread == 0:
        pack_row(at(work, of_h), units + 1, 0, at(share.params, op[V]), wide)
    if op[KEPT]:
        u, back = at(share.params, op[W] + before_h * stride), at(work, op[STRIPS_BACK])
        first, last = strips_of(wide, thread, threads)
        pack_transposed(back, first, last, u, stride, summed, wide)
        if summed < stride:
            pack_transposed(at(back, wide * summed), first, last, at(u, summed), stride, wide, wide)
        if op[GX] >= 0:
            features = padded(op[FEATURES])
            first, last = strips_of(features, thread, threads)
            pack_transposed(at(work, op[STRIPS_X]), first, last, at(share.params, op[W]), stride, stride, features)


@kernel()
def begin(share, op):
    """The copies for predictions; in training each forward pass makes them."""
    if share.step < 0:
        pack(share, op, 0, 1)


@kernel()
def deltas_at(share, op, first):
    """δ of all steps and examples in strips, from column `first` on, where one of three parts of it begins."""
    return at(share.work, op[DELTAS] + first * op[STEPS] * share.examples)


@kernel()
def gradient(share, op, first, last, g):
    """Rows first … last of ∂L/∂[W; b; U] over all steps of the whole batch, into g, which begins with row 0."""
    n, before_h = op[STEPS] * share.examples, op[FEATURES] + 1
    stride, summed, wide = op[W_STRIDE], op[SUMMED], op[UNITS_STRIDE]
    x, x_row = at(share.work, op[ROWS]), op[ROW_STRIDE]
    here = at(g, first * stride)
    outer_product(here, stride, last - first, at(x, first), x_row, n, deltas_at(share, op, 0), summed)
    if summed == stride:
        return
    # A GRU's candidate: W and b with its own δ; U and v with that of what they are part of.
    middle = max(first, min(last, before_h))
    candidate, inner = deltas_at(share, op, summed), deltas_at(share, op, summed + wide)
    here, there = at(g, first * stride + summed), at(g, middle * stride + summed)
    outer_product(here, stride, middle - first, at(x, first), x_row, n, candidate, wide)
    if op[RESETS_BEFORE]:
        reset = at(share.work, op[CELLS] + middle - before_h)
        outer_product(there, stride, last - middle, reset, wide, n, candidate, wide)
    else:
        outer_product(there, stride, last - middle, at(x, middle), x_row, n, inner, wide)
        if share.thread == 0:
            outer_product(at(g, op[N_IN] * stride), stride, 1, at(x, before_h - 1), x_row, n, inner, wide)


@kernel()
def update_rows(share, op, number, regularized, first, last, g):
    """Update rows first … last of [W; b; U], which are those of one parameter."""
    if number > 0 and last > first:
        here, g, count = op[W] + first * op[W_STRIDE], at(g, first * op[W_STRIDE]), (last - first) * op[W_STRIDE]
        if op[MASKED]:
            cut(g, at(floats(share.header[MASKS]), here), count)
        update(share, number, regularized, here, g, count)


@kernel()
def step(share, op):
    """Update this thread's rows of [W; b; U]."""
    features, g, (first, last) = op[FEATURES], at(share.work, op[GRADIENT]), part_of(share, op[N_IN])
    gradient(share, op, first, last, g)
    update_rows(share, op, op[W_NUMBER], True, first, min(last, features), g)
    update_rows(share, op, op[B_NUMBER], False, max(first, features), min(last, features + 1), g)
    update_rows(share, op, op[U_NUMBER], True, max(first, features + 1), last, g)
    if share.thread == 0 and op[V_NUMBER] > 0:
        update(share, op[V_NUMBER], False, op[V], at(g, op[N_IN] * op[W_STRIDE]), op[UNITS_STRIDE])


@kernel()
def limit(share, op):
    """The columns of W and U, when all threads' steps are complete."""
    if share.thread == 0:
        limit_, stride, before_h = doubles(share.header[HYPER])[MAX_NORM], op[W_STRIDE], op[FEATURES] + 1
        if op[W_NUMBER] > 0:
            limit_norms(limit_, at(share.params, op[W]), op[FEATURES], stride, stride, 1)
        if op[U_NUMBER] > 0:
            limit_norms(limit_, at(share.params, op[W] + before_h * stride), op[UNITS], stride, stride, 1)
