"""Augmented images, compared with the originals."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from digitlab.viz.figures import Figure, new_figure, show_image

Images = np.ndarray[Any, Any]


def augment_figure(columns: Mapping[str, Images], *, title: str) -> Figure:
    """A grid of images: a column for each name, (R, H, W) or (R, H, W, 3) uint8, a row for each image.

    Grey images are drawn as ink on paper. A faint cross marks the centre.
    """
    rows = len(next(iter(columns.values())))
    figure = new_figure(1.15 * len(columns) + 0.2, 1.1 * rows + 0.7)
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(rows, len(columns), squeeze=False)
    for j, (name, images) in enumerate(columns.items()):
        for i, image in enumerate(images):
            axes = grid[i, j]
            show_image(axes, image, "" if i else name, size=8)
            height, width = image.shape[:2]
            axes.axhline((height - 1) / 2, color="#0072B2", alpha=0.25, linewidth=0.7)
            axes.axvline((width - 1) / 2, color="#0072B2", alpha=0.25, linewidth=0.7)
    return figure
