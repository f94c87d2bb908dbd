"""Training examples learned by heart."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Curves, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import percent
from digitlab.engine.select import predict
from digitlab.statistics import share_sd

GAP, NOISE = 0.08, 2.0  # between training and validation accuracy, and so many standard deviations of the latter
FLAT, FURTHER = 1.03, 0.5  # a validation loss that near to its least, while the training loss halves
MANY = 2000  # training examples that are asked


class Overfitting(Ailment):
    """A training accuracy well above the validation accuracy, while the validation loss rises or stays."""

    title = "Overfitting"
    words = (
        "The network has learned its training examples by heart and does worse on new ones: the training loss falls "
        "on, and the validation loss does not, or rises (Nielsen ch. 3)."
    )
    advice = "more data, --augment, --l2, --dropout, or --early-stop"

    def find(self, case: Case) -> Finding | None:
        if case.watched != "valid" or "valid" not in case.sets or case.accuracy is None:
            return None
        labels, losses = case.labels("train"), case.column("valid_loss")
        if labels is None or not losses:
            return None
        known = float(np.mean(np.argmax(predict(case.last, case.sets["train"][0][:MANY]), axis=1) == labels[:MANY]))
        gap = known - case.accuracy
        if gap < GAP + NOISE * share_sd(case.accuracy, len(case.sets["valid"][1])):
            return None
        flat = next(i for i, loss in enumerate(losses) if loss < FLAT * min(losses))
        trained = case.column("train_loss")
        if not case.worsened and trained[-1] > FURTHER * trained[flat]:
            return None
        curves = {name: c for name in ("train_loss", "valid_loss") if (c := case.column(name))}
        return self.finding(
            f"{percent(known)} of the training examples are recognized and {percent(case.accuracy)} of the validation "
            f"examples; the validation loss is {losses[-1] / min(losses):.2f} times that of epoch "
            f"{int(np.argmin(losses)) + 1}",
            "training accuracy less validation accuracy",
            gap,
            Curves("Training and validation loss", "loss", curves),
            cause=f"{len(labels):,} training examples are few for this network and {len(losses)} epochs",
            advice=self.advice,
            changes={"l2": 5.0, "early_stop": 5} if not case.trainer.regularizers else {"early_stop": 5},
        )
