"""An output activation before the loss's own."""

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.fix import without_layer
from digitlab.nn.outputs import closing_activation

LEARNED = 0.95  # of the way to all correct: then it does no harm


class DoubleActivation(Ailment):
    """An activation at the end, before the one that the loss applies itself."""

    title = "Double output activation"
    words = (
        "The network ends with an activation, and the loss applies its own to that. σ(σ(z)) lies between .5 and .73 "
        "whatever z is, and a softmax of a softmax is nearly the same for all classes, so the outputs hardly differ."
    )
    advice = "the network without its last activation"

    def find(self, case: Case) -> Finding | None:
        closing = closing_activation(case.network.layers)
        if closing is None or not case.network.loss.owns or case.probe is None:
            return None
        if not case.diverged and case.learned is not None and case.learned >= LEARNED:
            return None
        outputs = case.last.predict(case.sets["train"][0][:500])
        low, high = float(outputs.min()), float(outputs.max())
        return self.finding(
            f"the last layer, {closing!r}, comes before the loss's own {case.network.loss.owns}: "
            f"the outputs are between {low:.2f} and {high:.2f}",
            "range of the outputs",
            high - low,
            Bars("Outputs on the training set", "output", {"smallest": low, "largest": high}, limit=1.0),
            cause="an activation that the loss applies itself",
            changes=without_layer(case, closing),
        )
