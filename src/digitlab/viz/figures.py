"""What all figures share: no pyplot, a palette for colour-blind readers, images, labels, atomic saving."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.errors import ConfigError, in_brief
from digitlab.figure import COLOURS as COLOURS
from digitlab.figure import finish_axes as finish_axes
from digitlab.figure import name_lines as name_lines
from digitlab.figure import new_figure as new_figure
from digitlab.figure import without_formulas, without_glyph_warnings
from digitlab.figure import write_below as write_below
from digitlab.files import atomic_write, require_suffix

Figure = Any  # matplotlib.figure.Figure, imported only when a figure is drawn
Array = np.ndarray[Any, Any]


@checked
def save_figure(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 120) -> None:
    """Write the figure as the format of the path's suffix (.png, .svg, .pdf), atomically.

    Raises ConfigError for a suffix that names no picture format.
    """
    if not hasattr(figure, "savefig"):
        raise ConfigError(f"save_figure: got {in_brief(repr(figure))}, expected a figure of matplotlib")
    if Path(path).suffix.lower().removeprefix(".") not in figure.canvas.get_supported_filetypes():
        require_suffix(path, "a picture", ".png", ".svg", ".pdf", bare=False)
    with without_glyph_warnings(), atomic_write(path) as temporary:
        without_formulas(figure).savefig(temporary, dpi=dpi)


def axes_figure(width: float = 7.5, height: float = 4.5) -> tuple[Figure, Any]:
    """A new figure and its only axes."""
    figure = new_figure(width, height)
    return figure, figure.add_subplot()


def show_image(axes: Any, image: Array, title: str = "", *, size: float = 7.0) -> None:
    """Draw bytes (H, W) or (H, W, 3) without ticks: ink is dark, as on paper."""
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
    without_ticks(axes, title, size)


def show_signed(axes: Any, values: Array, title: str = "", *, limit: float | None = None, size: float = 7.0) -> Any:
    """Draw numbers (H, W) without ticks, from blue (−limit) over white (0) to red; returns what a colour bar needs."""
    limit = limit or float(np.abs(values).max()) or 1.0
    drawn = axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
    without_ticks(axes, title, size)
    return drawn


def without_ticks(axes: Any, title: str = "", size: float = 7.0) -> None:
    """Give a picture its title and no ticks."""
    axes.set_title(title, fontsize=size)
    axes.set(xticks=[], yticks=[])


def heatmap_figure(pictures: Sequence[Array], titles: Sequence[str], *, columns: int = 5) -> Figure:
    """Pictures (H, W) as heat maps from blue (below 0) over white to red (above 0), each with its own scale."""
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure = new_figure(2.2 * columns + 0.4, 2.5 * rows + 0.2)
    for i, (picture, title) in enumerate(zip(pictures, titles)):
        axes = figure.add_subplot(rows, columns, i + 1)
        figure.colorbar(show_signed(axes, picture, title, size=9), ax=axes, shrink=0.7)
    return figure
