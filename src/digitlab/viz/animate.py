"""How a network changes over the epochs: weights, filters, the fitted curve, imagined digits, embedding, boundary."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import to_numpy
from digitlab.errors import ConfigError, ShapeError, not_among
from digitlab.nn import Conv2D, Dense, Network
from digitlab.viz.animation import Animation, figure_frame
from digitlab.viz.ascent import ascend
from digitlab.viz.embedding import last_hidden
from digitlab.viz.figures import COLOURS, Array, Figure, axes_figure, finish_axes
from digitlab.viz.imagine import dense_chain, imagine, linear_back, picture_shape
from digitlab.viz.weights import tiles_figure

NEURONS, POINTS, GRID = 30, 400, 120  # tiles, points of an embedding, steps along each axis of a boundary


@dataclass(frozen=True)
class Epochs:
    """A training's networks by epoch, and examples of its data where a picture needs some.

    x  (N, ...) as the network takes them     y  int (N,), the labels     class_names  what these are called
    function   y of x (N,), which a network of one input and one output approximates
    """

    networks: Mapping[int, Network]
    x: Array | None = None
    y: Array | None = None
    class_names: Sequence[str] = ()
    function: Callable[[Array], Array] | None = None

    @property
    def last(self) -> Network:
        """The network after the last epoch."""
        return self.networks[max(self.networks)]

    def title(self, epoch: int) -> str:
        """What is written over a frame."""
        return f"epoch {epoch}" if epoch else "before training"


def weights(epochs: Epochs) -> Iterator[Figure]:
    """The weights from the pixels into each neuron of the first layer."""
    layer = next((i for i, layer in enumerate(epochs.last.layers) if isinstance(layer, Dense)), None)
    if layer is None or epochs.last.shapes[layer] != (int(np.prod(epochs.last.input_shape)),):
        raise ShapeError("no dense layer takes the pixels")

    def of(network: Network) -> Array:
        dense: Any = network.layers[layer]
        W: Array = to_numpy(dense.connected(dense.params["W"].value))  # (in, out)
        return W

    shape = picture_shape(epochs.last)
    chosen = np.sort(np.argsort(-np.linalg.norm(of(epochs.last), axis=0), kind="stable")[:NEURONS])

    def tiles(network: Network) -> list[Array]:
        return [_grey(of(network)[:, j].reshape(shape)) for j in chosen]

    return _tiles(epochs, tiles, [f"neuron {j}" for j in chosen], f"layer {layer}, {epochs.last.layers[layer]!r}")


def filters(epochs: Epochs) -> Iterator[Figure]:
    """The kernels of the first convolution, those of several channels summed."""
    name = next((name for name, layer in epochs.last.named_layers() if isinstance(layer, Conv2D)), None)
    if name is None:
        raise ShapeError("there is no convolution in this network")
    count = min(epochs.last.parameters()[f"{name}.W"].value.shape[-1], NEURONS)

    def tiles(network: Network) -> list[Array]:
        W = to_numpy(network.parameters()[f"{name}.W"].value)  # (kh, kw, channels, filters)
        return [W[..., f].sum(axis=-1) for f in range(count)]

    return _tiles(epochs, tiles, [f"filter {f}" for f in range(count)], f"layer {name}")


def curve(epochs: Epochs) -> Iterator[Figure]:
    """The function that a network of one input and one output computes."""
    if epochs.last.input_shape != (1,) or epochs.last.shapes[-1] != (1,):
        raise ShapeError("the network has more than one input or output, so it is no curve")
    grid = np.linspace(*_ends(epochs), 300)
    curves = {epoch: np.ravel(network.predict(grid[:, None])) for epoch, network in epochs.networks.items()}
    return curve_figures(grid, curves, None if epochs.function is None else epochs.function(grid))


def curve_figures(grid: Array, curves: Mapping[int, Array], target: Array | None = None) -> Iterator[Figure]:
    """A figure for each epoch's curve (G,), with the function (G,) in grey, all on one scale."""
    scale = target if target is not None else curves[max(curves)]
    margin = 0.25 * (float(np.ptp(scale)) or 1.0)
    for epoch, values in curves.items():
        figure, axes = axes_figure(6.4, 4.2)
        if target is not None:
            axes.plot(grid, target, color="black", linewidth=4, alpha=0.25, label="function")
        axes.plot(grid, values, color=COLOURS[0], linewidth=1.4, label="network")
        axes.set_ylim(float(scale.min()) - margin, float(scale.max()) + margin)
        finish_axes(axes, "x", "y", f"epoch {epoch}" if epoch else "before training", loc="upper left")
        yield figure


def imagined(epochs: Epochs) -> Iterator[Figure]:
    """What each digit looks like to the network: the linear inversion, or gradient ascent where there is none."""
    outputs = epochs.last.shapes[-1]
    if len(outputs) != 1 or outputs[0] < 2:
        raise ShapeError(f"the network gives outputs {outputs}, not classes; there is no digit to imagine")
    digits = range(min(outputs[0], NEURONS))
    try:
        dense_chain(epochs.last)
        linear = True
    except ShapeError:
        linear = False
    for epoch, network in epochs.networks.items():
        some = [linear_back(network, d) for d in digits] if linear else ascend(network, digits, steps=60, starts=1)
        seen = [imagine(network, d, picture, stretch=linear) for d, picture in zip(digits, some)]
        pictures = [_grey(one.picture) / (float(np.abs(one.picture).max()) or 1.0) for one in seen]
        names = [f"{one.digit}, read as {one.first}" for one in seen]
        yield tiles_figure(
            pictures, names, title=epochs.title(epoch), columns=5, unit="share of the largest", limit=1.0
        )


