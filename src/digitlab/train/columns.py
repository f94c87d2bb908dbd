"""The figures of a history by their names: which way is better, and how people read them."""

from collections.abc import Container, Iterable
from typing import NamedTuple

from digitlab.errors import ConfigError, did_you_mean


class Unit(NamedTuple):
    """How a column is shown: its values times `scale`, with so many `digits` behind the point, and a `mark`."""

    scale: float
    mark: str
    digits: int

    def text(self, value: float) -> str:
        """The value alone, for a table whose heading has the mark: "95.20"."""
        return f"{self.scale * value:.{self.digits}f}"

    def shown(self, value: float) -> str:
        """The value with its mark: "95.20 %"."""
        return self.text(value) + self.mark


def unit(column: str) -> Unit:
    """Accuracies are shares of 1 and shown in per cent, losses as they are."""
    return Unit(100.0, " %", 2) if column.endswith("accuracy") else Unit(1.0, "", 5)


MEASURES = {"loss": "mean loss per example", "accuracy": "accuracy (%)"}  # what an axis says of them


def heading(column: str) -> str:
    """The column's name with its unit, for a table or an axis: "valid_accuracy (%)"."""
    return f"{column} (%)" if unit(column).mark else column


def smaller_is_better(column: str) -> bool:
    """Whether it is a loss."""
    return column.endswith("loss")


def score(column: str, value: float) -> float:
    """The value, turned so that larger is better."""
    return -value if smaller_is_better(column) else value


def best(column: str, values: Iterable[float]) -> float:
    """The best of the values: the least loss, the highest of anything else."""
    return min(values) if smaller_is_better(column) else max(values)


def monitored(monitor: str, sets: Container[str], *, classes: bool) -> str:
    """The column that chooses the best epoch: `monitor`, or "" for the best of the sets. Raises ConfigError."""
    measures = ("accuracy", "loss") if classes else ("loss",)
    names = [name for name in ("valid", "train", "test") if name in sets]
    available = [f"{name}_{measure}" for name in names for measure in measures] + ["train_loss"]
    if monitor and monitor not in available:
        hint = did_you_mean(monitor, available)
        raise ConfigError(f"monitor: got {monitor!r}{hint}; with these sets there are: {', '.join(available)}")
    # Test figures are never the default: what chooses must not be what judges.
    return monitor or next(column for column in available if not column.startswith("test"))
