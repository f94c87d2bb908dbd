"""What went wrong in a training, as seen in its history and a few facts about its network (case.py measures them)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digitlab.statistics import share_sd

ENOUGH_IMAGES = 20  # in the set that the accuracy is measured on
GROWN = 10.0  # times as much: a loss that grew
ENOUGH_STEPS = 100  # before that, nothing can be said of a learning rate
LITTLE = 0.2  # of the way from guessing to all right: learned next to nothing
NOISE = 3.0  # standard deviations of an accuracy that is still chance


@dataclass(frozen=True)
class Facts:
    """What the history does not hold. None where it is not known, or makes no sense for this network.

    guess           the accuracy of always answering the most frequent class, on the set that `accuracy` is of
    count           how many examples that set has
    accuracy        of the latest epoch
    loss            of the network on a few training examples
    constant_loss   the least loss on them that one answer for all inputs can have
    """

    guess: float | None = None
    count: int = 0
    accuracy: float | None = None
    loss: float | None = None
    constant_loss: float | None = None


def exploded(losses: Sequence[float], facts: Facts) -> str:
    """A loss far above that of one answer for all, or, where that is not known, far above what it was; else ""."""
    if facts.accuracy is not None and facts.guess is not None and learned_share(facts.accuracy, facts.guess) > 0.5:
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


def still_learning(losses: Sequence[float], facts: Facts) -> bool:
    """Whether the loss falls, or has not moved yet: larger steps would help.

    After a single epoch: whether it is below the mean over that epoch.
    """
    if len(losses) == 1:
        return facts.loss is None or facts.loss < losses[0]
    still = max(losses) - min(losses) <= 1e-3 * max(losses)
    return still or (losses[-1] < losses[-2] and losses[-1] < losses[0])


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
    gained, left = learned_share(best, facts.guess), learned_share(last, facts.guess)
    if gained < 0.3 or left > 0.4 * gained or best - last < 2 * NOISE * share_sd(best, facts.count):
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
    chance = facts.accuracy <= facts.guess + NOISE * share_sd(facts.guess, facts.count)
    if not chance and learned_share(facts.accuracy, facts.guess) >= LITTLE:
        return ""
    how = "no better" if chance else "little better"
    return (
        f"accuracy {percent(facts.accuracy)} after {epochs}, {how} than guessing the largest class "
        f"({percent(facts.guess)})"
    )


def only_by_heart(rows: Sequence[Mapping[str, Any]], facts: Facts) -> str:
    """Training examples that are learned while the validation accuracy is that of guessing; else ""."""
    accuracy = rows[-1].get("valid_accuracy")
    if accuracy is None or facts.guess is None or facts.constant_loss is None or facts.count < ENOUGH_IMAGES:
        return ""
    learned = rows[-1]["train_loss"] < 0.3 * facts.constant_loss and 0 < facts.guess < 0.8
    if not learned or accuracy > facts.guess + NOISE * share_sd(facts.guess, facts.count):
        return ""
    return (
        f"the training examples are learned, but valid_accuracy is {percent(accuracy)}, no better than guessing "
        f"the largest class ({percent(facts.guess)})"
    )


def learned_share(accuracy: float, guess: float) -> float:
    """How far an accuracy has come from guessing (0) to all correct (1)."""
    return (accuracy - guess) / (1 - guess) if guess < 1 else 0.0


def percent(share: float) -> str:
    """ "10.3 %"."""
    return f"{100 * share:.1f} %"


def most(share: float) -> str:
    """ "all", "93 %"."""
    return "all" if share > 0.995 else f"{100 * share:.0f} %"


def count(n: int, noun: str) -> str:
    """ "1 epoch", "3 epochs"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
