"""NaN or infinite numbers that no step of the training made."""

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.doctor.ailment import Ailment, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.fix import with_first_weights
from digitlab.doctor.measures import named_outputs

LARGE = 1e6  # outputs of that size overflow by themselves: that is another ailment


class NotANumber(Ailment):
    """First weights, or a layer's outputs for ordinary inputs, that are NaN or infinite."""

    title = "NaN in the network"
    words = (
        "A weight or the output of a layer is not a number (NaN) or infinite before any step has made it so. One NaN "
        "spreads to every output, and from there to every gradient."
    )
    advice = "other first weights, or a layer whose formula is defined for every input"

    def find(self, case: Case) -> Finding | None:
        if not case.diverged or case.first is None:
            return None
        for name, array in case.first.state().items():
            if wrong := int((~np.isfinite(to_numpy(array))).sum()):
                return self.finding(
                    f"{wrong:,} of {array.size:,} numbers of {name} are NaN or infinite before the first step",
                    "numbers that are not finite",
                    wrong,
                    cause="the initializer of that layer gives numbers too large for its type",
                    advice="--init scaled",
                    changes=with_first_weights(case),
                )
        if case.probe is None:
            return None
        x, size = case.probe[0], 1.0
        for name, layer, y in named_outputs(case.network, x):
            wrong = int((~np.isfinite(y.reshape(len(y), -1))).any(axis=1).sum())
            if wrong and size < LARGE:
                return self.finding(
                    f"layer {name}, {layer!r}, gives NaN or infinite numbers for {wrong} of {len(x)} training examples",
                    "examples with an output that is not finite",
                    wrong,
                    cause="its formula is not defined for its inputs, such as the logarithm of a negative number",
                )
            size = float(np.abs(y).max())
        return None
