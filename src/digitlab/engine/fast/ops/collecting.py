"""Lists of the gradients g ≠ 0 at the maxima of pools, and sums of listed rows.

A sum is y[r] += Σᵢ values[i] · base[offsets[i] + r], for any number of rows. A list is values, offsets of rows, and
where it ends; up to AFTER floats behind its end are overwritten.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import SIXTEEN_LANES, kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.ops.dispatch import dispatcher
from digitlab.engine.fast.simd import at, collect, list_code, list_places

AFTER = 16  # as many as are listed at a time
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


@kernel()
def list_filters(g, places, filters, codes, values, offsets, ends, start, row):
    """Lists of the filters whose maximum has code 0, 1 … of one window, behind each other; offset `row` · filter.

    List q begins at start + q · filters and ends at ends[q].
    """
    if SIXTEEN_LANES:
        for q in range(codes):
            end = start + q * filters
            for f in range(0, filters, AFTER):
                left, first = filters - f, f * row
                end += list_code(at(values, end), at(offsets, end), at(g, f), at(places, f), left, q, first, row)
            ends[q] = end
    else:
        for q in range(codes):
            ends[q] = start + q * filters
        for f in range(filters):
            q = places[f] & 15
            end = ends[q]
            values[end] = g[f]
            offsets[end] = f * row
            ends[q] = end + (g[f] != 0.0)


@kernel()
def list_windows(g, places, filters, mine, count, values, offsets, ends, base):
    """To the lists of `mine` filters, the windows of their maxima among `count` pools; offset `base` + place."""
    if SIXTEEN_LANES:
        for p in range(0, count, AFTER):
            for f in range(mine):
                here, end = p * filters + f, ends[f]
                out = at(values, end), at(offsets, end)
                ends[f] = end + list_places(*out, at(g, here), at(places, here), filters, count - p, base)
    else:
        for p in range(count):
            for f in range(mine):
                value, end = g[p * filters + f], ends[f]
                values[end] = value
                offsets[end] = base + (places[p * filters + f] >> 4)
                ends[f] = end + (value != 0.0)
