"""Gradients that grow on their way back."""

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.fix import with_first_weights

GROWN = 100.0  # times as large in the first layer as in the last
DEEP = 3  # layers with weights


class ExplodingGradients(Ailment):
    """An error that is many times larger in the first layer than in the last, before training."""

    title = "Exploding gradients"
    words = (
        "On its way back through the layers the error is multiplied by each layer's weights. If they are large, it "
        "grows from layer to layer, and the steps of the first layers are far too large (Nielsen ch. 5)."
    )
    advice = "first weights that keep the size of the error"

    def find(self, case: Case) -> Finding | None:
        if not case.poor:
            return None
        names = list(errors := case.first_errors)
        if len(names) < DEEP or not errors[names[-1]] > 0:
            return None
        ratio = errors[names[0]] / errors[names[-1]]
        if not ratio > GROWN:
            return None
        return self.finding(
            f"before training, the error ∂L/∂z of the first layer is {ratio:,.0f} times that of the last one",
            "error of the first layer over that of the last",
            ratio,
            Bars(
                "Error δ of each layer before training", "root mean square of ∂L/∂z", layers(errors), logarithmic=True
            ),
            cause=f"first weights that are too large for {len(names)} layers",
            advice="--init scaled, or --init he for the ReLU family; or fewer layers",
            changes=with_first_weights(case),
        )


def layers(values: dict[str, float]) -> dict[str, float]:
    """The values with names for a picture."""
    return {f"layer {name}": value for name, value in values.items()}
