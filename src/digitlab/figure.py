"""The one kind of figure made here: without pyplot, so that no window ever opens, and shown by notebooks by itself."""

import io
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

DOLLAR = re.compile(r"(?<!\\)\$")

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito 2008, "Color Universal Design": distinguishable with every common colour blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def new_figure(width: float = 7.0, height: float = 4.5) -> "Figure":
    """An empty figure of this size in inches, laid out by constraint so that nothing overlaps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    # The method that IPython calls to show an object. Only figures that pyplot knows are shown by other means.
    figure._repr_png_ = lambda: as_png(figure)  # type: ignore[attr-defined]
    return figure


def as_png(figure: Any, *, dpi: int = 80) -> bytes:
    """The figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with without_glyph_warnings():
        without_formulas(figure).savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


@contextmanager
def without_glyph_warnings() -> Iterator[None]:
    """Draw without a warning for each character that the font lacks, which appears as a box: names may be anything."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")  # Hebrew, Tamil …
        yield


def without_formulas(figure: Any) -> Any:
    """The figure, with every dollar in a title, label, legend or name shown as one.

    To matplotlib two of them enclose a formula, and no text here is one: names of runs, photos and classes may be
    anything. The labels of logarithmic axes, which matplotlib writes itself, are left alone.
    """
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if "$" in text.get_text() and "mathdefault" not in text.get_text():
            text.set_text(DOLLAR.sub(r"\\$", text.get_text()))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() != "log":
                for tick in axis.get_major_ticks():
                    tick.label1.set_parse_math(False)
    return figure


def finish_axes(axes: Any, x: str, y: str, title: str = "", *, legend: bool | str = True, **how: Any) -> None:
    """Add labels, title, grid and, if curves have labels, a legend with the options `how`; epochs are whole numbers.

    With `legend="below"` it is below the axes of the figure, where it covers nothing.
    """
    axes.set(xlabel=x, ylabel=y)
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    if x.startswith("epoch"):
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    labels = axes.get_legend_handles_labels()[1]
    if legend == "below" and labels:
        fitting = axes.figure.get_figwidth() // (0.055 * max(map(len, labels)) + 0.4)  # inches of a label at this size
        rows = math.ceil(len(labels) / max(1, fitting))
        columns = math.ceil(len(labels) / rows)
        axes.figure.legend(fontsize=8, loc="outside lower center", ncols=columns, **how)
    elif legend and labels:
        axes.legend(fontsize=8, **how)


def name_lines(axes: Any, size: float = 8.0) -> None:
    """Write each labelled curve's name to the right of the axes, at the height where it ends, none over another."""
    lines = [line for line in axes.get_lines() if not str(line.get_label()).startswith("_") and len(line.get_xdata())]
    axes.autoscale_view()  # else matplotlib knows of the limits only when it draws
    heights = [
        axes.transAxes.inverted().transform(axes.transData.transform(line.get_xydata()[-1]))[1] for line in lines
    ]
    apart = 1.5 * size / (72 * axes.figure.get_figheight())  # a share of the axes' height
    free = -apart
    for height, line in sorted(zip(heights, lines), key=lambda pair: pair[0]):
        free = max(height, free + apart)
        place = (1.01, free)
        axes.annotate(
            line.get_label(), place, xycoords="axes fraction", va="center", fontsize=size, color=line.get_color()
        )


def write_below(axes: Any, place: tuple[float, float], text: str, **how: Any) -> None:
    """Write a small text below a point (x, y)."""
    axes.annotate(text, place, textcoords="offset points", xytext=(0, -12), ha="center", fontsize=8, **how)
