"""The weights of dense layers and the filters of convolutions as pictures."""

from collections.abc import Sequence

import numpy as np

from digitlab.viz.figures import Array, Figure, new_figure

TILE, HIGH = 0.9, 1.15  # the longer side of a tile and the distance of rows, as shares of the distance of columns


def tiles_figure(
    tiles: Sequence[Array] | Array,
    titles: Sequence[str],
    *,
    title: str,
    columns: int = 10,
    unit: str = "",
    limit: float | None = None,
) -> Figure:
    """Arrays (H, W) on one common scale from blue (−limit) over white to red, with one colour bar.

    The limit is the largest of their numbers unless given.
    """
    rows = max(-(-len(tiles) // columns), 1)
    columns = min(columns, max(len(tiles), 1))
    figure = new_figure(max(1.05 * columns + 0.9, 4.5), 1.2 * rows + 0.6)
    figure.suptitle(title, fontsize=11)
    limit = limit or max((float(np.abs(tile).max()) for tile in tiles), default=1.0) or 1.0
    axes = figure.add_subplot()  # one for all tiles: the layout of hundreds of axes takes most of a minute
    axes.set_axis_off()
    image = None
    for at, (tile, words) in enumerate(zip(tiles, titles)):
        row, column = divmod(at, columns)
        h, w = (side / max(tile.shape) * TILE / 2 for side in tile.shape)
        x, y = column + 0.5, HIGH * row + HIGH - TILE / 2
        image = axes.imshow(tile, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=(x - w, x + w, y + h, y - h))
        axes.plot([x - w, x + w, x + w, x - w, x - w], [y - h, y - h, y + h, y + h, y - h], color="black", lw=0.8)
        axes.text(x, y - h - 0.04, words, fontsize=7, ha="center", va="bottom")
    axes.set(xlim=(0, columns), ylim=(HIGH * rows + 0.05, 0))
    if image is not None:
        figure.colorbar(image, ax=axes, label=unit, shrink=0.8 if rows > 1 else 1.0)
    return figure


def weights_figure(weights: Array, shape: tuple[int, ...], *, limit: int = 100, title: str = "") -> Figure:
    """The weights (in, out) into each neuron, as a picture of the input's `shape` (H, W) or (H, W, channels).

    Several channels are summed. At most `limit` neurons are shown, those with the longest weight vectors.
    """
    norms = np.linalg.norm(weights, axis=0)  # (out,)
    chosen = np.sort(np.argsort(-norms, kind="stable")[:limit])
    tiles = [weights[:, j].reshape(shape) for j in chosen]
    tiles = [tile.sum(axis=-1) if tile.ndim == 3 else tile for tile in tiles]
    left_out = f", the {len(chosen)} with the longest weight vectors" if len(chosen) < len(norms) else ""
    title = f"{title or 'Weights into each neuron'}{left_out}"
    return tiles_figure(tiles, [f"neuron {j}" for j in chosen], title=title, unit="weight")


def filters_figure(weights: Array, *, limit: int = 12, title: str = "Filters") -> Figure:
    """The kernels (kh, kw, channels, filters): a column per filter, a row per channel, at most `limit` channels.

    The filters of a single channel fill several rows.
    """
    kernels = weights.transpose(2, 3, 0, 1)[:limit]  # (channels, filters, kh, kw)
    if weights.shape[2] == 1:
        return tiles_figure(kernels[0], [f"filter {f}" for f in range(kernels.shape[1])], title=title, unit="weight")
    kernels = kernels[:, :24]
    shown, few = kernels.shape[:2]
    titles = [f"{c} → {f}" for c in range(shown) for f in range(few)]
    _, _, channels, filters = weights.shape
    if (shown, few) < (channels, filters):
        title = f"{title} (first {shown} of {channels} channels, {few} of {filters} filters)"
    tiles = kernels.reshape(-1, *weights.shape[:2])
    return tiles_figure(tiles, titles, title=f"{title}: channel → filter", columns=few, unit="weight")
