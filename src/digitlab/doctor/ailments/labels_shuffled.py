"""Labels that have nothing to do with their examples."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import NOISE, only_by_heart, percent
from digitlab.statistics import share_sd

SHOWN = 10


class LabelsShuffled(Ailment):
    """Labels that agree with those of similar examples no more often than chance."""

    title = "Labels shuffled"
    words = (
        "The labels do not belong to their examples, as after shuffling one of two arrays. There is nothing to learn "
        "but each example by heart, and new examples are guessed."
    )
    advice = "looking at some examples with their labels, and shuffling examples and labels together"

    def find(self, case: Case) -> Finding | None:
        labels = case.labels("train")
        if labels is None or not case.poor or len(labels) < 100:
            return None
        guess = float(np.bincount(labels).max() / len(labels))
        fits = case.agreement()
        names = [case.class_names[i] for i in labels[:SHOWN]]
        picture = case.pictures("Examples with their labels", "train", slice(0, SHOWN), names)
        if guess < 0.8 and fits <= guess + NOISE * share_sd(guess, len(case.neighbours[0])):
            return self.finding(
                f"{percent(fits)} of the labels are those of the most similar example; guessing gives {percent(guess)}",
                "labels that fit the most similar example",
                fits,
                picture,
                cause="labels and examples are in different orders",
            )
        if case.rows and "valid" in case.sets and (seen := only_by_heart(case.rows, case.facts)):
            assert case.accuracy is not None
            return self.finding(
                seen,
                "accuracy on the validation set",
                case.accuracy,
                picture,
                cause="the labels of the validation set do not belong to their examples",
            )
        return None