def embedding(epochs: Epochs) -> Iterator[Figure]:
    """The last hidden layer's activations for some images, on the two principal axes of the last epoch."""
    if epochs.x is None or epochs.y is None:
        raise ShapeError("an embedding needs labelled images")
    from sklearn.decomposition import PCA

    x, y = epochs.x[:POINTS], np.asarray(epochs.y[:POINTS])
    axes_of = PCA(2, svd_solver="full").fit(last_hidden(epochs.last, x))
    maps = {epoch: axes_of.transform(last_hidden(network, x)) for epoch, network in epochs.networks.items()}
    every = np.concatenate(list(maps.values()))
    margin = 0.05 * np.ptp(every, axis=0)
    low, high = every.min(axis=0) - margin, every.max(axis=0) + margin
    for epoch, points in maps.items():
        figure, axes = axes_figure(5.6, 5.2)
        for c in np.unique(y):
            name = epochs.class_names[c] if len(epochs.class_names) > c else str(c)
            marker = f"${name}$" if len(name) == 1 and name.isalnum() else "osD^vP*X<>"[c % 10]
            axes.scatter(*points[y == c].T, s=28, marker=marker, color=COLOURS[c % len(COLOURS)], linewidths=0.3)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        finish_axes(axes, "first principal axis", "second principal axis", epochs.title(epoch))
        yield figure


def boundary(epochs: Epochs) -> Iterator[Figure]:
    """The class, or the one output, at every point of a plane: for networks of two inputs."""
    if epochs.last.input_shape != (2,):
        raise ShapeError(f"a boundary needs a network of two inputs; this one takes {epochs.last.input_shape}")
    low, high = _ends(epochs)
    ticks = np.linspace(low, high, GRID)
    plane = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    from matplotlib.colors import ListedColormap

    for epoch, network in epochs.networks.items():
        outputs = to_numpy(network.predict(plane))
        figure, axes = axes_figure(5.6, 5.2)
        if outputs.shape[1] == 1:
            axes.contourf(ticks, ticks, outputs.reshape(GRID, GRID), 12, cmap="RdBu_r")
        else:
            guesses = outputs.argmax(axis=1).reshape(GRID, GRID)
            some = ListedColormap([COLOURS[c % len(COLOURS)] for c in range(outputs.shape[1])])
            axes.imshow(
                guesses, extent=(low, high, low, high), origin="lower", cmap=some, alpha=0.35, vmin=0,
                vmax=outputs.shape[1] - 1, aspect="auto",
            )  # fmt: skip
        if epochs.x is not None and epochs.y is not None:
            for c in np.unique(epochs.y):
                mine = np.asarray(epochs.x)[np.asarray(epochs.y) == c]
                colour, marker = COLOURS[int(c) % len(COLOURS)], "osD^vP*X<>"[int(c) % 10]
                axes.scatter(*mine[:POINTS].T, s=14, marker=marker, color=colour, edgecolors="black", linewidths=0.3)
        axes.set(xlim=(low, high), ylim=(low, high))
        finish_axes(axes, "first input", "second input", epochs.title(epoch))
        yield figure


WHAT: dict[str, Callable[[Epochs], Iterator[Figure]]] = {
    "curve": curve,
    "boundary": boundary,
    "weights": weights,
    "filters": filters,
    "imagined": imagined,
    "embedding": embedding,
}


@checked
def animate(
    epochs: Epochs, what: str = "", *, fps: float = 5.0, progress: Callable[[], None] | None = None
) -> Animation:
    """The animation of that name, a frame for each epoch; by default the first of WHAT that fits the network.

    `progress` is called after each frame. Raises ConfigError for an unknown name, ShapeError where it does not fit.
    """
    if what and what not in WHAT:
        raise ConfigError(f"what: got {not_among(what, WHAT)}")
    return drawn(WHAT[what or fitting(epochs)](epochs), fps=fps, progress=progress)


def fitting(epochs: Epochs) -> str:
    """The first name in WHAT that fits the network. Raises ShapeError if none does."""
    for name, figures in WHAT.items():
        with suppress(ShapeError):
            next(figures(epochs))
            return name
    raise ShapeError(f"none of {', '.join(WHAT)} fits this network")


def drawn(figures: Iterable[Figure], *, fps: float = 5.0, progress: Callable[[], None] | None = None) -> Animation:
    """Figures as the frames of an animation; `progress` is called after each."""
    frames = []
    for figure in figures:
        frames.append(figure_frame(figure))
        if progress is not None:
            progress()
    return Animation(frames, fps)


def _tiles(epochs: Epochs, of: Callable[[Network], list[Array]], names: list[str], what: str) -> Iterator[Figure]:
    """Tiles of each epoch on one scale, that of all epochs."""
    some = {epoch: of(network) for epoch, network in epochs.networks.items()}
    limit = max(float(np.abs(tile).max()) for tiles in some.values() for tile in tiles) or 1.0
    for epoch, tiles in some.items():
        yield tiles_figure(tiles, names, title=f"{epochs.title(epoch)}: {what}", unit="weight", limit=limit)


def _grey(picture: Array) -> Array:
    """A picture with its colours summed."""
    return picture.sum(axis=-1) if picture.ndim == 3 else picture


def _ends(epochs: Epochs) -> tuple[float, float]:
    """The range of inputs to draw: that of the training, or −1 to 1 where it is not known."""
    known = epochs.last.input_range
    return (known.low, known.high) if known is not None else (-1.0, 1.0)
