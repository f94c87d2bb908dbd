"""Inputs far smaller than 1."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case

SMALL = 0.02  # 1/255 is .004


class InputsScaledTwice(Ailment):
    """Inputs of the first layer that are far smaller than 1."""

    title = "Inputs scaled twice"
    words = (
        "The first layer gets numbers far below 1, as after a division by 255 that was done twice. The weights of the "
        "first layer get gradients as small as the inputs, so they hardly learn; the biases do."
    )
    advice = "inputs scaled once: about 0 to 1"

    def find(self, case: Case) -> Finding | None:
        if case.probe is None or not case.poor or case.network.layers[0].sees_batch:
            return None
        reach = float(np.abs(case.probe[0]).max())
        if not 0 < reach < SMALL:
            return None
        largest = int(case.sets["train"][0].max()) if case.sets["train"][0].dtype == np.uint8 else 0
        return self.finding(
            f"the largest input of the first layer is {reach:.2g}",
            "largest input",
            reach,
            Bars(
                "Inputs of the first layer",
                "size of the inputs",
                {"mean": float(np.abs(case.probe[0]).mean()), "largest": reach},
                limit=1.0,
                logarithmic=True,
            ),
            cause="the inputs were divided by their largest value twice",
            changes={"network": {**case.config.network, "scaling": [1 / largest, 0.0]}} if largest else {},
        )
