"""Labels that belong to a neighbour, or to another class throughout."""

from functools import partial

import numpy as np

from digitlab.data import Digits, Splits
from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import NOISE, percent
from digitlab.engine.select import predict
from digitlab.nn.network import Network
from digitlab.statistics import share_sd

FITS = 0.5  # share of labels that fit after a shift


class LabelsShifted(Ailment):
    """Labels that fit after a shift, by a place in the file or by a class number."""

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
            fix_data=partial(renumbered, network=case.last, classes=case.classes),
        )

    def between_rows(self, case: Case) -> Finding | None:
        """Labels of the training set that belong to the example before or after."""
        labels = case.labels("train")
        if labels is None or not case.poor or len(labels) < 100:
            return None
        guess = np.bincount(labels).max() / len(labels)
        fits = {k: case.agreement(k) for k in (-1, 0, 1)}
        if guess > FITS or fits[0] > guess + NOISE * share_sd(guess, len(case.neighbours[0])):
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
            fix_data=partial(moved_back, places=best),
        )


def moved_back(splits: Splits, *, places: int) -> Splits:
    """The training images, each with the label `places` (1 or −1) on; the one at the end that has none is left out."""
    train = splits.train
    images, labels = (train.images[:-1], train.labels[1:]) if places > 0 else (train.images[1:], train.labels[:-1])
    return splits._replace(train=Digits(images, labels, train.class_names, train.name))


def renumbered(splits: Splits, *, network: Network, classes: int) -> Splits:
    """The sets with the classes of validation and test numbered as the network answers them."""

    def fitted(part: Digits) -> Digits:
        guesses = np.argmax(predict(network, part.images.reshape(len(part), *network.input_shape)), axis=1)
        shift = max(range(classes), key=lambda k: np.mean((guesses + k) % classes == part.labels))
        return Digits(part.images, (part.labels - shift) % classes, part.class_names, part.name)

    train, valid, test = splits
    return Splits(train, None if valid is None else fitted(valid), fitted(test))
