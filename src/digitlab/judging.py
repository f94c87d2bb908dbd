"""What a network says of images: the probability of each class, and of none of them.

A network with `open_set` has learned marks that belong to no class. Its output is a softmax over the classes and one
more outcome, "none of them", whose logit is always 0:

    P(none) = 1 / (1 + Σ exp zᵢ)        P(class i | one of the classes) = exp zᵢ / Σ exp zⱼ

−log Σ exp zᵢ is the network's energy (Liu et al. 2020, "Energy-based out-of-distribution detection"). Other networks
know only their classes: P(none) is then 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.arguments import checked
from digitlab.arrays import placed_with, to_numpy
from digitlab.engine.select import make_predictor
from digitlab.nn.network import Network
from digitlab.train.evaluation import class_shares

__all__ = ["Judged", "judge", "logits_of"]


@dataclass(frozen=True)
class Judged:
    """`probabilities` (N, classes) of the classes if an image is of one of them; `not_digit` (N,): P(none of them)."""

    probabilities: NDArray[np.float64]
    not_digit: NDArray[np.float64]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """The probability of the best class, (N,): that the image is of a class, and of this one."""
        best: NDArray[np.float64] = (1 - self.not_digit) * self.probabilities.max(axis=1)
        return best


@checked
def judge(network: Network, images: NDArray[np.uint8]) -> Judged:
    """The probabilities of the classes, and of none of them, for images (N, 28, 28) or of the network's input shape."""
    logits = logits_of(network, images)  # (N, classes)
    probabilities = class_shares(network.loss.activation(logits))
    if not network.open_set:
        return Judged(probabilities, np.zeros(len(probabilities)))
    log_odds = np.logaddexp.reduce(logits.astype(np.float64), axis=1)  # (N,)
    return Judged(probabilities, 1 / (1 + np.exp(np.clip(log_odds, -500, 500))))


def logits_of(network: Network, images: NDArray[np.uint8]) -> NDArray[np.floating[Any]]:
    """The network's outputs before the softmax, (N, classes)."""
    first = next(iter(network.state().values()), None)
    predictor = make_predictor(network, logits=True, examples=len(images))
    logits: NDArray[np.floating[Any]] = to_numpy(predictor(placed_with(first, images)))
    return logits
