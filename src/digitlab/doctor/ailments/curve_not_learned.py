"""A function of which the network has learned little, or its straight line alone."""

from digitlab.arrays import to_numpy
from digitlab.doctor.ailment import Ailment, Curves, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.measures import line_loss
from digitlab.doctor.symptoms import percent

MISSED = 0.1  # of the variance
LINE, NEAR = 0.8, 2.0  # times the loss of the best straight line: from there on, and so near to it
STRAIGHT = 1e-3  # of the variance is what the best line misses of a function that is a line itself


class CurveNotLearned(Ailment):
    """Exact values of a function of which more than 10 % of the variance, or all but its best line, is missed."""

    title = "Curve not learned"
    words = (
        "The targets are exact values of a function, so all of it could be learned, and the network still misses a "
        "part. A straight line is what gradient descent with one step size for all weights learns first; it bends the "
        "curve slowly. Adam gives each weight a step size that suits it."
    )
    advice = "--optimizer adam, or more --epochs"

    def find(self, case: Case) -> Finding | None:
        constant = case.constant_loss
        if not case.exact or case.probe is None or not constant:
            return None
        x, y = case.probe
        loss = float(case.network.loss.forward(case.network.forward(x)[0], y)[0])  # of the network that is kept
        line = line_loss(case.network, *map(to_numpy, case.sets["train"]))
        if line < STRAIGHT * constant or (loss < LINE * line and loss <= MISSED * constant):
            return None
        missing = f"{percent(loss / constant)} of the variance"
        adaptive = case.trainer.optimizer.usual_rate is not None
        return self.finding(
            f"only the straight line in the curve is learned: the network misses {missing}, the best line "
            + percent(line / constant)
            if LINE * line <= loss <= max(NEAR * line, MISSED * constant)
            else f"the curve is not learned: the network misses {missing}",
            "share of the variance that is missed",
            loss / constant,
            Curves("Training loss", "loss", {"train_loss": case.column("train_loss")}),
            cause="few epochs, or too few neurons"
            if adaptive
            else "gradient descent with one step size for all weights bends a curve slowly",
            advice="more --epochs, or a wider --net" if adaptive else "--optimizer adam",
            changes={} if adaptive else {"optimizer": {"type": "Adam"}},
        )
