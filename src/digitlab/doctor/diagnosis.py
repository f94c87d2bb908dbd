"""Whether a training went wrong without an error, and what to do next: a pure function of what was seen.

A training can end in order and have learned nothing: the accuracy is that of guessing, or the loss grew and is finite.
`diagnose` reads the history and a few facts about the network (probe.py measures them) and names the
likeliest cause. symptoms.py says what is seen.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from digitlab.doctor.symptoms import (
    ENOUGH_IMAGES,
    Facts,
    count,
    exploded,
    far_from_curve,
    fell,
    learned_nothing,
    most,
    only_by_heart,
    percent,
)
from digitlab.train.default_rate import larger_rate, smaller_rate

ENOUGH_STEPS = 100  # before that, nothing can be said
MANY_STEPS = 1000  # a network that still learns may need as many before its accuracy rises
STRONG_DECAY = 0.02  # of its value is what a weight may lose per step; useful decays are below .001
FAR = 20.0  # inputs beyond that saturate a network; useful ones are about 1


class Diagnosis(NamedTuple):
    """What is seen, the likely cause, and what to try: another learning rate, or else what `advice` says."""

    seen: str
    cause: str
    rate: str = ""
    advice: str = ""

    def __str__(self) -> str:
        """The whole, in one sentence, for Python."""
        change = f"learning_rate={self.rate}" if self.rate else self.advice
        return f"{self.seen}; likely cause: {self.cause}; try {change}"


def diagnose(rows: Sequence[Mapping[str, Any]], facts: Facts) -> Diagnosis | None:
    """What went wrong in these epochs of a history; None if nothing did, or if it is too early to say."""
    if not rows or facts.steps < ENOUGH_STEPS or not all(math.isfinite(row["train_loss"]) for row in rows):
        return None
    losses = [float(row["train_loss"]) for row in rows]
    if facts.classes == 1 and facts.count >= ENOUGH_IMAGES:
        return Diagnosis(
            "all training examples are of one class, so every prediction is right",
            "the labels are wrong, or only a part of the data was read",
            advice="data of at least two classes",
        )
    if seen := exploded(losses, facts):
        return too_small(seen, facts) if still_learning(losses, facts) else too_large(seen, facts)
    if seen := fell(rows, facts):
        return too_large(seen, facts)
    if seen := learned_nothing(rows, facts):
        if early(losses, facts):
            return None
        return cause_of_nothing(seen, losses, facts)
    if seen := far_from_curve(facts):
        if facts.adaptive:
            return Diagnosis(seen, "few epochs, or too few neurons", advice="more --epochs, or a wider --net")
        cause = "gradient descent with one step size for all weights bends a curve slowly"
        return Diagnosis(seen, cause, advice="--optimizer adam")
    if seen := only_by_heart(rows, facts):
        return Diagnosis(
            seen,
            "the labels of the two sets do not mean the same, or do not belong to their examples",
            advice="looking at examples of both with their labels",
        )
    return None


def early(losses: Sequence[float], facts: Facts) -> bool:
    """Whether a network that still learns may only need more steps.

    The best fixed answer is what a network learns first, in a hundred steps or so: one that has not is slow.
    """
    hindered = (
        facts.directions is not None
        or facts.closing
        or facts.better_net
        or facts.decay >= STRONG_DECAY
        or facts.reach > FAR
    )
    if facts.steps >= MANY_STEPS or hindered or not still_learning(losses, facts):
        return False
    return len(losses) == 1 or not above_constant(losses, facts)


def cause_of_nothing(seen: str, losses: Sequence[float], facts: Facts) -> Diagnosis:
    """The likeliest reason why a network has learned nothing, and what to try."""
    if facts.closing:
        return Diagnosis(
            seen,
            f"the last layer, {facts.closing}, comes before the loss's own activation, so outputs hardly differ",
            advice="the network without that layer",
        )
    if facts.decay >= STRONG_DECAY:
        return Diagnosis(
            seen,
            f"weight decay takes {percent(facts.decay)} of every weight in each step",
            advice="a smaller --l2, by a factor of 100",
        )
    if facts.reach > FAR:
        return Diagnosis(
            seen, f"the inputs reach {facts.reach:.3g}; networks learn from inputs of about 1", advice="scaled inputs"
        )
    if facts.directions is not None and not fixed_outputs(facts):
        return Diagnosis(
            seen,
            f"the gradient is estimated along {count(facts.directions, 'random direction')} of {facts.parameters:,} "
            "parameters and is mostly noise, so the network learns slowly",
            advice="more directions, as in --gradient spsa:samples=100, or --gradient backpropagation",
        )
    fixed = fixed_outputs(facts)
    if facts.idle >= 0.9 and facts.rectified:
        return too_large(seen, facts, f", and {most(facts.idle)} of a layer's neurons give 0 for every input")
    if fixed and above_constant(losses, facts):
        return too_large(seen, facts, ", and the outputs are saturated: the same for every input")
    if fixed and facts.depth > 1 and not facts.rectified:
        return Diagnosis(
            seen,
            f"the gradient vanishes on its way through {facts.depth} hidden layers",
            advice="--activation relu --learning-rate 0.1, or fewer layers",
        )
    if facts.better_net:
        return Diagnosis(
            seen,
            "dense layers alone learn little from images in colour, where ink and paper may have any colour",
            advice=f"--net {facts.better_net}",
        )
    return too_small(seen, facts) if still_learning(losses, facts) else too_large(seen, facts)


def fixed_outputs(facts: Facts) -> bool:
    """Whether nearly all outputs are the same for all inputs."""
    return facts.constant is not None and facts.constant >= 0.9


def still_learning(losses: Sequence[float], facts: Facts) -> bool:
    """Whether the loss falls, or has not moved yet, and the outputs depend on the inputs: larger steps would help."""
    still = len(losses) > 1 and max(losses) - min(losses) <= 1e-3 * max(losses)
    return (falling(losses, facts) or still) and not fixed_outputs(facts)


def above_constant(losses: Sequence[float], facts: Facts) -> bool:
    """Whether one fixed answer would have a clearly smaller loss."""
    return facts.constant_loss is not None and losses[-1] > 1.05 * facts.constant_loss


def falling(losses: Sequence[float], facts: Facts) -> bool:
    """Whether the loss still becomes smaller; after a single epoch, whether it is below the mean over that epoch."""
    if len(losses) == 1:
        return facts.loss is None or facts.loss < losses[0]
    return losses[-1] < losses[-2] and losses[-1] < losses[0]


def too_large(seen: str, facts: Facts, more: str = "") -> Diagnosis:
    """Blame a large learning rate."""
    cause = f"the learning rate {facts.rate:g} is too large{more}"
    return Diagnosis(seen, cause, f"{smaller_rate(facts.rate, facts.default_rate):.3g}")


def too_small(seen: str, facts: Facts) -> Diagnosis:
    """Blame a small learning rate, or few epochs."""
    if facts.rate >= 1:  # which is small for no optimizer
        return Diagnosis(seen, "the loss falls slowly, and the epochs were few", advice="more --epochs")
    cause = f"the loss falls too slowly: few epochs, or the learning rate {facts.rate:g} is too small"
    return Diagnosis(seen, cause, f"{larger_rate(facts.rate, facts.default_rate):.3g}")
