"""LLVM code that several files of this folder write: a loop, and rows of memory as pieces that registers hold."""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from llvmlite import ir

from digitlab.engine.fast.compiler.jit import SIXTEEN_LANES
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.simd.vectors import address

INT = ir.IntType(64)


class Loop:
    """for _ in range(n) in LLVM code, with values carried from turn to turn (phi nodes)."""

    def __init__(self, builder, count, start):
        self.builder, self.count = builder, count
        self.before = builder.block
        self.body = builder.append_basic_block("body")
        self.after = builder.append_basic_block("after")
        entered = builder.icmp_signed(">", count, ir.Constant(INT, 0))
        builder.cbranch(entered, self.body, self.after)
        builder.position_at_end(self.body)
        self.i = builder.phi(INT)
        self.i.add_incoming(ir.Constant(INT, 0), self.before)
        self.start = start
        self.carried = [builder.phi(v.type) for v in start]
        for phi, v in zip(self.carried, start):
            phi.add_incoming(v, self.before)

    def close(self, carried):
        """End the body; returns the values after the loop."""
        builder = self.builder
        end = builder.block
        following = builder.add(self.i, ir.Constant(INT, 1))
        self.i.add_incoming(following, end)
        for phi, v in zip(self.carried, carried):
            phi.add_incoming(v, end)
        builder.cbranch(builder.icmp_signed("<", following, self.count), self.body, self.after)
        builder.position_at_end(self.after)
        results = []
        for first, last in zip(self.start, carried):
            phi = builder.phi(first.type)
            phi.add_incoming(first, self.before)
            phi.add_incoming(last, end)
            results.append(phi)
        return results


def pieces_of(vectors):
    """The columns of so many vectors as registers hold them: (first column, how many), sixteen where they can."""
    pairs = vectors // 2 if SIXTEEN_LANES else 0
    return [(2 * LANES * p, 2 * LANES) for p in range(pairs)] + [(LANES * v, LANES) for v in range(2 * pairs, vectors)]


def multiples_of(builder, number, count):
    """LLVM: 0, number, 2 number …"""
    return [builder.mul(number, ir.Constant(INT, r)) for r in range(count)]


def places_of(builder, y, y_row, rows, vectors):
    """LLVM: where the pieces of R by 8 C numbers of y are, and how long each is."""
    starts = [address(builder, y, offset) for offset in multiples_of(builder, y_row, rows)]
    return [(address(builder, row, ir.Constant(INT, c)), lanes) for row in starts for c, lanes in pieces_of(vectors)]
