"""Steps that are too small."""

from digitlab.doctor.ailment import Ailment, Curves, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import ENOUGH_STEPS, percent
from digitlab.train.default_rate import larger_rate

TIMES = 1 / 3  # of the default learning rate: from there down it is a suspect


class RateTooSmall(Ailment):
    """A poor result at a third of the default learning rate or less, with a loss that does not rise."""

    title = "Learning rate too small"
    words = (
        "The steps are so small that the loss hardly falls: the network would learn, but only after many more epochs."
    )
    advice = "a larger learning rate"

    def find(self, case: Case) -> Finding | None:
        times = case.rate / case.trainer.default_rate
        losses = case.column("train_loss")
        if not case.rows or not case.poor or case.diverged or case.steps < ENOUGH_STEPS or times > TIMES:
            return None
        if len(losses) > 1 and losses[-1] > losses[0]:
            return None
        larger = larger_rate(case.rate, case.trainer.default_rate)
        result = f", {percent(case.accuracy)} are correct" if case.accuracy is not None else ""
        change = (
            f"the loss went from {losses[0]:.4g} to {losses[-1]:.4g}" if len(losses) > 1 else "one epoch was trained"
        )
        return self.finding(
            f"{change}{result}, at {times:.2g} times the default learning rate",
            "learning rate over the default one",
            times,
            Curves("Training loss", "loss", {"train_loss": losses}),
            cause=f"the learning rate {case.rate:g} is too small",
            advice=f"--learning-rate {larger:.3g}",
            changes={"learning_rate": float(f"{larger:.3g}")},
        )
