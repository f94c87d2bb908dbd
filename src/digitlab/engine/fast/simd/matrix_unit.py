"""Products of large matrices on the processor's matrix unit (Intel AMX), as exact as in float32.

The unit multiplies bfloat16 numbers (8 significant bits) and adds in float32. Each float32 number is split into three
of them, x = h + m + l: h is x rounded, m is x − h cut to 8 bits, and l is the rest, which has at most 8. Of the nine
products of parts, six are computed:

    a w ≈ l h + h l + m m + m h + h m + h h

The others, m l, l m and l l, are at most 2⁻²² of |a w| together, and far less on average: the errors are smaller than
those of float32 sums (benchmarks/kernels/products.py). The unit computes six products in less than half the time that
vectors take for one. A byte is h alone, so three products serve pixels: h l + h m + h h. The splitting follows Henry,
Tang & Heinecke 2019, "Leveraging the bfloat16 artificial intelligence datatype for higher-precision computations".

Both factors are cut in blocks of 32 numbers of the sum by 32 rows or columns. A block lies as three parts, of two tiles
each, of 16 rows of 16 words. Word j of a row of `a`, and row j of w, hold the numbers j (in the lower half) and j + 16
of the sum, for which the unit adds two products at once. Every sum has one order, whatever the number of rows and
columns.

Twins: `x @ W`, `x.T @ g` and `g @ W.T` in `Dense` (nn/network.py).
"""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import BLOCK_FLOATS, LANES, SIDE, UNIT_AT_ONCE, UNIT_DEEP
from digitlab.engine.fast.simd.llvm import Loop
from digitlab.engine.fast.simd.packed import LINE, transpose
from digitlab.engine.fast.simd.vectors import FLOATS, address, at, clear, load_value, prefetch_value

_BYTE, _WORD, _INT, _NOTHING = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.VoidType()
_TILE_ROWS, _TILE_BYTES = 16, 64
_TILE, _PART = 256, 512  # floats of a tile, and of a part, which is two tiles
_LEFT, _RIGHT = 4, 6  # tiles 0 to 3 are sums, 4 and 5 are of `a`, 6 and 7 of w
# Pairs of parts, h m l, small products first; next to each other they share one.
_PAIRS = ((2, 0), (1, 0), (1, 1), (0, 1), (0, 2), (0, 0))
_PIXEL_PAIRS = ((0, 2), (0, 1), (0, 0))  # for a byte, which is h alone


def _unit(builder, name, *arguments):
    """Call an instruction of the matrix unit."""
    kind = ir.FunctionType(_NOTHING, [a.type for a in arguments])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}"), arguments)


def _number(tile):
    return ir.Constant(_BYTE, tile)


def _bytes_at(builder, pointer):
    return builder.bitcast(pointer, _BYTE.as_pointer())


@intrinsic
def begin_matrices(typingctx):
    """Prepare this thread's matrix unit: eight tiles of 16 rows of 64 bytes."""

    def codegen(context, builder, sig, args):
        row_bytes = [low for _ in range(8) for low in (_TILE_BYTES, 0)]
        content = [1, *[0] * 15, *row_bytes, *[0] * 16, *[_TILE_ROWS] * 8, *[0] * 8]  # the palette's number comes first
        table = ir.Constant(ir.ArrayType(_BYTE, len(content)), content)
        place = cgutils.global_constant(builder, "matrix_tiles", table)
        _unit(builder, "ldtilecfg", _bytes_at(builder, place))
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def end_matrices(typingctx):
    """Release the matrix unit, whose tiles the system would store whenever another thread has its turn."""

    def codegen(context, builder, sig, args):
        _unit(builder, "tilerelease")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def _split_pairs(typingctx, out, x, y):
    """Sixteen words of each part: x[i] in the lower half and y[i] in the upper."""

    def codegen(context, builder, sig, args):
        out, *sources = args
        floats, words = ir.VectorType(ir.FloatType(), 16), ir.VectorType(_WORD, 16)

        def constant(value):
            return ir.Constant(words, [value] * 16)

        rests = [load_value(builder, source, 16) for source in sources]
        for part in range(3):
            numbers = [builder.bitcast(rest, words) for rest in rests]
            if part == 0:  # to the nearest bfloat16, which is a word's upper half
                numbers = [builder.add(number, constant(0x8000)) for number in numbers]
            kept = [builder.and_(number, constant(0xFFFF0000)) for number in numbers]
            place = builder.bitcast(address(builder, out, ir.Constant(_INT, part * _PART)), words.as_pointer())
            builder.store(builder.or_(builder.lshr(numbers[0], constant(16)), kept[1]), place).align = 4
            rests = [builder.fsub(rest, builder.bitcast(word, floats)) for rest, word in zip(rests, kept)]
        return context.get_dummy_value()

    return types.void(FLOATS, FLOATS, FLOATS), codegen


