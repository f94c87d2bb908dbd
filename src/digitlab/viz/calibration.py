"""Calibration: whether a network with 90 % confidence is right 9 times in 10."""

from typing import NamedTuple

import numpy as np

from digitlab.errors import ConfigError, ShapeError
from digitlab.viz.figures import COLOURS, Array, Figure, finish_axes, new_figure


class Calibration(NamedTuple):
    """Images sorted by confidence into bins of equal width from 0 to 1."""

    edges: Array  # (bins + 1,)
    counts: Array  # int (bins,)
    confidence: Array  # mean confidence in each bin that is not empty
    accuracy: Array  # share that is right in each bin that is not empty
    ece: float  # expected calibration error, Σ counts/N |accuracy − confidence|


def calibration(probabilities: Array, labels: Array, *, bins: int = 15) -> Calibration:
    """Confidence against accuracy for probabilities (N, classes) and labels (N,).

    A bin holds edges[i] < confidence ≤ edges[i + 1]. See Guo et al. 2017, "On calibration of modern neural networks",
    eq. 3. Raises ShapeError or ConfigError.
    """
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise ShapeError(f"got probabilities {probabilities.shape} for {len(labels)} labels; expected (N, classes)")
    if bins < 1:
        raise ConfigError(f"bins: got {bins}, expected at least 1")
    from sklearn.calibration import calibration_curve

    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(right, sure, n_bins=bins)
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], sure), minlength=bins)  # as scikit-learn
    gap = np.sum(counts[counts > 0] / len(labels) * np.abs(accuracy - confidence))
    return Calibration(edges, counts, confidence, accuracy, float(gap))


def calibration_figure(found: Calibration, *, title: str = "Calibration") -> Figure:
    """Reliability diagram: accuracy against confidence, above a histogram of the confidences."""
    figure = new_figure(5.5, 6.0)
    figure.suptitle(f"{title}: expected calibration error {100 * found.ece:.2f} %")
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    width, some = np.diff(found.edges)[0], found.counts > 0
    middles = (found.edges[:-1] + found.edges[1:]) / 2
    upper.plot([0, 100], [0, 100], "--", color="black", linewidth=1, label="perfect calibration")
    upper.bar(100 * middles[some], 100 * found.accuracy, 96 * width, color=COLOURS[5], label="accuracy")
    label = "at the mean confidence of the bin"
    upper.plot(100 * found.confidence, 100 * found.accuracy, "o", color=COLOURS[1], markersize=5, label=label)
    upper.set_ylim(0, 102)
    finish_axes(upper, "", "accuracy (%)", loc="upper left")
    lower.bar(100 * middles[some], found.counts[some], 96 * width, color=COLOURS[0])
    lower.set_yscale("log")
    finish_axes(lower, "confidence (%)", "images")
    return figure
