"""Gradients that vanish on their way back."""

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.ailments.exploding_gradients import DEEP, layers
from digitlab.doctor.case import Case
from digitlab.doctor.fix import with_activation
from digitlab.doctor.symptoms import ENOUGH_STEPS

SMALL = 0.02  # times as large in the first layer as in the last
LEARNED = 0.5  # of the way to all correct


class VanishingGradients(Ailment):
    """An error of the first layer that is below 2 % of the last layer's, before training."""

    title = "Vanishing gradients"
    words = (
        "On its way back the error is multiplied by the slope of each activation, which is at most ¼ for the sigmoid. "
        "After a few layers little is left, and the first layers hardly learn (Nielsen ch. 5)."
    )
    advice = "ReLU neurons with a smaller learning rate, fewer layers, or batch normalization"

    def find(self, case: Case) -> Finding | None:
        if not case.poor or case.diverged or case.steps < ENOUGH_STEPS:
            return None
        if case.learned is not None and case.learned > LEARNED:
            return None
        names = list(errors := case.first_errors)
        if len(names) < DEEP or not errors[names[-1]] > 0:
            return None
        ratio = errors[names[0]] / errors[names[-1]]
        if ratio >= SMALL:
            return None
        return self.finding(
            f"before training, the error ∂L/∂z of the first layer is {ratio:.1g} times that of the last one",
            "error of the first layer over that of the last",
            ratio,
            Bars(
                "Error δ of each layer before training", "root mean square of ∂L/∂z", layers(errors), logarithmic=True
            ),
            cause=f"the gradient vanishes on its way through {len(names) - 1} hidden layers",
            advice="--activation relu with its default learning rate, or fewer layers",
            changes=with_activation(case, "relu"),
        )
