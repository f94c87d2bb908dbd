"""All pictures of a network, as a list of named figures: what `digitlab look` draws."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.engine.select import predict
from digitlab.errors import ConfigError, ShapeError, not_among
from digitlab.nn.conv import Conv2D
from digitlab.nn.network import Dense, Network
from digitlab.train.evaluation import class_shares
from digitlab.train.history import Row
from digitlab.train.recorders import gradient_norms
from digitlab.viz.activity import activities, activities_figure, maps_figure
from digitlab.viz.calibration import calibration, calibration_figure
from digitlab.viz.confusion import accuracy_figure, confusion_figure
from digitlab.viz.embedding import embed, last_hidden, map_figure
from digitlab.viz.figures import Array, Figure
from digitlab.viz.gradients import norms_figure
from digitlab.viz.imagine import picture_shape
from digitlab.viz.neurons import health, health_figure
from digitlab.viz.saliency import gradient_saliency, occlusion, saliency_figure
from digitlab.viz.surface import loss_surface, surface_figure
from digitlab.viz.weights import filters_figure, weights_figure


class Picture(NamedTuple):
    """A figure with a file name (without suffix) and a sentence about it."""

    name: str
    figure: Figure
    caption: str


@dataclass
class Subject:
    """A network and the images to look at it with.

    images, labels    bytes (N, H, W) or (N, H, W, 3) and int (N,), to measure accuracy on
    class_names       what the classes are called
    image             position in them of the one image that goes through the layers
    gradient_rows     gradient norms over the epochs, as recorders.py keeps them; []: those of this moment
    seed              of the t-SNE and of the loss surface's directions
    sample, points    images for the maps of the hidden layer, and for the loss surface and the gradients, of which each
                      image takes much longer; `size` points along the surface's edge
    progress          called with (what, done, total) during slow computations
    """

    network: Network
    images: Array
    labels: Array
    class_names: Sequence[str]
    image: int = 0
    gradient_rows: Sequence[Row] = field(default_factory=list)
    seed: int = 0
    sample: int = 1000
    points: int = 256
    size: int = 15
    progress: Callable[[str, int, int], None] | None = None

    @cached_property
    def probabilities(self) -> Array:
        """(N, classes)."""
        return class_shares(predict(self.network, self.images))

    @cached_property
    def confusion(self) -> Array:
        """Counts (classes, classes): images of class i (row) recognized as j (column)."""
        from sklearn.metrics import confusion_matrix

        guesses, classes = self.probabilities.argmax(axis=1), range(self.probabilities.shape[1])
        return np.asarray(confusion_matrix(self.labels, guesses, labels=classes))

    @property
    def names(self) -> list[str]:
        """A name for every output: the data's, or the number where the network has more outputs."""
        outputs = self.network.shapes[-1][0]
        return [*self.class_names, *map(str, range(len(self.class_names), outputs))][:outputs]

    def title(self, i: int) -> str:
        """The label of image i and the prediction for it."""
        guess = int(self.probabilities[i].argmax())
        sure = 100 * self.probabilities[i, guess]
        return f"image {i}: a {self.names[self.labels[i]]},\nread as {self.names[guess]} ({sure:.0f} %)"


def confusion(subject: Subject) -> Iterator[Picture]:
    """Confusion matrix."""
    matrix = subject.confusion
    title = f"Confusion matrix: {int(matrix.sum() - np.trace(matrix)):,} of {int(matrix.sum()):,} wrong"
    yield Picture("confusion", confusion_figure(matrix, subject.names, title=title), "Confusion matrix.")


def accuracy(subject: Subject) -> Iterator[Picture]:
    """The accuracy of each class."""
    caption = "The recall of each class, with its 95 % interval."
    yield Picture("accuracy", accuracy_figure(subject.confusion, subject.names), caption)


def calibrated(subject: Subject) -> Iterator[Picture]:
    """Calibration: confidence compared with accuracy."""
    found = calibration(subject.probabilities, subject.labels)
    caption = "Accuracy against confidence. Below the diagonal, the network is overconfident."
    yield Picture("calibration", calibration_figure(found), caption)


def weights(subject: Subject) -> Iterator[Picture]:
    """The weights into each neuron of the first layer, as images."""
    network = subject.network
    for i, layer in enumerate(network.layers):
        if isinstance(layer, Dense) and layer.params["W"].value.shape[0] == np.prod(network.input_shape):
            W = to_numpy(layer.connected(layer.params["W"].value))
            figure = weights_figure(W, picture_shape(network), title=f"Layer {i}, {layer!r}: weights into each neuron")
            yield Picture("weights", figure, "Weights of the neurons in the first layer: positive red, negative blue.")
            return
        if layer.params or layer.children():
            break
    raise ShapeError("no dense layer takes the pixels")


def filters(subject: Subject) -> Iterator[Picture]:
    """The filters of each convolution."""
    some = [(name, layer) for name, layer in subject.network.named_layers() if isinstance(layer, Conv2D)]
    if not some:
        raise ShapeError("there is no convolution in this network")
    for name, layer in some:
        W = to_numpy(layer.connected(layer.params["W"].value))
        caption = f"The kernels of layer {name}, {layer!r}."
        yield Picture(f"filters-{name.replace('.', '-')}", filters_figure(W, title=f"Layer {name}: filters"), caption)


