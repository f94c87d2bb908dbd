"""Sorted examples that are not shuffled."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Curves, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import percent

RUNS = 0.8  # of neighbours with the same label: in random order of ten classes it is a tenth


class SortedData(Ailment):
    """Examples in the order of their classes, in a training without shuffling."""

    title = "Sorted data not shuffled"
    words = (
        "The training examples are sorted by class and are trained in this order. Each batch has one class only, so "
        "the network learns the class of the moment and forgets the ones before."
    )
    advice = "a new random order in every epoch"

    def find(self, case: Case) -> Finding | None:
        labels = case.labels("train")
        if labels is None or case.config.shuffle:
            return None
        same = float(np.mean(labels[1:] == labels[:-1]))
        guess = float(np.bincount(labels).max() / len(labels))
        if same < RUNS or guess > RUNS:
            return None
        every = max(1, len(labels) // 500)
        order = Curves(
            "Labels in the order of training",
            "label",
            {"": labels[::every].tolist()},
            f"training example (1 of {every})" if every > 1 else "training example",
        )
        return self.finding(
            f"{percent(same)} of the training examples have the label of the one before, and they are not shuffled",
            "share of neighbours with the same label",
            same,
            order,
            cause="the setting shuffle is off (--file-order)",
            advice="--shuffle",
            changes={"shuffle": True},
        )
