"""ReLU neurons that give 0 for every input."""

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.fix import with_first_weights
from digitlab.doctor.measures import dead_share, named_outputs
from digitlab.doctor.symptoms import most
from digitlab.train.default_rate import smaller_rate

MANY = 0.7  # of a layer's neurons; some are dead in most networks


class DeadReLUs(Ailment):
    """A layer of which at least 70 % of the ReLUs give 0 for every example."""

    title = "Dead ReLUs"
    words = (
        "A ReLU neuron whose weighted sum is below 0 for every input gives 0 and has no gradient, so it never learns "
        "again. A step that is too large, or a bias far below 0, does that."
    )
    advice = "a smaller learning rate, first biases of 0, or --activation leaky-relu"

    def find(self, case: Case) -> Finding | None:
        if case.probe is None or not case.poor or case.diverged:
            return None
        shares = {
            f"layer {name}": dead_share(layer, y)
            for name, layer, y in named_outputs(case.last, case.probe[0])
            if getattr(layer, "flat_at", None) == 0
        }
        if not shares or max(shares.values()) < MANY:
            return None
        worst = max(shares, key=lambda name: shares[name])
        first = 0.0
        if case.first is not None:
            outputs = named_outputs(case.first, case.probe[0])
            first = next(dead_share(layer, y) for name, layer, y in outputs if f"layer {name}" == worst)
        smaller = smaller_rate(case.rate, case.trainer.default_rate)
        born = first >= MANY
        return self.finding(
            f"{most(shares[worst])} of the neurons of {worst} give 0 for every input",
            "share of dead neurons in the layer",
            shares[worst],
            Bars("Neurons that give 0 for every input", "share of the layer", shares, limit=MANY),
            cause="first weights or biases that are too far below 0"
            if born
            else f"the learning rate {case.rate:g} is too large",
            advice="--init he" if born else f"--learning-rate {smaller:.3g}",
            changes=with_first_weights(case) if born else {"learning_rate": float(f"{smaller:.3g}")},
        )
