"""A gradient estimated along too few directions."""

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import count
from digitlab.gradients.base import learned_numbers


class NoisyGradient(Ailment):
    """A poor result of a gradient that is estimated along random directions."""

    title = "Noisy gradient"
    words = (
        "The gradient is estimated along a few random directions, far fewer than the network has parameters. Most of "
        "the estimate is noise, so only very small steps learn anything."
    )
    advice = "more directions, as in --gradient spsa:samples=100, or --gradient backpropagation"

    def find(self, case: Case) -> Finding | None:
        gradient = case.trainer.gradient
        if gradient is None or not case.poor or (directions := gradient.directions_drawn()) is None:
            return None
        parameters = learned_numbers(case.network)
        return self.finding(
            f"the gradient is estimated along {count(directions, 'random direction')} of {parameters:,} parameters",
            "directions over parameters",
            directions / parameters,
            Bars("Directions", "count", {"drawn": directions, "parameters": parameters}, logarithmic=True),
            cause="the gradient is mostly noise, so the network learns slowly",
            changes={"gradient": "backpropagation"},
        )
