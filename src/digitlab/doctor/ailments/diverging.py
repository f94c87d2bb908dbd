"""A loss that grows."""

from digitlab.doctor.ailment import Ailment, Curves, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import GROWN, exploded
from digitlab.train.default_rate import smaller_rate


class Diverging(Ailment):
    """A loss that is no longer finite, or ten times its least value and far above a constant answer's."""

    title = "Diverging"
    words = (
        "The loss grows instead of falling, until it is no longer a finite number. Each step goes so far beyond the "
        "minimum that the next gradient is larger still."
    )
    advice = "a smaller learning rate"

    def find(self, case: Case) -> Finding | None:
        losses = case.column("train_loss")
        seen = case.ending.get("stop_reason", "").partition(";")[0] if case.diverged else ""
        if not seen and losses and losses[-1] > GROWN * min(losses):
            seen = exploded(losses, case.facts)
        if not seen and not case.diverged:
            return None
        smaller = smaller_rate(case.rate, case.trainer.default_rate)
        return self.finding(
            seen or "the loss was no longer finite in the first epoch",
            "learning rate over the default one",
            case.rate / case.trainer.default_rate,
            Curves("Training loss", "loss", {"train_loss": losses}) if losses else None,
            cause=f"the learning rate {case.rate:g} is too large",
            advice=f"--learning-rate {smaller:.3g}",
            changes={"learning_rate": float(f"{smaller:.3g}")},
        )
