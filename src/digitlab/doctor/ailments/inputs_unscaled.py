"""Inputs far larger than 1."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case

FAR = 20.0  # networks learn from inputs of about 1


class InputsUnscaled(Ailment):
    """Inputs of the first layer that reach 20 or more."""

    title = "Inputs not scaled"
    words = (
        "The first layer gets numbers far from 1, such as pixels from 0 to 255. Its weighted sums are then so large "
        "that sigmoids are saturated, and with other activations a step that suits the biases is far too large for "
        "the weights."
    )
    advice = "scaled inputs: about 0 to 1"

    def find(self, case: Case) -> Finding | None:
        if case.probe is None or not case.poor or case.network.layers[0].sees_batch:
            return None
        x = np.abs(case.probe[0])
        if (reach := float(x.max())) <= FAR:
            return None
        pixels = case.sets["train"][0].dtype == np.uint8 or case.network.scaling.factor == 1
        return self.finding(
            f"the inputs of the first layer reach {reach:.4g}",
            "largest input",
            reach,
            Bars(
                "Inputs of the first layer",
                "size of the inputs",
                {"mean": float(x.mean()), "largest": reach},
                limit=1.0,
                logarithmic=True,
            ),
            cause="the inputs were not scaled",
            changes={"network": {**case.config.network, "scaling": "/255"}} if pixels else {},
        )
