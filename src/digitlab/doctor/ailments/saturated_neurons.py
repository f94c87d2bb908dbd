"""Hidden neurons that start at a bound of their activation."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.fix import with_first_weights
from digitlab.doctor.measures import named_outputs, saturated_share
from digitlab.doctor.symptoms import percent

MOST = 0.75  # of a layer's outputs


class SaturatedNeurons(Ailment):
    """A hidden layer whose sigmoids are near their bounds before training."""

    title = "Saturated neurons"
    words = (
        "The weighted sums of a hidden layer are so large before training that its sigmoids give nearly 0 or 1 (tanh: "
        "−1 or 1). There the activation is flat, so hardly any gradient passes (Nielsen ch. 3, weight "
        "initialization)."
    )
    advice = "smaller first weights"

    def find(self, case: Case) -> Finding | None:
        if case.first is None or case.probe is None or not case.poor:
            return None
        with np.errstate(all="ignore"):
            outputs = list(named_outputs(case.first, case.probe[0]))
        shares = {
            f"layer {name}": saturated_share(layer, y)
            for name, layer, y in outputs
            if layer.activates and np.isfinite(layer.bounds).all()
        }
        if not shares or max(shares.values()) < MOST:
            return None
        worst = max(shares, key=lambda name: shares[name])
        return self.finding(
            f"before training, {percent(shares[worst])} of the outputs of {worst} are within 2 % of a bound",
            "share of saturated outputs",
            shares[worst],
            Bars("Saturated outputs before training", "share", shares, limit=MOST),
            cause="first weights or biases that are too large",
            advice="--init scaled",
            changes=with_first_weights(case),
        )
