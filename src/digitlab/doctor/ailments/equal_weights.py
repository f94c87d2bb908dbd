"""Neurons of a layer that start alike."""

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.fix import with_first_weights
from digitlab.doctor.measures import equal_neurons, outer_layers_with_weights


class EqualWeights(Ailment):
    """A hidden layer whose neurons all have the same first weights."""

    title = "Equal first weights"
    words = (
        "All neurons of a hidden layer start with the same weights, such as 0. They get the same gradient, so they "
        "stay equal and compute one feature together; ReLU neurons at 0 never learn at all."
    )
    advice = "random first weights"

    def find(self, case: Case) -> Finding | None:
        if case.first is None or not case.poor:
            return None
        hidden = outer_layers_with_weights(case.network)[:-1]
        equal = [i for i, _ in hidden if equal_neurons(case.first.layers[i])]
        if not equal:
            return None
        neurons = {f"layer {i}": case.first.layers[i] for i, _ in hidden}
        different = {name: 1 if equal_neurons(layer) else _width(layer) for name, layer in neurons.items()}
        layer = case.first.layers[equal[0]]
        return self.finding(
            f"all {_width(layer)} neurons of layer {equal[0]}, {layer!r}, start with the same weights",
            "different neurons in the layer",
            1,
            Bars("Neurons with different weights before training", "neurons", different),
            cause="the initializer gives every weight the same value",
            advice="random first weights: --init scaled, or --init he for the ReLU family",
            changes=with_first_weights(case),
        )


def _width(layer: object) -> int:
    return int(next(iter(layer.params.values())).value.shape[-1])  # type: ignore[attr-defined]
