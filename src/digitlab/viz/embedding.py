"""A hidden layer in two dimensions: images with similar activations are near each other."""

from collections.abc import Sequence

import numpy as np

from digitlab.errors import ShapeError
from digitlab.nn.network import Network
from digitlab.viz.activity import activities
from digitlab.viz.figures import COLOURS, Array, Figure, new_figure


def last_hidden(network: Network, images: Array) -> Array:
    """The input of the last layer with parameters, (N, features). Raises ShapeError if that is the network's input."""
    learning = [i for i, layer in enumerate(network.layers) if layer.params or layer.children()]
    if not learning or learning[-1] == 0:
        raise ShapeError("a map of the hidden layer needs a hidden layer; this network has none")
    values = activities(network, images)[learning[-1]].values  # the input of layer i
    return values.reshape(len(values), -1)


def embed(features: Array, way: str, *, seed: int = 0) -> Array:
    """Features (N, n) in two dimensions, (N, 2): "pca" (Pearson 1901) or "tsne" (van der Maaten & Hinton 2008).

    Both are scikit-learn's. t-SNE begins from the PCA; its perplexity is 30, or less where there are few points.
    """
    if way == "pca":
        from sklearn.decomposition import PCA

        flat = PCA(2, random_state=seed, svd_solver="full").fit_transform(features)
    elif way == "tsne":
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits

        perplexity = min(30.0, max((len(features) - 1) / 3, 1.0))
        # One thread: on a busy machine several wait for each other; 1,000 points took 71 s with two and 10 s with one.
        with threadpool_limits(1):
            flat = TSNE(2, init="pca", perplexity=perplexity, random_state=seed).fit_transform(features)
    else:
        raise ShapeError(f"got {way!r}; expected 'pca' or 'tsne'")
    return np.asarray(flat, np.float64)


def map_figure(maps: dict[str, Array], labels: Array, class_names: Sequence[str]) -> Figure:
    """Maps by title: points (N, 2), each drawn as the sign of its class, so that colour is not needed."""
    figure = new_figure(6.2 * len(maps), 5.8)
    for place, (title, points) in enumerate(maps.items()):
        axes = figure.add_subplot(1, len(maps), place + 1)
        for c, name in enumerate(class_names):
            mine = points[labels == c]
            marker = f"${name}$" if len(name) == 1 and name.isalnum() else "osD^vP*X<>"[c % 10]
            colour = COLOURS[c % len(COLOURS)]
            if len(mine):
                axes.scatter(mine[:, 0], mine[:, 1], s=28, marker=marker, color=colour, linewidths=0.3, label=name)
        axes.set(title=title, xlabel="first coordinate", ylabel="second coordinate")
    if any(len(name) > 1 for name in class_names):
        figure.axes[-1].legend(fontsize=7)
    return figure
