"""Curves as characters for a terminal: each character is a grid of 2×4 dots, a braille pattern of Unicode.

A chart is a list of lines, and a line a list of (characters, series): the number of the curve that they belong to, or
None for axes and text. The caller chooses the colours; `chart_text` leaves them out.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from digitlab.train.columns import MEASURES, unit

Cells = list[tuple[str, int | None]]
Chart = list[Cells]
Curve = tuple[Sequence[float], Sequence[float]]  # x, y

BLANK = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row from above, then column
MARKS = "●◆■▲▼"  # before a curve's name, to identify it without colour


def chart(
    curves: Mapping[str, Curve],
    *,
    title: str = "",
    x_label: str = "",
    width: int = 60,
    height: int = 10,
    numbers: Sequence[int] = (),
) -> Chart:
    """Curves (name → x, y) in a box of `width` × `height` characters, axes and a legend with the last values included.

    `numbers` are the curves' series, by default 0, 1, 2 …; where curves overlap, the last one's colour is shown.
    Points that are not finite are left out. A single value is in the middle; without values the box is empty.
    """
    points = {name: [p for p in zip(*curve) if all(map(math.isfinite, p))] for name, curve in curves.items()}
    every = [point for some in points.values() for point in some]
    low, high = _range([y for _, y in every])
    left, right = _range([x for x, _ in every])
    labels = [_number(value, high - low) for value in (high, (high + low) / 2, low)]
    margin = max(map(len, labels))
    columns = max(width - margin - 2, 4)
    rows = max(height - 3, 2)  # without title, axis and legend
    numbers = numbers or range(len(points))
    dots = [[0] * columns for _ in range(rows)]
    owners: list[list[int | None]] = [[None] * columns for _ in range(rows)]

    def place(x: float, y: float) -> tuple[int, int]:
        across = round((x - left) / (right - left) * (2 * columns - 1))
        down = round((high - y) / (high - low) * (4 * rows - 1))
        return across, down

    for series, some in zip(numbers, points.values()):
        places = [place(x, y) for x, y in some]
        for (x0, y0), (x1, y1) in zip(places[:1] + places, places):
            steps = max(abs(x1 - x0), abs(y1 - y0), 1)
            for step in range(steps + 1):
                x, y = round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)
                dots[y // 4][x // 2] |= DOTS[y % 4][x % 2]
                owners[y // 4][x // 2] = series
    beside = {0: labels[0], rows // 2: labels[1], rows - 1: labels[2]}
    lines: Chart = [[(f"{'':{margin}}  {title}", None)]]
    for i, (row, owner) in enumerate(zip(dots, owners)):
        cells: Cells = [(f"{beside.get(i, ''):>{margin}} {'┤' if i in beside else '│'}", None)]
        cells += [(chr(BLANK + bits) if bits else " ", series) for bits, series in zip(row, owner)]
        lines.append(cells)
    first, last = _number(left, right - left), _number(right, right - left)
    gap = columns - len(first) - len(last)
    between = x_label.center(gap, "─") if gap > len(x_label) else "─" * gap
    lines.append([(f"{'':{margin}} └{first}{between}{last}", None)])
    legend: Cells = [(" " * (margin + 2), None)]
    for series, (name, some) in zip(numbers, points.items()):
        value = f" {_number(some[-1][1], (high - low) / 10)}" if some else ""  # a digit more than the axis
        legend.append((f"{MARKS[series % len(MARKS)]} {name}{value}  ", series))
    lines.append(legend)
    return lines


def chart_text(lines: Chart) -> str:
    """The chart without colour."""
    return "\n".join("".join(characters for characters, _ in cells).rstrip() for cells in lines)


def history_charts(rows: Sequence[Mapping[str, Any]], *, width: int = 60, height: int = 10) -> list[Chart]:
    """A training's loss and, where it has one, accuracy in per cent, over epochs."""
    charts = []
    for measure, title in MEASURES.items():
        curves: dict[str, Curve] = {}
        numbers = []
        for number, part in enumerate(("train", "valid", "test")):
            column = f"{part}_{measure}"
            with_it = [row for row in rows if row.get(column) is not None]
            if with_it:
                numbers.append(number)
                curves[part] = [row["epoch"] for row in with_it], [unit(column).scale * row[column] for row in with_it]
        if curves or (measure == "loss" and not rows):
            charts.append(chart(curves, title=title, x_label=" epoch ", width=width, height=height, numbers=numbers))
    return charts


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Least and largest; widened where they are equal, 0 to 1 where there are none."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if low == high:
        by = abs(low) / 2 or 1.0
        return low - by, high + by
    return low, high


def _number(value: float, span: float) -> str:
    """The value with as many digits as the axis needs."""
    if float(value).is_integer() and span >= 2:
        return str(int(value))
    digits = max(0, min(6, 1 - math.floor(math.log10(span)))) if span > 0 else 2
    return f"{value:.{digits}f}"
