"""Sums of listed rows, each times its number: y[r] += Σᵢ values[i] · base[offsets[i] + r], for any number of rows."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import SIXTEEN_LANES, kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.ops.dispatch import dispatcher
from digitlab.engine.fast.simd import at, collect

MOST = 12 if SIXTEEN_LANES else 8  # vectors whose sums stay in registers
_collect = dispatcher(
    "code, y, y_row, values, offsets, count, base, segment",
    {n: f"collect_{n}(y, y_row, values, offsets, count, base, segment)" for n in range(1, MOST)},
    f"collect_{MOST}(y, y_row, values, offsets, count, base, segment)",
    **{f"collect_{n}": collect(1, n) for n in range(1, MOST + 1)},
)
_rows_of_3, _rows_of_5 = collect(3, 1), collect(5, 1)


@kernel()
def collect_rows(y, y_row, values, offsets, count, base, segment, rows, vectors):
    """`collect` for any number of rows and vectors."""
    r = 0
    while r < rows:
        yr, br = at(y, r * y_row), at(base, r * segment)
        if vectors == 1 and rows - r >= 5:
            _rows_of_5(yr, y_row, values, offsets, count, br, segment)
            r += 5
            continue
        if vectors == 1 and rows - r >= 3:
            _rows_of_3(yr, y_row, values, offsets, count, br, segment)
            r += 3
            continue
        parts = (vectors + MOST - 1) // MOST
        first = 0
        for part in range(parts):
            n = vectors // parts + (1 if part < vectors % parts else 0)
            _collect(n, at(yr, LANES * first), y_row, values, offsets, count, at(br, LANES * first), segment)
            first += n
        r += 1
