"""The parts of a fragment: table, tiles, bars, curves; each is HTML from a template, escaped there."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from digitlab.figure import COLOURS
from digitlab.viz.figures import Array
from digitlab.viz.pages import data_uri, png_bytes, render

WIDTH, HEIGHT = 340, 150  # of a panel of curves, in pixels
LEFT, RIGHT, TOP, BOTTOM = 48, 270, 22, 130  # its axes; the names of the curves are to their right
PARTS = {"train": (COLOURS[0], "2 3"), "valid": (COLOURS[1], ""), "test": (COLOURS[2], "6 3")}
APART = 13  # pixels between two names of curves

Curve = tuple[str, str, str, Sequence[float], Sequence[float]]  # name, colour, dash ("" solid, "." dots), x, y


def part(template: str, **values: Any) -> Markup:
    """HTML of a template of templates/notebook."""
    return Markup(render(f"notebook/{template}.html", **values))


def card(title: str, *parts: str) -> str:
    """A fragment: a title in bold and parts under it."""
    return str(part("card", title=title, parts=parts))


def note(text: str) -> Markup:
    """A paragraph."""
    return part("note", text=text)


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[int] = ()) -> Markup:
    """A table; the columns at the places `numbers` are aligned to the right."""
    return part("table", headings=headings, rows=rows, numbers=numbers)


def tiles(pictures: Sequence[Array] | Array, captions: Sequence[str], *, side: int = 56) -> Markup:
    """Pictures uint8 (H, W), dark ink on white, or (H, W, 3), over their captions, enlarged to about `side` pixels.

    Of large pictures every second, third ... pixel is shown, so that a fragment stays small.
    """
    step = max(1, max(pictures[0].shape[:2]) // (2 * side))
    pictures = [picture[::step, ::step] for picture in pictures]
    scale = max(1, round(side / max(pictures[0].shape[:2])))
    size = [(picture.shape[1] * scale, picture.shape[0] * scale) for picture in pictures]
    return part(
        "tiles",
        tiles=[
            {"uri": data_uri(png_bytes(picture)), "caption": caption, "width": width, "height": height}
            for picture, caption, (width, height) in zip(pictures, captions, size)
        ],
    )


def bars(values: Mapping[str, float]) -> Markup:
    """Shares of 1 as bars from 0 to 100 %."""
    return part("bars", bars=[{"name": name, **_bar(value)} for name, value in values.items()], colour=COLOURS[0])


def bar(value: float) -> Markup:
    """A share of 1 as a bar as wide as that share of a table's cell."""
    return part("bar", bar=_bar(value), colour=COLOURS[0])


def _bar(value: float) -> dict[str, Any]:
    return {"percent": 100 * value, "text": f"{100 * value:.1f} %"}


def curves(panels: Mapping[str, Sequence[Curve]], *, label: str, log_x: bool = False) -> Markup:
    """Panels of curves side by side, as SVG; each curve's name is at its end. Only finite numbers are drawn."""
    return part(
        "curves",
        panels=[_panel(name, some, log_x) for name, some in panels.items()],
        label=label,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        bottom=BOTTOM,
    )


def _panel(name: str, some: Sequence[Curve], log_x: bool) -> dict[str, Any]:
    finite = [(x, y) for *_, xs, ys in some for x, y in zip(xs, ys) if math.isfinite(y)] or [(0.0, 0.0)]
    low_x, high_x = min(x for x, _ in finite), max(x for x, _ in finite)
    low, high = min(y for _, y in finite), max(y for _, y in finite)

    def across(x: float) -> float:
        share = math.log(x / low_x) / math.log(high_x / low_x) if log_x and high_x > low_x else None
        share = (x - low_x) / ((high_x - low_x) or 1.0) if share is None else share
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def down(y: float) -> float:
        return round(BOTTOM - (y - low) / ((high - low) or 1.0) * (BOTTOM - TOP), 1)

    lines: list[dict[str, Any]] = []
    for text, colour, dash, xs, ys in some:
        places = [(across(x), down(y)) for x, y in zip(xs, ys) if math.isfinite(y)]
        if not places:
            continue
        dots = places if dash == "." or len(places) == 1 else []
        points = " ".join(f"{x},{y}" for x, y in places)
        shown = {"name": text, "colour": colour, "dash": dash, "points": points, "dots": dots}
        lines.append({**shown, "label_y": places[-1][1]})
    spread(lines)
    return {
        "name": name,
        "lines": lines,
        "ticks": [(down(y), f"{y:.3g}") for y in dict.fromkeys([low, high])],
        "epochs": [(across(x), f"{x:.3g}") for x in dict.fromkeys([low_x, high_x])],
    }


def spread(lines: list[dict[str, Any]]) -> None:
    """Move the names of curves apart, from the top down, so that none covers another."""
    free = -math.inf
    for line in sorted(lines, key=lambda line: line["label_y"]):
        line["label_y"] = free = max(line["label_y"], free + APART)
    over = max((line["label_y"] for line in lines), default=0) - BOTTOM
    for line in lines if over > 0 else ():
        line["label_y"] -= over
