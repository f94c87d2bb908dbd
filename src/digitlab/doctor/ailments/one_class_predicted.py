"""The same answer to everything."""

import numpy as np

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.symptoms import percent

MOST, FEW = 0.95, 0.6  # of the answers are one class, which so many of the examples have at most


class OneClassPredicted(Ailment):
    """One class for nearly every example, because of the training examples or their weights."""

    title = "One class predicted"
    words = (
        "The network gives the same class to nearly every example: it has seen examples of this class alone, or they "
        "count far more than the others."
    )
    advice = "training examples of every class, with weights that are not far apart"

    def find(self, case: Case) -> Finding | None:
        labels, guesses = case.labels(case.watched), case.guesses
        if labels is None or guesses is None or not case.poor:
            return None
        if (only := self.only_class(case)) is not None:
            return only
        counts = np.bincount(guesses, minlength=case.classes)
        answer, share = int(counts.argmax()), float(counts.max() / len(guesses))
        if share < MOST or np.mean(labels == answer) > FEW:
            return None
        names, of_all = case.class_names, float(np.mean(labels == answer))
        trained = (
            np.bincount(case.sets["train"][1], minlength=case.classes) if case.sets["train"][1].ndim == 1 else None
        )
        missing = int((trained == 0).sum()) if trained is not None else 0
        if missing:
            cause = f"{missing} of {case.classes} classes have no training example"
        elif case.config.class_weights not in ("", "balanced"):
            cause = f"class weights that are far apart: {case.config.class_weights}"
        else:  # it is a symptom of something else then
            return None
        return self.finding(
            f"{percent(share)} of the answers are {names[answer]}, as {percent(of_all)} of the examples are",
            "share of the most frequent answer",
            share,
            Bars("Answers", "examples", dict(zip(names, counts.tolist()))),
            cause=cause,
            changes={"class_weights": ""} if case.config.class_weights and not missing else {},
        )

    def only_class(self, case: Case) -> Finding | None:
        """A training set of one class, where the watched set has no other one that would show it."""
        trained, watched = case.labels("train"), case.labels(case.watched)
        if trained is None or watched is None or len(np.unique(np.concatenate([trained, watched]))) > 1:
            return None
        return self.finding(
            f"all {len(trained):,} training examples are of one class, so every prediction is right",
            "classes in the training set",
            1.0,
            cause="the labels are wrong, or only a part of the data was read",
            advice="data of at least two classes",
        )
