"""Misclassified images, as lists and as a figure, and labels that may be wrong."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digitlab.arguments import checked
from digitlab.errors import ShapeError
from digitlab.nn.network import Loss
from digitlab.notebook_html import notebook_html
from digitlab.train.evaluation import class_shares
from digitlab.viz.figures import Array, Figure, new_figure, show_image


class Failures(NamedTuple):
    """Misclassified images, the most confident first."""

    positions: Array  # int (F,): where in the set
    labels: Array  # int (F,)
    guesses: Array  # int (F,)
    probabilities: Array  # (F, classes), each row summing to 1

    def _repr_html_(self) -> str | None:
        return notebook_html(self)

    def __repr__(self) -> str:
        return f"Failures: {len(self.positions):,} misclassified image{'' if len(self.positions) == 1 else 's'}"

    @property
    def confidences(self) -> Array:
        """The probability of each guess, (F,)."""
        found: Array = self.probabilities[np.arange(len(self.guesses)), self.guesses]
        return found


class Suspects(NamedTuple):
    """Images whose label several networks contradict, the most doubtful first."""

    positions: Array  # int (S,)
    labels: Array  # int (S,)
    guesses: Array  # int (S,): the class of most networks
    agreement: Array  # (S,): share of the networks that predict it
    doubt: Array  # (S,): mean over the networks of p(guess) − p(label)


def as_probabilities(outputs: Array, loss: Loss | None = None) -> Array:
    """The former name of `class_shares`."""
    return class_shares(outputs)


@checked
def find_failures(probabilities: Array, labels: Array) -> Failures:
    """The misclassified ones of N images, from probabilities (N, classes) and labels (N,). Raises ShapeError."""
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    _check(probabilities, labels)
    guesses = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(guesses != labels)
    confidence = probabilities[wrong, guesses[wrong]]
    wrong = wrong[np.argsort(-confidence, kind="stable")]
    return Failures(wrong, labels[wrong], guesses[wrong], probabilities[wrong])


def find_mislabelled(several: Sequence[Array], labels: Array, *, least_agreement: float = 0.8) -> Suspects:
    """Images that at least this share of several networks assign to one class, which is not their label.

    `several` holds the probabilities (N, classes) of each network. Such labels are not proved wrong, but worth a look.
    Ordered by doubt, the mean of p(guess) − p(label). Raises ShapeError.
    See Brodley & Friedl 1999, "Identifying mislabeled training data" (majority and consensus filters).
    """
    for probabilities in several:
        _check(probabilities, labels)
    labels = np.asarray(labels)
    rows = np.arange(len(labels))
    classes = several[0].shape[1]
    votes = sum(np.eye(classes)[p.argmax(axis=1)] for p in several) / len(several)  # (N, classes)
    guesses, mean = np.argmax(votes, axis=1), np.mean(several, axis=0)
    agreement = votes[rows, guesses]
    doubt = mean[rows, guesses] - mean[rows, labels]
    chosen = np.flatnonzero((guesses != labels) & (agreement >= least_agreement - 1e-12))
    chosen = chosen[np.argsort(-doubt[chosen], kind="stable")]
    return Suspects(chosen, labels[chosen], guesses[chosen], agreement[chosen], doubt[chosen])


def images_figure(
    images: Array, titles: Sequence[str], *, title: str = "", columns: int = 12, left_out: int = 0
) -> Figure:
    """Images (N, H, W) or (N, H, W, 3), bytes, in rows with short titles; `left_out` is added to the title."""
    rows = max(-(-len(titles) // columns), 1)
    figure = new_figure(0.95 * columns, 1.25 * rows + 0.6)
    figure.suptitle(title + (f" ({left_out:,} more not shown)" if left_out else ""), fontsize=11)
    for i, (image, words) in enumerate(zip(images, titles)):
        show_image(figure.add_subplot(rows, columns, i + 1), image, words)
    return figure


@checked
def failures_figure(
    images: Array, failures: Failures, class_names: Sequence[str], *, total: int, limit: int = 96, columns: int = 12
) -> Figure:
    """The first `limit` failures among `total` images (N, …), as label → prediction, confidence."""
    shown = min(limit, len(failures.positions))
    titles = [
        f"no. {at}\n{class_names[true]} → {class_names[guess]}\n{100 * confidence:.0f} %"
        for at, true, guess, confidence in zip(
            failures.positions[:shown], failures.labels, failures.guesses, failures.confidences
        )
    ]
    wrong = len(failures.positions)
    title = f"{wrong:,} of {total:,} misclassified: label → prediction, confidence (most confident first)"
    return images_figure(
        images[failures.positions[:shown]], titles, title=title, columns=columns, left_out=wrong - shown
    )


def suspects_figure(images: Array, suspects: Suspects, class_names: Sequence[str], *, limit: int = 48) -> Figure:
    """Images whose label is in doubt, with the label, the networks' prediction and the doubt."""
    shown = min(limit, len(suspects.positions))
    titles = [
        f"label {class_names[true]}\npredicted {class_names[guess]}\ndoubt {doubt:.2f}"
        for true, guess, doubt in zip(suspects.labels[:shown], suspects.guesses, suspects.doubt)
    ]
    title = "Labels that the networks contradict"
    left_out = len(suspects.positions) - shown
    return images_figure(images[suspects.positions[:shown]], titles, title=title, left_out=left_out)


def _check(probabilities: Array, labels: Array) -> None:
    if probabilities.ndim != 2 or len(labels) != len(probabilities):
        found = f"got probabilities of shape {probabilities.shape} for {len(labels)} labels"
        raise ShapeError(f"{found}; expected ({len(labels)}, classes)")
