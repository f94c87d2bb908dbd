"""Regularization that leaves nothing."""

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import percent

STRONG = 0.02  # of its value is what a weight may lose per step; useful decays are below .001


class WeightDecay(Ailment):
    """A weight decay that takes 2 % or more of every weight in each step."""

    title = "Weight decay too strong"
    words = (
        "Each step takes a share of every weight. If it takes more than the gradient gives back, all weights go to 0 "
        "and the outputs no longer depend on the inputs."
    )
    advice = "a smaller λ"

    def find(self, case: Case) -> Finding | None:
        if "train" not in case.sets or not case.poor:
            return None
        n = len(case.sets["train"][1])
        decay = sum(case.rate * regularizer.decay(n) for regularizer in case.trainer.regularizers)
        if decay < STRONG:
            return None
        smaller = {
            "regularizers": [
                {**table, "strength": table["strength"] / 100} if "strength" in table else table
                for table in case.config.table()["regularizers"]
            ]
        }
        return self.finding(
            f"weight decay takes {percent(decay)} of every weight in each step",
            "share of a weight that a step takes",
            decay,
            Bars(
                "Weight decay per step",
                "share of a weight",
                {"this run": decay, "usual, at most": 0.001},
                logarithmic=True,
            ),
            cause="λ is too large for this learning rate and number of examples",
            advice="a smaller --l2, by a factor of 100",
            changes=smaller,
        )
