"""The one kind of figure made here: without pyplot, so that no window ever opens, and shown by notebooks by itself."""

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float = 7.0, height: float = 4.5) -> "Figure":
    """An empty figure of this size in inches, laid out by constraint so that nothing overlaps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    # What IPython asks an object for. Only figures that pyplot knows are shown by other means.
    figure._repr_png_ = lambda: as_png(figure)  # type: ignore[attr-defined]
    return figure


def as_png(figure: Any, *, dpi: int = 80) -> bytes:
    """The figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
