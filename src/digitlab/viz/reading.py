"""A photo with its recognized digits in boxes, and every stage between photo and prediction."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.viz.figures import COLOURS, Figure, new_figure

Box = tuple[int, int, int, int]  # left, top, right, bottom
READ, REFUSED = COLOURS[0], COLOURS[1]
PER_ROW = 16  # images for the network
WIDE = 8.0  # inches of the annotated photo
SHARP = 200  # pixels an inch of what is drawn: more than a picture that is saved keeps


def annotated_figure(
    photo: NDArray[np.uint8], boxes: Sequence[Box], texts: Sequence[str], read: Sequence[bool], *, title: str
) -> Figure:
    """A photo (H, W, 3) with a box and a text for each mark: blue if it was read, orange if not."""
    h, w = photo.shape[:2]
    figure = new_figure(WIDE, max(2.0, WIDE * h / w) + 0.4)
    _annotate(figure.add_subplot(), photo, boxes, texts, read, WIDE)
    figure.suptitle(title, fontsize=11)
    return figure


def _annotate(
    axes: Any, photo: NDArray[np.uint8], boxes: Any, texts: Any, read: Any, inches: float, size: float = 9.0
) -> None:
    from matplotlib.patches import Rectangle

    _draw(axes, photo, inches)
    for (left, top, right, bottom), text, fine in zip(boxes, texts, read):
        colour = READ if fine else REFUSED
        style = "-" if fine else "--"
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, ec=colour, lw=1.2, ls=style))
        note = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
        axes.text(left, top - 2, text, color=colour, fontsize=size, va="bottom", bbox=note)
    axes.set_axis_off()


def _draw(axes: Any, plane: NDArray[Any], inches: float) -> None:
    """Draw a picture on axes of about this width, in its own coordinates, averaged to the pixels that can be seen.

    matplotlib would shrink every pixel of a photo as numbers of 64 bits, several times for each figure.
    """
    from PIL import Image

    h, w = plane.shape[:2]
    smaller = int(w / (inches * SHARP))
    bytes_ = 255 * plane.view(np.uint8) if plane.dtype == bool else plane
    few = bytes_ if smaller < 2 else np.asarray(Image.fromarray(bytes_).reduce(smaller))
    axes.imshow(few, cmap="gray", vmin=0, vmax=255, extent=(-0.5, w - 0.5, h - 0.5, -0.5))


def stages_figure(
    stages: Sequence[tuple[str, NDArray[Any]]],
    boxes: Sequence[Box],
    texts: Sequence[str],
    read: Sequence[bool],
    images: NDArray[np.uint8],
    *,
    title: str,
) -> Figure:
    """Every stage in one figure: named pictures, the boxes on the first of them, and the images for the network.

    stages    (name, picture), the photo (H, W, 3) first, then planes (H, W): bool, or 0 (black) to 255
    texts     a class and its confidence, such as "5 98%"; the boxes have the class only
    images    uint8 (N, 28, 28) or (N, 28, 28, 3), with `texts` as their titles
    """
    photo = stages[0][1]
    h, w = photo.shape[:2]
    columns = 4 if w >= 0.7 * h else 7
    cells = len(stages) + 1
    rows, strip, width = -(-cells // columns), -(-max(1, len(images)) // PER_ROW), 13.0
    height = rows * (width / columns * h / w + 0.35)
    figure: Any = new_figure(width, height + strip + 0.5)
    above, below = figure.subfigures(2, 1, height_ratios=[height, strip + 0.1])
    figure.suptitle(title, fontsize=12)
    for at, (name, plane) in enumerate(stages, start=1):
        axes = above.add_subplot(rows, columns, at)
        _draw(axes, plane, width / columns)
        axes.set_title(f"{at}  {name}", fontsize=10)
        axes.set_axis_off()
    axes = above.add_subplot(rows, columns, cells)
    classes = [text.rsplit(" ", 1)[0] for text in texts]  # the boxes are too close for confidences
    _annotate(axes, photo, boxes, classes, read, width / columns, size=7.5)
    axes.set_title(f"{cells}  boxes and labels", fontsize=10)
    _draw_images(below.add_subplot(), images, texts, read, strip)
    return figure


def _draw_images(axes: Any, images: NDArray[np.uint8], texts: Sequence[str], read: Sequence[bool], rows: int) -> None:
    """Images (N, 28, 28) or (N, 28, 28, 3) side by side, each with its text above, on one pair of axes.

    Hundreds of axes, as a textured paper has marks, would take most of a minute.
    """
    high = 1.25  # the distance of rows, where that of columns is 1
    for at, (image, text, fine) in enumerate(zip(images, texts, read)):
        row, column = divmod(at, PER_ROW)
        left, bottom = column + 0.05, high * row + high
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=(left, left + 0.9, bottom, bottom - 0.9))
        axes.text(left + 0.45, bottom - 0.95, text, fontsize=7, color=READ if fine else REFUSED, ha="center")
    axes.set(xlim=(0, PER_ROW), ylim=(high * rows + 0.05, 0))
    axes.set_axis_off()
