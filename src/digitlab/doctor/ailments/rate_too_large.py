"""Steps that are too large to learn."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Curves, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.measures import named_outputs, saturated_share
from digitlab.doctor.symptoms import ENOUGH_STEPS, exploded, fell, learned_nothing, most, percent, still_learning
from digitlab.train.default_rate import smaller_rate

TIMES = 3.0  # the default learning rate: from there on it is a suspect
SATURATED = 0.9  # of a layer's outputs


class RateTooLarge(Ailment):
    """A poor result with a loss that grows, or at three times the default learning rate or more."""

    title = "Learning rate too large"
    words = (
        "The steps are so large that they jump over the minimum: the loss stays high or goes up and down, and "
        "sigmoids may be saturated by a single step."
    )
    advice = "a smaller learning rate"

    def find(self, case: Case) -> Finding | None:
        if not case.rows or not case.poor or case.steps < ENOUGH_STEPS:
            return None
        times = case.rate / case.trainer.default_rate
        losses = case.column("train_loss")
        seen = fell(case.rows, case.facts) or exploded(losses, case.facts)
        if not seen and (nothing := learned_nothing(case.rows, case.facts)):
            seen = "" if still_learning(losses, case.facts) and times < TIMES else nothing
        if not seen and times >= TIMES:
            result = percent(case.accuracy) + " correct" if case.accuracy is not None else f"a loss of {losses[-1]:.3g}"
            seen = f"{result} after {len(losses)} epochs, with {times:.3g} times the default learning rate"
        if not seen or times < 1 / TIMES:
            return None
        smaller = smaller_rate(case.rate, case.trainer.default_rate)
        return self.finding(
            seen,
            "learning rate over the default one",
            times,
            Curves("Loss", "loss", {name: c for name in ("train_loss", "valid_loss") if (c := case.column(name))}),
            cause=f"the learning rate {case.rate:g} is too large{self.saturated(case)}",
            advice=f"--learning-rate {smaller:.3g}",
            changes={"learning_rate": float(f"{smaller:.3g}")},
        )

    def saturated(self, case: Case) -> str:
        """What the large steps have done to the neurons, in words."""
        if case.probe is None:
            return ""
        with np.errstate(all="ignore"):
            shares = [saturated_share(layer, y) for _, layer, y in named_outputs(case.last, case.probe[0])]
        if (share := max(shares, default=0.0)) < SATURATED:
            return ""
        return f", and {most(share)} of a layer's outputs are saturated"
