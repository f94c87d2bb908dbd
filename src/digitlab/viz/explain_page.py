"""A walk through one example as a page of HTML, arrays that are pictures drawn as pictures."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from digitlab.viz.explain import LayerStep, Walk, shape_text, shorten
from digitlab.viz.pages import data_uri, page

Array = np.ndarray[Any, Any]

STYLE = """
section { border-left: .25rem solid var(--strong); padding-left: 1rem; margin: 1.2rem 0; }
section.back { border-color: var(--warm); }
h3 { margin: .2rem 0; font-size: 1.05rem; overflow-wrap: anywhere; }
td.values { width: 100%; }
.maps { display: flex; flex-wrap: wrap; gap: 3px; }
.maps img { image-rendering: pixelated; border: 1px solid var(--line); }
"""
MOST = 16  # maps of one array


def explain_page(found: Walk, class_names: Sequence[str], *, label: int, title: str) -> str:
    """The walk as a self-contained page: forward from the image to the loss, then backward to the image."""
    guess = int(found.outputs.argmax())
    verdict = "which is right" if guess == label else f"but it is a {class_names[label]}"
    forward = "\n".join(_section(step, step.forward_formula, step.forward, "") for step in found.steps)
    backward = "\n".join(_section(step, step.backward_formula, step.backward, "back") for step in reversed(found.steps))
    body = (
        f"<p>The network reads a {escape(class_names[guess])}, {escape(verdict)}. Its loss on this one example is "
        f"{found.loss:.4g}. Pictures run from blue (below 0) over white to red (above 0), each on its own scale.</p>"
        f"<h2>Forward: from the image to the loss</h2>\n{forward}\n"
        f"<h2>Backward: from the loss to every weight</h2>\n{backward}"
    )
    return page(title, body, style=STYLE)


def _section(step: LayerStep, formula: str, arrays: dict[str, Array], kind: str) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{shape_text(array)}</td>'
        f'<td class="values numbers">{escape(shorten(array))}{_maps(array, name)}</td></tr>'
        for name, array in arrays.items()
    )
    about = f"<p>{escape(step.about)}</p>" if step.about != formula and not kind else ""
    return (
        f'<section class="{kind}"><h3>{escape(step.name)}</h3>{about}<pre>{escape(formula)}</pre>\n'
        f"<table><thead><tr><th>array</th><th>shape</th><th>values</th></tr></thead><tbody>\n{rows}\n"
        "</tbody></table></section>"
    )


def _maps(array: Array, name: str) -> str:
    """An array as pictures, where it is some: maps (1, H, W, C), kernels (kh, kw, C, F), 784 pixels, a matrix."""
    tiles = pictures_in(array)
    if not tiles:
        return ""
    limit = max(float(np.abs(tile).max()) for tile in tiles) or 1.0
    shown = "".join(
        f'<img src="{data_uri(_coloured(tile, limit))}" alt="{escape(name)}, picture {i}" '
        f'width="{tile.shape[1] * _zoom(tile)}" height="{tile.shape[0] * _zoom(tile)}">'
        for i, tile in enumerate(tiles[:MOST])
    )
    more = f" and {len(tiles) - MOST:,} more" if len(tiles) > MOST else ""
    return f'<div class="maps">{shown}</div>{more}'


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


def _zoom(tile: Array) -> int:
    return int(max(1, min(8, 84 // max(tile.shape))))


def _coloured(tile: Array, limit: float) -> bytes:
    """Numbers as a PNG from blue (−limit) over white to red (limit)."""
    import io

    from PIL import Image

    strength = np.clip(np.asarray(tile, float) / limit, -1, 1)[..., None]  # (H, W, 1)
    white, red, blue = (np.array(c, float) for c in ((255, 255, 255), (178, 24, 43), (33, 102, 172)))
    colours = np.where(strength >= 0, white + strength * (red - white), white - strength * (blue - white))
    file = io.BytesIO()
    Image.fromarray(np.round(colours).astype(np.uint8)).save(file, "PNG", optimize=True)
    return file.getvalue()
