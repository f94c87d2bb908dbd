"""Labels that belong to a neighbour, or to another class throughout."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Array, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.measures import agreement
from digitlab.statistics import share_sd
from digitlab.train.symptoms import NOISE, percent

FITS = 0.5  # share of labels that fit after a shift
COMPARED, KNOWN = 400, 1200  # examples whose nearest neighbour is looked for, among so many


class LabelsShifted(Ailment):
    title = "Labels shifted"
    words = (
        "The label of an example is that of the one before or after it, as when a header line or a first image was "
        "dropped from one of two files; or the classes of one set are numbered from 1 and those of another from 0."
    )
    advice = "labels moved back by one"

    def find(self, case: Case) -> Finding | None:
        return self.between_sets(case) or self.between_rows(case)

    def between_sets(self, case: Case) -> Finding | None:
        """Classes of the validation set that are numbered otherwise than those of the training set."""
        labels, guesses = case.labels("valid"), case.guesses
        if labels is None or guesses is None or case.watched != "valid" or not case.poor or case.classes < 3:
            return None
        right = {k: float(np.mean((guesses + k) % case.classes == labels)) for k in range(case.classes)}
        best = max(right, key=lambda k: right[k])
        if best == 0 or right[best] < FITS:
            return None
        shift = best if best <= case.classes // 2 else best - case.classes
        names = {f"{k:+d}" if k else "0": right[k % case.classes] for k in range(-2, 3)}
        return self.finding(
            f"valid_accuracy is {percent(right[0])}, and {percent(right[best])} with {shift:+d} added to every answer",
            "accuracy with shifted labels",
            right[best],
            Bars("Accuracy if the answers are shifted", "accuracy", names),
            cause="the classes of the two sets are numbered differently",
            advice="the same numbers for the classes of all sets",
        )

    def between_rows(self, case: Case) -> Finding | None:
        """Labels of the training set that belong to the example before or after."""
        labels = case.labels("train")
        if labels is None or not case.poor or len(labels) < 100:
            return None
        x = case.sets["train"][0]
        guess = np.bincount(labels).max() / len(labels)
        fits = {k: shifted_agreement(x, labels, k) for k in (-1, 0, 1)}
        if guess > FITS or fits[0] > guess + NOISE * share_sd(guess, min(COMPARED, len(labels) // 3)):
            return None
        best = max((-1, 1), key=lambda k: fits[k])
        if fits[best] < FITS:
            return None
        return self.finding(
            f"{percent(fits[0])} of the labels are those of the most similar example, "
            f"and {percent(fits[best])} if each is that of the example {'after' if best > 0 else 'before'} it",
            "labels that fit after the shift",
            fits[best],
            Bars("Labels that the most similar example has, too", "share", {f"{k:+d}": fits[k] for k in fits}, guess),
            cause="images and labels were read with an offset of one",
        )


def shifted_agreement(x: Array, labels: Array, shift: int) -> float:
    """The share of labels, each taken from the example `shift` places on, that the most similar example has, too."""
    moved = np.roll(labels, -shift)
    order = np.random.default_rng(0).permutation(len(x))[:KNOWN]  # the data may be sorted
    few, others = np.split(order, [min(COMPARED, len(order) // 3)])
    return agreement(x[few], moved[few], x[others], moved[others])
