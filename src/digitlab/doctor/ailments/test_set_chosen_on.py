"""The test set decided which network was kept."""

from digitlab.data import Splits
from digitlab.doctor.ailment import Ailment, Curves, Finding
from digitlab.doctor.case import Case
from digitlab.doctor.measures import found_in
from digitlab.train.run import digest

ALL = 0.9  # of the validation set


class TestSetChosenOn(Ailment):
    """A test set that chose the epoch, or that is the validation set as well."""

    __test__ = False  # for pytest: no test
    title = "Chosen on the test set"
    words = (
        "The test set decided which epoch was kept or when to stop. Its accuracy is then too good: it was chosen to "
        "be good on these very examples, and it no longer says how well the network reads new ones."
    )
    advice = "a validation set that is not the test set"

    def find(self, case: Case) -> Finding | None:
        monitor, n = case.config.monitor, len(case.rows)
        if monitor.startswith("test") and n:
            picture = Curves(f"{monitor} chose the epoch", monitor, {monitor: case.column(monitor)})
            return self.finding(
                f"the best of {n} epochs was chosen by {monitor}",
                "epochs to choose from",
                n,
                picture,
                cause=f"the setting monitor is {monitor!r}",
                changes={"monitor": "valid_accuracy"} if "valid" in case.sets else {},
            )
        if {"valid", "test"} <= case.sets.keys():
            valid, test = case.sets["valid"][0], case.sets["test"][0]
            same = case.ending.get("sets", {}).get("valid") == digest(*case.sets["test"])  # fit(train, test)
            share = 1.0 if same else len(found_in(valid, test)) / len(valid)
            if share < ALL:
                return None
            return self.finding(
                f"{100 * share:.0f} % of the validation examples are test examples",
                "share of the validation set that is in the test set",
                share,
                Curves(
                    "The validation set is the test set",
                    "valid_accuracy",
                    {"valid_accuracy": case.column("valid_accuracy")},
                ),
                cause="the same examples validate and test",
                fix_data=with_own_validation,
            )
        return None


def with_own_validation(splits: Splits) -> Splits:
    """The sets with the last sixth of the training examples as the validation set."""
    train, valid = splits.train.split(-1, len(splits.train) // 6)
    return Splits(train, valid, splits.test)
