"""Looking at images: a grid of them as a figure, or one as a block of text in a terminal."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitlab.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = " ░▒▓█"  # from no ink to full ink
ASCII_SHADES = " .:-=+*#%@"


def image_text(image: NDArray[np.uint8], *, ascii_only: bool = False) -> str:
    """An image (H, W) or (H, W, 3) as H lines of shades, two characters a pixel, since characters are tall."""
    grey = image if image.ndim == 2 else image.mean(axis=-1)  # (H, W)
    shades = ASCII_SHADES if ascii_only else SHADES
    level = np.minimum(grey.astype(np.float64) * len(shades) / 256, len(shades) - 1).astype(int)
    return "\n".join("".join(2 * shades[i] for i in row).rstrip() for row in level)


def image_grid(images: NDArray[np.uint8], titles: list[str], *, columns: int) -> "Figure":
    """Images (N, H, W) or (N, H, W, 3) in rows of `columns`, each under its title, as a matplotlib Figure.

    The figure belongs to no window (`figure.savefig("digits.png")`; a notebook shows it by itself).
    """
    rows = -(-len(images) // columns)
    figure = new_figure(0.9 * columns, 1.1 * rows)
    for at, (image, title) in enumerate(zip(images, titles), start=1):
        axes = figure.add_subplot(rows, columns, at)
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)  # ink is dark, as on paper
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    return figure
