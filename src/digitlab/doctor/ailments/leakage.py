"""Examples that are in two sets."""

import numpy as np

from digitlab.data import Splits
from digitlab.doctor.ailment import Ailment, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.measures import found_in

MANY, FEW = 0.01, 3  # of a set: a handful of equal images occurs by chance, blank ones for instance
SHOWN = 10


class Leakage(Ailment):
    """At least 1 % of the validation or test set is in the training set."""

    title = "Leakage between sets"
    words = (
        "Examples of the validation or test set are in the training set as well. The network knows them by heart, so "
        "their accuracy is too good and says little about new examples."
    )
    advice = "training data without the examples of the other sets"

    def find(self, case: Case) -> Finding | None:
        if "train" not in case.sets:
            return None
        train = case.sets["train"][0]
        for name in ("valid", "test"):
            if name not in case.sets:
                continue
            x = case.sets[name][0]
            both = found_in(x, train)
            if len(both) < max(FEW, MANY * len(x)):
                continue
            shown = both[:SHOWN]
            return self.finding(
                f"{len(both):,} of {len(x):,} examples of the {name} set are in the training set",
                f"share of the {name} set",
                len(both) / len(x),
                case.pictures("Examples in both sets", name, shown, [f"{name} {i}" for i in shown]),
                cause="examples were copied or drawn with replacement before the data were divided",
                fix_data=without_copies,
            )
        return None


def without_copies(splits: Splits) -> Splits:
    """The sets without the training examples that are in another one as well."""
    others = np.concatenate([part.images for part in splits[1:] if part is not None])
    kept = np.ones(len(splits.train), bool)
    kept[found_in(splits.train.images, others)] = False
    return splits._replace(train=splits.train[kept])