def _product(pairs):
    """product(y, y_row, a, w, blocks, near, pace, lines, row): 32 by 32 numbers.

    y[r, c] += Σ_k a[r, k] w[k, c] for so many blocks of the sum, of these pairs of parts. With each block, memory that
    is needed next is fetched: `lines` rows of 32 floats from `near` on, which then moves on by `pace` floats.
    """

    @intrinsic
    def product(typingctx, y, y_row, a, w, blocks, near, pace, lines, row):
        def codegen(context, builder, sig, args):
            y, y_row, a, w, blocks, near, pace, lines, row = args
            y_bytes, line = builder.mul(y_row, ir.Constant(_INT, 4)), ir.Constant(_INT, _TILE_BYTES)
            below = address(builder, y, builder.mul(y_row, ir.Constant(_INT, _TILE_ROWS)))
            places = [address(builder, row, ir.Constant(_INT, c)) for row in (y, below) for c in (0, LINE)]
            for tile, place in enumerate(places):
                _unit(builder, "tileloadd64", _number(tile), _bytes_at(builder, place), y_bytes)

            def fetch(first, part, block):
                for tile in range(2):
                    place = address(builder, block, ir.Constant(_INT, part * _PART + tile * _TILE))
                    _unit(builder, "tileloadd64", _number(first + tile), _bytes_at(builder, place), line)

            loop = Loop(builder, blocks, [a, w, near])
            left, right, near = loop.carried
            rows = Loop(builder, lines, [near])
            (here,) = rows.carried
            prefetch_value(builder, here)
            prefetch_value(builder, address(builder, here, ir.Constant(_INT, LINE)))
            rows.close([address(builder, here, row)])
            held = None, None
            for pair in pairs:
                if pair[0] != held[0]:
                    fetch(_LEFT, pair[0], left)
                if pair[1] != held[1]:
                    fetch(_RIGHT, pair[1], right)
                held = pair
                for tile in range(4):
                    _unit(builder, "tdpbf16ps", *map(_number, (tile, _LEFT + tile // 2, _RIGHT + tile % 2)))
            size = ir.Constant(_INT, BLOCK_FLOATS)
            loop.close([address(builder, left, size), address(builder, right, size), address(builder, near, pace)])
            for tile, place in enumerate(places):
                _unit(builder, "tilestored64", _number(tile), _bytes_at(builder, place), y_bytes)
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(FLOATS, i64, FLOATS, FLOATS, i64, FLOATS, i64, i64, i64), codegen

    return product


@kernel()
def _copied(room, x, x_row, rows, columns):
    """room[r, c] = x[r, c], 32 by 32 numbers, 0 where x has none."""
    clear(room, SIDE * SIDE)
    for r in range(min(rows, SIDE)):
        for c in range(min(columns, SIDE)):
            room[r * SIDE + c] = x[r * x_row + c]


@kernel()
def _turned(room, x, x_row, rows, columns):
    """room[c, r] = x[r, c], the same."""
    if rows >= SIDE and columns >= SIDE:
        for r in range(0, SIDE, LANES):
            for c in range(0, SIDE, LANES):
                transpose(at(room, c * SIDE + r), SIDE, at(x, r * x_row + c), x_row)
    else:
        clear(room, SIDE * SIDE)
        for r in range(min(rows, SIDE)):
            for c in range(min(columns, SIDE)):
                room[c * SIDE + r] = x[r * x_row + c]


@kernel()
def _split(block, x, x_row, half, apart):
    """A block's parts: tile t's row r holds the 16 numbers from x[r x_row + t half] on and those `apart` from them."""
    for tile in range(2):
        for r in range(_TILE_ROWS):
            source = at(x, r * x_row + tile * half)
            _split_pairs(at(block, tile * _TILE + r * _TILE_ROWS), source, at(source, apart))


@kernel()
def split_rows(block, a, a_row, rows, n, room):
    """A block of a[r, k]."""
    if rows >= SIDE and n >= SIDE:
        _split(block, a, a_row, 16 * a_row, 16)
    else:
        _copied(room, a, a_row, rows, n)
        _split(block, room, SIDE, 16 * SIDE, 16)


@kernel()
def split_rows_turned(block, a, a_row, rows, n, room):
    """A block of a matrix that is there transposed: a[k, r]."""
    _turned(room, a, a_row, n, rows)
    _split(block, room, SIDE, 16 * SIDE, 16)


@kernel()
def split_columns(block, w, w_row, n, columns, room):
    """A block of w[k, c]."""
    if n >= SIDE and columns >= SIDE:
        _split(block, w, w_row, 16, 16 * w_row)
    else:
        _copied(room, w, w_row, n, columns)
        _split(block, room, SIDE, 16, 16 * SIDE)


@kernel()
def split_columns_turned(block, w, w_row, n, columns, room):
    """A block of a matrix that is there transposed: w[c, k]."""
    _turned(room, w, w_row, columns, n)
    _split(block, room, SIDE, 16, 16 * SIDE)


def _adding_blocks(product):
    """A product for a y of any number of rows, and columns that are a multiple of LANES."""

    @kernel()
    def add(y, y_row, rows, columns, a, w, blocks, room, near, pace, lines, row):
        if rows >= SIDE and columns >= SIDE:
            product(y, y_row, a, w, blocks, near, pace, lines, row)
        else:
            _copied(room, y, y_row, rows, columns)
            product(room, SIDE, a, w, blocks, near, pace, lines, row)
            for r in range(min(rows, SIDE)):
                for c in range(min(columns, SIDE)):
                    y[r * y_row + c] = room[r * SIDE + c]

    return add


add_blocks, add_pixel_blocks = _adding_blocks(_product(_PAIRS)), _adding_blocks(_product(_PIXEL_PAIRS))


@kernel()
def blocks_of(n):
    """How many blocks hold n numbers."""
    return (n + SIDE - 1) // SIDE


def _adding(split, turned, add_blocks):
    """A kernel y[r, c] += Σ_k a[r, k] w[k, c]; `split` splits a block of w, which may be there transposed."""

    @kernel()
    def add(y, y_row, rows, a, a_row, n, w, w_row, columns, room):
        strip = at(room, SIDE * SIDE)
        left = at(strip, UNIT_DEEP // SIDE * BLOCK_FLOATS)
        along, across = (1, w_row) if turned else (w_row, 1)  # from one number of the sum, or column, to the next
        begin_matrices()
        for r in range(0, rows, UNIT_AT_ONCE):
            high = min(UNIT_AT_ONCE, rows - r)
            for k in range(0, n, UNIT_DEEP):
                deep = min(UNIT_DEEP, n - k)
                blocks, place = blocks_of(deep), left
                for i in range(0, high, SIDE):
                    for j in range(0, deep, SIDE):
                        split_rows(place, at(a, (r + i) * a_row + k + j), a_row, high - i, deep - j, room)
                        place = at(place, BLOCK_FLOATS)
                lines = (SIDE + blocks_of(high) - 1) // blocks_of(high)  # of the next strip, fetched by each product
                for c in range(0, columns, SIDE):
                    for j in range(blocks):
                        source = at(w, (k + j * SIDE) * along + c * across)
                        split(at(strip, j * BLOCK_FLOATS), source, w_row, deep - j * SIDE, columns - c, room)
                    next_k, next_c = (k, c + SIDE) if c + SIDE < columns else (k + deep, 0)
                    near = at(w, next_k * along + next_c * across)
                    if next_k >= n:
                        near, lines = strip, 0
                    for i in range(0, high, SIDE):
                        here, product = at(y, (r + i) * y_row + c), at(left, i // SIDE * blocks * BLOCK_FLOATS)
                        ahead, pace = at(near, i // SIDE * lines * w_row), SIDE * along
                        add_blocks(
                            here, y_row, high - i, columns - c, product, strip, blocks, room, ahead, pace, lines, w_row
                        )  # fmt: skip
        end_matrices()

    return add


# `columns` is a multiple of LANES
add_on_unit = _adding(split_columns, False, add_blocks)  # y += a w
add_on_unit_transposed = _adding(split_columns_turned, True, add_blocks)  # y += a wᵀ
add_pixels_on_unit = _adding(split_columns, False, add_pixel_blocks)  # y += a w, where a holds bytes
