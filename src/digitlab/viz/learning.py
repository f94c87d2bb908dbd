"""Which images are learned, forgotten and never learned over the epochs of a training."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digitlab.arguments import checked
from digitlab.errors import ShapeError
from digitlab.viz.figures import COLOURS, Array, Figure, finish_axes, new_figure, show_image

KINDS = ("always right", "learned", "forgotten", "never learned")


class Learning(NamedTuple):
    """The predictions for N images over E epochs, sorted into kinds.

    An image is "always right" from the first epoch on, "learned" if it was wrong once and is right at the end,
    "forgotten" if it was right once and is wrong at the end, "never learned" if it was never right.
    See Toneva et al. 2019, "An empirical study of example forgetting during deep neural network learning".
    """

    right: Array  # bool (E, N)
    kind: Array  # int (N,): place in KINDS
    first_right: Array  # int (N,): row of the first epoch that was right, −1 for none
    forgettings: Array  # int (N,): how often right was followed by wrong

    def counts(self) -> dict[str, int]:
        """How many images are of each kind."""
        return {name: int((self.kind == i).sum()) for i, name in enumerate(KINDS)}


@checked
def follow(predictions: Array, labels: Array) -> Learning:
    """Kinds of images from the predictions (E, N) after each epoch and the labels (N,). Raises ShapeError."""
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    if predictions.ndim != 2 or predictions.shape[1:] != labels.shape or not len(predictions):
        raise ShapeError(
            f"got predictions {predictions.shape} for labels {labels.shape}; expected (epochs, {len(labels)})"
        )
    right = predictions == labels  # (E, N)
    ever, always, now = right.any(axis=0), right.all(axis=0), right[-1]
    kind = np.select([always, now, ever], [0, 1, 2], 3)
    first = np.where(ever, right.argmax(axis=0), -1)
    return Learning(right, kind, first, (right[:-1] & ~right[1:]).sum(axis=0))


@checked
def learning_figure(epochs: Sequence[int], learning: Learning, *, title: str = "Learned and forgotten") -> Figure:
    """Left: misclassified images after each epoch. Right: images learned and forgotten in each epoch."""
    figure = new_figure(10.0, 4.2)
    figure.suptitle(title)
    wrong = (~learning.right).sum(axis=1)
    left, right = figure.subplots(1, 2)
    never = (~np.maximum.accumulate(learning.right, axis=0)).sum(axis=1)
    mark = "." if len(epochs) == 1 else None
    left.plot(epochs, wrong, color=COLOURS[1], label="misclassified", marker=mark)
    left.plot(epochs, never, "--", color=COLOURS[6], label="never classified correctly so far", marker=mark)
    gained = (~learning.right[:-1] & learning.right[1:]).sum(axis=1)
    lost = (learning.right[:-1] & ~learning.right[1:]).sum(axis=1)
    right.bar(np.asarray(epochs[1:]), gained, color=COLOURS[0], label="learned in this epoch")
    right.bar(np.asarray(epochs[1:]), -lost, color=COLOURS[4], hatch="//", label="forgotten in this epoch")
    right.axhline(0, color="black", linewidth=0.8)
    for axes in figure.axes:
        finish_axes(axes, "epoch", "images")
    return figure


def learning_images_figure(
    images: Array, labels: Array, guesses: Array, learning: Learning, class_names: Sequence[str], *, columns: int = 12
) -> Figure:
    """A row of images for each kind except "always right": label → last prediction, and how often forgotten.

    images bytes (N, H, W) or (N, H, W, 3); labels and guesses, those after the last epoch, (N,).
    """
    rows = [(i, name) for i, name in enumerate(KINDS) if i and (learning.kind == i).any()]
    figure = new_figure(0.95 * columns, 1.55 * max(len(rows), 1) + 0.4)
    figures = figure.subfigures(max(len(rows), 1), 1, squeeze=False)[:, 0]
    if not rows:
        figure.suptitle("every image was classified correctly after every epoch")
    for part, (i, name) in zip(figures, rows):
        some = np.flatnonzero(learning.kind == i)
        some = some[np.argsort(-learning.forgettings[some], kind="stable")][:columns]
        part.suptitle(f"{name}: {(learning.kind == i).sum():,} images", fontsize=10)
        for place, at in enumerate(some):
            words = f"{class_names[labels[at]]} → {class_names[guesses[at]]}"
            lost = int(learning.forgettings[at])
            words += f"\nforgotten {lost}×" if lost else "\n"
            show_image(part.add_subplot(1, columns, place + 1), images[at], words)
    return figure