def maps(subject: Subject) -> Iterator[Picture]:
    """Every feature map of one image."""
    image = subject.images[subject.image][None]
    steps = activities(subject.network, image)[1:-1]
    some = [(i, step) for i, step in enumerate(steps) if step.values.ndim == 4 and step.values[0, :, :, 0].size > 1]
    if not some:
        raise ShapeError("no layer of this network makes feature maps")
    for i, step in some:
        caption = f"Image {subject.image} after layer {step.name}: every feature map."
        yield Picture(f"maps-{i}", maps_figure(step), caption)


def layers(subject: Subject) -> Iterator[Picture]:
    """One image, layer by layer."""
    steps = activities(subject.network, subject.images[subject.image][None])
    title = subject.title(subject.image).replace("\n", " ")
    caption = "One image in every layer; each row has its own scale."
    yield Picture("activations", activities_figure(steps, title=title), caption)


def saliency(subject: Subject) -> Iterator[Picture]:
    """Which pixels a prediction depends on, for the chosen image and the most confident error."""
    guesses = subject.probabilities.argmax(axis=1)
    wrong = np.flatnonzero(guesses != subject.labels)
    chosen = [subject.image]
    if len(wrong):
        chosen.append(int(wrong[subject.probabilities[wrong, guesses[wrong]].argmax()]))
    gradients = gradient_saliency(subject.network, subject.images[chosen], guesses[chosen])
    covered = np.stack([occlusion(subject.network, subject.images[i], int(guesses[i])) for i in chosen])
    figure = saliency_figure(subject.images[chosen], gradients, covered, [subject.title(i) for i in chosen])
    caption = "Pixels that the prediction depends on: for the chosen image, and for the most confident error."
    yield Picture("saliency", figure, caption)


def neurons(subject: Subject) -> Iterator[Picture]:
    """Dead and saturated neurons."""
    found = health(subject.network, subject.images[: subject.sample])
    if not found:
        raise ShapeError("there is no activation layer in this network, or it is inside another layer")
    some = min(subject.sample, len(subject.images))
    caption = f"Neurons over {some:,} images: dead ones have a constant output, saturated ones hardly learn."
    yield Picture("neurons", health_figure(found), caption)


def gradients(subject: Subject) -> Iterator[Picture]:
    """Gradient norms per layer, over the training if they were recorded."""
    rows = list(subject.gradient_rows)
    if rows:
        figure, caption = norms_figure(rows), "Gradient norms of the layers, over the training."
    else:
        few = slice(0, subject.points)
        now = gradient_norms(subject.network, subject.images[few], subject.labels[few])
        figure = norms_figure([{"epoch": 0, **now}], title="Gradient norms per layer, now")
        caption = "Gradient norms of the layers now (train --record saves them for every epoch)."
    yield Picture("gradients", figure, caption)


def embedding(subject: Subject) -> Iterator[Picture]:
    """The last hidden layer in two dimensions."""
    few = slice(0, subject.sample)
    features = last_hidden(subject.network, subject.images[few])
    points = {"PCA": embed(features, "pca"), "t-SNE": embed(features, "tsne", seed=subject.seed)}
    figure = map_figure(points, subject.labels[few], subject.class_names)
    caption = f"The {features.shape[1]} activations of the last hidden layer as a map of {len(features):,} images."
    yield Picture("embedding", figure, caption)


def surface(subject: Subject) -> Iterator[Picture]:
    """The loss around the solution."""
    tell = subject.progress
    found = loss_surface(
        subject.network,
        subject.images[: subject.points],
        subject.labels[: subject.points],
        np.random.default_rng(subject.seed),
        size=subject.size,
        progress=None if tell is None else lambda done, total: tell("surface", done, total),
    )
    caption = "The loss along two random directions, each filter's step as long as the filter (Li et al. 2018)."
    yield Picture("surface", surface_figure(found), caption)


WHAT: dict[str, Callable[[Subject], Iterator[Picture]]] = {
    "confusion": confusion,
    "accuracy": accuracy,
    "calibration": calibrated,
    "weights": weights,
    "filters": filters,
    "maps": maps,
    "activations": layers,
    "saliency": saliency,
    "neurons": neurons,
    "gradients": gradients,
    "embedding": embedding,
    "surface": surface,
}

USUAL = ("weights", "filters", "confusion")  # quick to draw


def pictures(subject: Subject, *what: str) -> list[Picture]:
    """The pictures of these names; without names, those of USUAL that apply to the network.

    Raises ConfigError for an unknown name, ShapeError where a named picture does not apply.
    """
    for name in what:
        if name not in WHAT:
            raise ConfigError(f"what: got {not_among(name, WHAT)}")
    drawn: list[Picture] = []
    for name in what or USUAL:
        with nullcontext() if what else suppress(ShapeError):
            drawn += WHAT[name](subject)
    return drawn
