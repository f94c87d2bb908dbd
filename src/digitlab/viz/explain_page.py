"""A walk through one example as a page of HTML; arrays that are pictures are drawn as pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.viz.explain import Walk, number_text, shape_text, shorten
from digitlab.viz.explain_step import Step, change_text
from digitlab.viz.figures import Array
from digitlab.viz.pages import data_uri, png_bytes, render, signed_pixels

MOST = 16  # maps of one array


def explain_page(found: Walk, class_names: Sequence[str], *, label: int, title: str, step: Step | None = None) -> str:
    """The walk as a self-contained page: forward from the image to the loss, backward to the image, and the step."""
    guess = int(found.outputs.argmax())
    return render(
        "explain.html",
        title,
        guess=class_names[guess],
        verdict="which is correct" if guess == label else f"but the label is {class_names[label]}",
        loss=found.loss,
        steps=found.steps,
        step=step,
        change_text=change_text,
        number_text=number_text,
        shape_text=shape_text,
        shorten=shorten,
        pictures=_pictures,
    )


def _pictures(array: Array) -> dict[str, Any] | None:
    """An array as pictures, where it is some: maps (1, H, W, C), kernels (kh, kw, C, F), 784 pixels, a matrix.

    Pictures that are 0 everywhere are left out, and counted.
    """
    every = pictures_in(array)
    if not every:
        return None
    tiles = [tile for tile in every if np.any(tile)]
    blank = len(every) - len(tiles)
    if not tiles:
        return {"shown": [], "more": 0, "blank": blank}
    limit = max(float(np.abs(tile).max()) for tile in tiles) or 1.0
    zoom = int(max(1, min(8, 84 // max(tiles[0].shape))))
    height, width = tiles[0].shape
    size = {"width": width * zoom, "height": height * zoom}
    shown = [{"uri": data_uri(png_bytes(signed_pixels(tile, limit))), **size} for tile in tiles[:MOST]]
    return {"shown": shown, "more": len(tiles) - len(shown), "blank": blank}


def pictures_in(array: Array) -> list[Array]:
    """The pictures (H, W) that an array is made of; [] if it is none, too small or too large for one."""
    if array.ndim == 4 and array.shape[0] == 1:  # one example's maps
        tiles = [array[0, :, :, c] for c in range(array.shape[3])]
    elif array.ndim == 4:  # kernels
        tiles = [array[:, :, c, f] for f in range(array.shape[3]) for c in range(array.shape[2])]
    elif array.ndim == 3 and array.shape[0] == 1:
        tiles = [array[0]]
    elif array.ndim == 2:
        rows, columns = array.shape
        side = round(rows**0.5)
        if rows == 1:
            side = round(columns**0.5)
            tiles = [array.reshape(side, side)] if side * side == columns and side >= 5 else []
        elif side * side == rows and side >= 8:  # weights from pixels: a picture per neuron
            tiles = [array[:, j].reshape(side, side) for j in range(columns)]
        else:
            tiles = [array] if max(array.shape) <= 256 else []
    else:
        tiles = []
    return [tile for tile in tiles if tile.size > 1]
