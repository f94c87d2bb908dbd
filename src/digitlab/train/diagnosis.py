"""Whether a training went wrong without an error, and what to do next: a pure function of what was seen.

A training can end in order and have learned nothing: the accuracy is that of guessing, or the loss grew and is finite.
`diagnose` reads the history and a few facts about the network (probe.py measures them) and names the likeliest cause.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from digitlab.train.default_rate import larger_rate, smaller_rate

ENOUGH_STEPS = 100  # before that, nothing can be said
MANY_STEPS = 1000  # a network that still learns may need as many before its accuracy rises
ENOUGH_IMAGES = 20  # in the set that the accuracy is measured on
GROWN = 10.0  # times as much: a loss that grew
LITTLE = 0.2  # of the way from guessing to all right: learned next to nothing
NOISE = 3.0  # standard deviations of an accuracy that is still chance
STRONG_DECAY = 0.02  # of its value is what a weight may lose per step; useful decays are below .001
FAR = 20.0  # inputs beyond that saturate a network; useful ones are about 1


@dataclass(frozen=True)
class Facts:
    """What the history does not hold. None where it is not known, or makes no sense for this network.

    steps           done in all
    rate            the learning rate that the schedule multiplies
    default_rate    the one that this training would have had by default
    decay           the share of its value that weight decay takes from a weight in a step
    classes         how many classes the training examples have
    guess           the accuracy of always answering the most frequent class, on the set that `accuracy` is of
    count           how many examples that set has
    accuracy        of the latest epoch
    loss            of the network on a few training examples
    constant_loss   the least loss on them that one answer for all inputs can have
    line_loss       the loss of the best straight line, where the targets are exact values of a function of one number
    adaptive        whether the optimizer gives each weight a step size of its own, as Adam does
    constant        the share of the outputs that are the same for all inputs, from 0 to 1
    idle            the share of neurons that are the same for all inputs, in the hidden layer that has most of them
    rectified       whether neurons of that layer give exactly 0 then, as ReLU's do
    reach           the largest absolute value among the inputs, as the first layer takes them
    depth           hidden layers with an activation
    closing         the activation before the loss's own, if there is one: "Sigmoid()"
    directions      how many random directions the gradient is estimated along; None: it is the whole gradient
    parameters      how many numbers the network learns
    better_net      the name of a convolutional network, where dense layers alone see images in colour
    """

    steps: int
    rate: float
    default_rate: float
    decay: float = 0.0
    classes: int | None = None
    guess: float | None = None
    count: int = 0
    accuracy: float | None = None
    loss: float | None = None
    constant_loss: float | None = None
    line_loss: float | None = None
    adaptive: bool = False
    constant: float | None = None
    idle: float = 0.0
    rectified: bool = False
    reach: float = 1.0
    depth: int = 1
    closing: str = ""
    directions: int | None = None
    parameters: int = 0
    better_net: str = ""


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


# What is seen


def exploded(losses: Sequence[float], facts: Facts) -> str:
    """A loss far above that of one answer for all, or, where that is not known, far above what it was; else ""."""
    if facts.accuracy is not None and facts.guess is not None and way(facts.accuracy, facts.guess) > 0.5:
        return ""  # outputs far too sure of themselves, but the right ones
    last, least = losses[-1], min(losses)
    if facts.constant_loss is None:
        wrong = len(losses) > 1 and last > GROWN * max(losses[0], 0.0)
    else:
        wrong = facts.constant_loss > 0 and last > GROWN * facts.constant_loss and not halving(losses)
    if not wrong:
        return ""
    if last > GROWN * least:
        return f"the loss grew from {least:.3g} (epoch {losses.index(least) + 1}) to {last:.3g}"
    if facts.constant_loss is None:
        return ""
    return f"the loss is {last:.3g}; a constant output has {facts.constant_loss:.2g}"


def halving(losses: Sequence[float]) -> bool:
    """Whether the loss is on its way down, and soon not far above any more."""
    return len(losses) > 1 and losses[-1] < 0.5 * losses[-2]


def fell(rows: Sequence[Mapping[str, Any]], facts: Facts) -> str:
    """An accuracy that was good and has gone most of the way back to chance; else ""."""
    if facts.guess is None or facts.guess >= 1 or facts.count < ENOUGH_IMAGES:
        return ""
    known = {row["epoch"]: row["valid_accuracy"] for row in rows if row.get("valid_accuracy") is not None}
    if not known:
        return ""
    epoch, best = max(known.items(), key=lambda item: item[1])
    last = list(known.values())[-1]
    gained, left = way(best, facts.guess), way(last, facts.guess)
    if gained < 0.3 or left > 0.4 * gained or best - last < 2 * NOISE * deviation(best, facts.count):
        return ""
    return f"valid_accuracy fell from {percent(best)} (epoch {epoch}) to {percent(last)}"


def learned_nothing(rows: Sequence[Mapping[str, Any]], facts: Facts) -> str:
    """An accuracy of about chance while the loss is that of one fixed answer; without classes that loss alone."""
    constant, epochs = facts.constant_loss, count(len(rows), "epoch")
    if facts.accuracy is None:
        loss = facts.loss
        if constant is None or loss is None or constant <= 0 or loss < 0.98 * constant:
            return ""
        return f"the loss is {loss:.3g} after {epochs}; a constant output has {constant:.3g}"
    if facts.guess is None or facts.guess >= 1 or facts.count < ENOUGH_IMAGES:
        return ""
    if constant is not None and rows[-1]["train_loss"] < 0.8 * constant:
        return ""
    chance = facts.accuracy <= facts.guess + NOISE * deviation(facts.guess, facts.count)
    if not chance and way(facts.accuracy, facts.guess) >= LITTLE:
        return ""
    how = "no better" if chance else "little better"
    return (
        f"accuracy {percent(facts.accuracy)} after {epochs}, {how} than guessing the largest class "
        f"({percent(facts.guess)})"
    )


def far_from_curve(facts: Facts) -> str:
    """A curve of which the network has learned no more than its straight line, or little; else ""."""
    loss, line, constant = facts.loss, facts.line_loss, facts.constant_loss
    if loss is None or line is None or not constant or line < 1e-3 * constant:  # it is a line
        return ""
    missing = f"{percent(loss / constant)} of the variance"
    if loss >= 0.8 * line:
        return (
            f"only the straight line in the curve is learned: the network misses {missing}, the best line "
            + percent(line / constant)
        )
    return f"the curve is not learned: the network misses {missing}" if loss > 0.1 * constant else ""


def only_by_heart(rows: Sequence[Mapping[str, Any]], facts: Facts) -> str:
    """Training examples that are learned while the validation accuracy is that of guessing; else ""."""
    accuracy = rows[-1].get("valid_accuracy")
    if accuracy is None or facts.guess is None or facts.constant_loss is None or facts.count < ENOUGH_IMAGES:
        return ""
    learned = rows[-1]["train_loss"] < 0.3 * facts.constant_loss and 0 < facts.guess < 0.8
    if not learned or accuracy > facts.guess + NOISE * deviation(facts.guess, facts.count):
        return ""
    return (
        f"the training examples are learned, but valid_accuracy is {percent(accuracy)}, no better than guessing "
        f"the largest class ({percent(facts.guess)})"
    )


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


# Why


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


# Numbers


def way(accuracy: float, guess: float) -> float:
    """How far an accuracy is on the way from guessing (0) to all right (1)."""
    return (accuracy - guess) / (1 - guess) if guess < 1 else 0.0


def deviation(share: float, n: int) -> float:
    """The standard deviation of a share measured on n examples."""
    return math.sqrt(max(share * (1 - share), 0.0) / max(n, 1))


def percent(share: float) -> str:
    """ "10.3 %"."""
    return f"{100 * share:.1f} %"


def most(share: float) -> str:
    """ "all", "93 %"."""
    return "all" if share > 0.995 else f"{100 * share:.0f} %"


def count(n: int, noun: str) -> str:
    """ "1 epoch", "3 epochs"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
