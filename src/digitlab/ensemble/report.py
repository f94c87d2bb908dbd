"""What an ensemble gains: the members, the whole, how differently they err, and which errors remain. Arrays in."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import to_numpy
from digitlab.doctor.symptoms import NOISE, percent
from digitlab.engine.select import predict
from digitlab.ensemble.combining import covers_of, members, targets_for
from digitlab.errors import ConfigError
from digitlab.nn.combine import Rescale
from digitlab.nn.network import Network
from digitlab.nn.scaling import Scaling
from digitlab.statistics import share_sd

ALIKE = 0.02  # of the members' mean error: where they disagree on less, they are the same network for all that counts


class Diversity(NamedTuple):
    """How differently several classifiers err, the mean over all pairs of them.

    disagreement   share of examples on which one of the two is right and the other wrong
    q              the Q statistic: 0 for members that err independently, 1 for members that err together, below 0 where
                   they err on different examples; nan if it is defined for no pair
    double_fault   share of examples on which both are wrong
    """

    disagreement: float
    q: float
    double_fault: float


class Gain(NamedTuple):
    """Accuracies are shares of 1; `errors` are the positions that the whole gets wrong.

    mended     of the best member's errors, how many the whole gets right
    spoilt     of what the best member had right, how many the whole gets wrong
    shared     errors of the whole that every member makes, too
    oracle     the share of examples that at least one member has right: the most that any choice could reach
    """

    members: list[float]
    whole: float
    diversity: Diversity
    errors: Any
    mended: int
    spoilt: int
    shared: int
    oracle: float
    predicted: Any  # (N,) what the whole reads


def diversity(correct: Any) -> Diversity:
    """Diversity of K classifiers from correct (K, N), where each was right.

    For two with N¹¹ examples that both have right, N⁰⁰ both wrong, N¹⁰ and N⁰¹ one:
        disagreement (N¹⁰ + N⁰¹)/N        Q = (N¹¹N⁰⁰ − N⁰¹N¹⁰)/(N¹¹N⁰⁰ + N⁰¹N¹⁰)        double fault N⁰⁰/N
    Kuncheva & Whitaker 2003, "Measures of diversity in classifier ensembles", eq. 4, 7, 8.
    By hand: right on 1110 and 1101: N¹¹ = 2, N¹⁰ = N⁰¹ = 1, N⁰⁰ = 0; disagreement ½, Q −1, double fault 0.
    """
    correct = np.asarray(correct, dtype=bool)
    if correct.ndim != 2 or correct.shape[0] < 2 or not correct.shape[1]:
        raise ConfigError(f"diversity: got an array of shape {correct.shape}, expected (members, examples), 2 or more")
    right, n, pairs = correct.astype(np.int64), correct.shape[1], np.triu_indices(len(correct), 1)
    wrong = 1 - right
    both, neither, one, other = (
        (a @ b.T)[pairs] for a, b in ((right, right), (wrong, wrong), (right, wrong), (wrong, right))
    )
    bottom = both * neither + one * other
    qs = (both * neither - one * other)[bottom > 0] / bottom[bottom > 0]
    return Diversity(
        float(np.mean(one + other)) / n, float(np.mean(qs)) if len(qs) else math.nan, float(np.mean(neither)) / n
    )


@checked
def gain(network: Network, images: Any, labels: Any, covers: Sequence[Sequence[int]] | None = None) -> Gain:
    """What the ensemble gains on these images and labels (N,). Raises ConfigError if the network is no ensemble.

    `covers` are the classes that each member's first outputs stand for, where the ensemble does not know them itself.
    """
    parts = members(network)
    if not parts:
        raise ConfigError(f"{network!r} is no ensemble; `digitlab ensemble NET NET …` makes one")
    labels = np.asarray(labels)
    correct = np.stack(
        [
            np.argmax(to_numpy(predict(part, images)), axis=1) == targets_for(labels, cover)
            for part, cover in zip(rescaled(network), covers if covers is not None else covers_of(network))
        ]
    )
    predicted = np.argmax(to_numpy(predict(network, images)), axis=1)
    right = predicted == labels
    best = correct[int(np.argmax(correct.mean(axis=1)))]
    return Gain(
        [float(share) for share in correct.mean(axis=1)],
        float(right.mean()),
        diversity(correct),
        np.flatnonzero(~right),
        int(np.sum(~best & right)),
        int(np.sum(best & ~right)),
        int(np.sum(~right & ~correct.any(axis=0))),
        float(correct.any(axis=0).mean()),
        predicted,
    )


def doubts(found: Gain, names: Sequence[str], labels: Any) -> list[str]:
    """What went wrong with an ensemble, a line each: members at chance, members that are alike, no gain at all."""
    guess, n = float(np.bincount(labels).max() / len(labels)), len(labels)
    chance = [name for name, share in zip(names, found.members) if share <= guess + NOISE * share_sd(guess, n)]
    lines, best = [], int(np.argmax(found.members))
    if chance:
        lines.append(
            f"no better than guessing the largest class ({percent(guess)}): {', '.join(chance)}; leave "
            f"{'it' if len(chance) == 1 else 'them'} out, or train again with another --learning-rate"
        )
    if found.diversity.disagreement <= ALIKE * (1 - float(np.mean(found.members))):
        lines.append(
            f"the members make the same errors (disagreement {percent(found.diversity.disagreement)}), so combining "
            "gains nothing; try members that differ more: --train bagging, or more --epochs for snapshots"
        )
    elif found.spoilt > found.mended:
        lines.append(
            f"the ensemble has {found.spoilt - found.mended} of {n:,} images fewer right than {names[best]} alone; try "
            f"--combine weighted, or {names[best]} without the others"
        )
    return lines


def rescaled(network: Network) -> list[Network]:
    """The members, each as a network of its own that takes the ensemble's images."""
    alone = []
    for chain, part in zip(network.layers[0].children().values(), members(network)):
        own = part.copy()
        first, outer = next(iter(chain.children().values())), network.scaling
        own.scaling = outer
        if isinstance(first, Rescale):
            own.scaling = Scaling(first.factor * outer.factor, first.factor * outer.offset + first.offset)
        alone.append(own)
    return alone
