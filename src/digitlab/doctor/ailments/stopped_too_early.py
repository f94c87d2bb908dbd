"""A training that ended while it still learned."""

from digitlab.doctor.ailment import Ailment, Curves, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import percent

FALLS = 0.03  # of the loss in the last epoch
AT_START, FALLS_AT_START = 0.3, 0.005  # near guessing the loss is flat before it falls
LEARNED = 0.7  # of the way to all correct
LONGER = 5  # times as many epochs


class StoppedTooEarly(Ailment):
    """A loss that still falls clearly in the last epoch, with a poor result."""

    title = "Stopped too early"
    words = (
        "The training ended while the loss was still falling: too few epochs, or an early stop that took a short "
        "pause for the end."
    )
    advice = "more epochs, and more patience in early stopping"

    def find(self, case: Case) -> Finding | None:
        losses = case.column("train_loss")
        if len(losses) < 2 or not case.poor or case.diverged or losses[-1] <= 0:
            return None
        if case.learned is not None and case.learned > LEARNED:
            return None
        at_start = case.learned is not None and case.learned < AT_START
        stopped = case.config.early_stop and len(losses) < case.config.epochs
        valid = case.column("valid_loss")
        if not stopped and not at_start and valid[1:] and valid[-1] > valid[-2]:
            return None
        fallen = 1 - losses[-1] / losses[-2]
        if fallen < (FALLS_AT_START if at_start else FALLS):
            return None
        result = f"{percent(case.accuracy)} correct" if case.accuracy is not None else f"a loss of {losses[-1]:.3g}"
        changes: dict[str, int] = {"epochs": LONGER * max(len(losses), 1)}
        if stopped:
            changes = {"epochs": max(changes["epochs"], case.config.epochs), "early_stop": 10 * case.config.early_stop}
        return self.finding(
            f"the loss fell by {percent(fallen)} in the last of {len(losses)} epochs, and the result is {result}",
            "share by which the loss fell in the last epoch",
            fallen,
            Curves("Training loss", "loss", {"train_loss": losses}),
            cause=f"early stopping after {case.config.early_stop} epochs without improvement"
            if stopped
            else "few epochs",
            advice=" ".join(f"--{name.replace('_', '-')} {value}" for name, value in changes.items()),
            changes=changes,
        )
