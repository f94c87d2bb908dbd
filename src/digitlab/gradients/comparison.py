"""Gradient methods side by side: what each costs, and how near it comes to backpropagation."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import Array, to_numpy
from digitlab.errors import GradientError
from digitlab.gradients.base import Backpropagation, Gradient
from digitlab.gradients.check import float64_copy
from digitlab.gradients.loss_at import Vector
from digitlab.nn.network import Network

__all__ = ["Comparison", "compare_gradients"]


@dataclass(frozen=True)
class Comparison:
    """One gradient method compared with backpropagation: g is its gradient, g_bp backpropagation's.

    `refusal` says why a method does not support the network; then the other figures are NaN.
    """

    way: Gradient
    evaluations: int  # forward passes of the whole network
    seconds: float
    relative_error: float  # ‖g − g_bp‖ / ‖g_bp‖
    cosine: float  # of the angle between g and g_bp: 1 the same direction, 0 at right angles
    refusal: str | None = None


@checked
def compare_gradients(
    network: Network,
    x: Array,
    targets: Array,
    ways: Sequence[Gradient],
    rng: np.random.Generator,
    *,
    training: bool = False,
) -> list[Comparison]:
    """What each method costs and how near it comes to backpropagation, on one batch.

    It runs on float64 copies, so the errors are those of the methods, not of float32, and the network stays as it is.
    """

    def taken(way: Gradient) -> tuple[Vector, float]:
        twin = float64_copy(network)  # one each, so that all see the same dropout masks
        start = time.perf_counter()
        way.gradient(twin, x, targets, training=training, rng=rng)
        seconds = time.perf_counter() - start
        grads = [to_numpy(p.grad).astype(np.float64).ravel() for p in twin.parameters().values()]
        if not grads:
            raise GradientError(f"{network!r} has no parameters, so it has no gradient to compare")
        return np.concatenate(grads), seconds

    reference, _ = taken(Backpropagation())
    rows = []
    for way in ways:
        if refusal := way.unsupported_reason(network):
            rows.append(Comparison(way, way.evaluations(network), np.nan, np.nan, np.nan, refusal))
            continue
        g, seconds = taken(way)
        length, norm = float(np.linalg.norm(g)), float(np.linalg.norm(reference))
        error = float(np.linalg.norm(g - reference)) / norm if norm else np.nan
        cosine = float(g @ reference) / (length * norm) if length and norm else np.nan
        rows.append(Comparison(way, way.evaluations(network), seconds, error, cosine))
    return rows
