"""Rare classes that are not recognized."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.measures import recalls
from digitlab.doctor.symptoms import percent

RATIO = 8.0  # the largest class over the smallest
LOST = 0.4  # lower recall than that of the other classes


class ClassImbalance(Ailment):
    """Classes with few training examples that the network hardly ever answers."""

    title = "Class imbalance"
    words = (
        "Some classes have far fewer training examples than others. The loss is a mean over all examples, so the "
        "network gains most by getting the frequent classes right, and the rare ones are hardly ever answered."
    )
    advice = "weights that make all classes count alike, or more examples of the rare ones"

    def find(self, case: Case) -> Finding | None:
        labels, watched, guesses = case.labels("train"), case.labels(case.watched), case.guesses
        if labels is None or watched is None or guesses is None or case.config.class_weights:
            return None
        counts = np.bincount(labels, minlength=case.classes)
        rare = (counts > 0) & (counts * RATIO <= counts.max())
        if not rare.any():
            return None
        found = recalls(watched, guesses, case.classes)
        frequent = counts * 2 >= counts.max()
        if np.isnan(found[rare]).all() or np.isnan(found[frequent]).all():
            return None
        low, high = float(np.nanmean(found[rare])), float(np.nanmean(found[frequent]))
        if high - low < LOST:
            return None
        ratio = counts.max() / counts[rare].min()
        return self.finding(
            f"the largest class has {ratio:.0f} times as many training examples as the smallest; "
            f"{percent(low)} of the examples of rare classes are recognized, {percent(high)} of the frequent ones",
            "largest class over smallest",
            ratio,
            Bars(
                "Training examples of each class",
                "examples",
                dict(zip(case.class_names, counts.tolist())),
                logarithmic=True,
            ),
            cause="the training set has few examples of some classes",
            advice="--class-weights balanced, or more examples of the rare classes",
            changes={"class_weights": "balanced"},
        )
