"""The losses besides the quadratic one (network.py), each with the output activation it belongs to.

Paired so, the activation's derivative cancels: with cross-entropy and log-likelihood δ is the outputs minus the
targets, over N; with the mean squared error twice that, over N · out.
"""

import math

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import Array, array_namespace, real
from digitlab.errors import DataError
from digitlab.nn.activations import softplus
from digitlab.nn.formulas import Formulas
from digitlab.nn.network import Cache, Loss, sigmoid
from digitlab.nn.targets import weighted

__all__ = ["CrossEntropy", "LogLikelihood", "MeanSquaredError", "soft_targets"]


class CrossEntropy(Loss):
    """Cross-entropy on sigmoid outputs, L = −1/N Σₙ Σⱼ [t ln a + (1 − t) ln(1 − a)], a = σ(z).

    By hand    z = 0 and t = 1: L = ln 2 = .6931, δ = −½.
    The larger the error, the faster it learns: Nielsen ch. 3, eq. 63.
    """

    formulas = Formulas("softplus(z) − t z summed: the same, without logarithms of 0", "δ = (a − t) / N")
    owns = "sigmoid"
    output_range = (0.0, 1.0)
    fits_mean = True

    def activation(self, logits: Array) -> Array:
        return sigmoid(logits)

    def forward(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[Array, Cache]:
        targets = self.targets(targets, logits)  # (N, out)
        losses = weighted(softplus(logits) - targets * logits, weights)  # (N, out)
        return array_namespace(logits).sum(losses) / logits.shape[0], (logits, targets, weights)

    def backward(self, cache: Cache) -> Array:
        logits, targets, weights = cache
        return weighted(sigmoid(logits) - targets, weights) / logits.shape[0]  # (N, out)


class LogLikelihood(Loss):
    """Minus log-likelihood on softmax outputs, L = −1/N Σₙ Σⱼ t ln a, aⱼ = e^zⱼ / Σₖ e^zₖ.

    By hand    z = [0 0] and label 0: L = ln 2 = .6931, δ = [−½ ½].
    For a picture (N, H, W, out) the softmax is taken at each place.
    Nielsen ch. 3, eq. 78–82; other libraries call this pair cross-entropy.
    """

    formulas = Formulas(
        "ln a = z − m − ln Σₖ e^(zₖ − m), m = max z: no exponential overflows",
        "δ = (a Σⱼ t − t) / N, which is (a − t)/N where the targets sum to 1",
    )
    aliases = ("softmax",)
    owns = "softmax"
    output_range = (0.0, 1.0)
    fits_mean = True

    def activation(self, logits: Array) -> Array:
        return array_namespace(logits).exp(log_softmax(logits))

    def forward(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[Array, Cache]:
        targets = weighted(self.targets(targets, logits), weights)  # (N, out); loss and δ are linear in them
        log_a = log_softmax(logits)  # (N, out)
        return -array_namespace(logits).sum(targets * log_a) / logits.shape[0], (log_a, targets)

    def backward(self, cache: Cache) -> Array:
        log_a, targets = cache
        xp = array_namespace(log_a)
        total = xp.sum(targets, axis=-1, keepdims=True)  # (N, 1)
        return (xp.exp(log_a) * total - targets) / log_a.shape[0]  # (N, out)


class MeanSquaredError(Loss):
    """Mean squared error on the logits themselves: for fitting functions.

    By hand    z = 3 and t = 1: L = 4, δ = 4.
    """

    formulas = Formulas("L = 1/(N·out) Σₙ Σⱼ (zₙⱼ − tₙⱼ)²", "δ = 2 (z − t) / (N·out)")
    aliases = ("mse",)
    fits_mean = True

    def activation(self, logits: Array) -> Array:
        return logits

    def forward(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[Array, Cache]:
        error = logits - self.targets(targets, logits)  # (N, out)
        weighted_error = weighted(error, weights)  # (N, out)
        return array_namespace(logits).sum(weighted_error * error) / math.prod(error.shape), weighted_error

    def backward(self, cache: Cache) -> Array:
        error = cache
        return 2 * error / math.prod(error.shape)  # (N, out)


def log_softmax(z: Array) -> Array:
    """ln softmax along the last axis, shifted by the row's maximum so that nothing overflows."""
    xp = array_namespace(z)
    z = z - xp.max(real(z), axis=-1, keepdims=True)
    return z - xp.log(xp.sum(xp.exp(z), axis=-1, keepdims=True))


@checked
def soft_targets(labels: Array, classes: int, low: float = 0.01, high: float = 0.99) -> Array:
    """Labels (N,) as targets (N, classes): `high` at the label's place, `low` elsewhere. Rashid's are .01 and .99."""
    labels = np.asarray(labels)
    if (
        labels.ndim != 1
        or labels.dtype.kind not in "biuf"
        or (len(labels) and not 0 <= labels.min() <= labels.max() < classes)
    ):
        raise DataError(f"got labels of shape {labels.shape}; expected (N,) whole numbers from 0 to {classes - 1}")
    return np.where(labels[:, None] == np.arange(classes), high, low).astype(np.float32)  # (N, classes)
