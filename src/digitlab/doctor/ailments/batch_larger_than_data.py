"""A batch that takes all examples at once."""

from digitlab.doctor.ailment import Ailment, Bars, Finding
from digitlab.doctor.case import Case
from digitlab.train.default_rate import BATCH, default_learning_rate


class BatchLargerThanData(Ailment):
    """A batch size above the number of training examples: one step per epoch."""

    title = "Batch larger than the data"
    words = (
        "The batch size is larger than the training set, so every epoch is a single step. A few dozen steps are far "
        "too few for a network to learn."
    )
    advice = "a small batch, such as 10"

    def find(self, case: Case) -> Finding | None:
        if "train" not in case.sets or not case.poor:
            return None
        n, size = len(case.sets["train"][1]), case.config.batch_size
        if size <= n:
            return None
        optimizer = case.trainer.optimizer
        return self.finding(
            f"the batch size is {size:,} and the training set has {n:,} examples, so {len(case.rows)} epochs were "
            f"{len(case.rows)} steps",
            "batch size over training examples",
            size / n,
            Bars("Examples", "count", {"batch size": size, "training set": n}),
            cause="one step per epoch",
            changes={
                "batch_size": BATCH,
                "learning_rate": default_learning_rate(optimizer, case.network, gradient=case.trainer.gradient),
            },
        )
