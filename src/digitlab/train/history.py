"""What happened in a training: one flat row of JSON-able values per epoch, and statistics over them."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from digitlab.arguments import checked
from digitlab.convert import as_frame
from digitlab.errors import ConfigError, ModelFileError, did_you_mean, in_brief
from digitlab.files import require_suffix, write_text
from digitlab.notebook_html import notebook_html
from digitlab.statistics import summarize
from digitlab.train import columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]


class Statistics(NamedTuple):
    """Statistics of one column over the epochs, and its best; variance and sd as in digitlab.statistics.Summary."""

    epochs: int
    mean: float
    variance: float
    sd: float
    minimum: float
    maximum: float
    range: float
    best: float
    best_epoch: int


class History:
    """The epochs of a training, in order: `history[-1]` is the last epoch's row, `history["valid_accuracy"]` a column.

    Columns: epoch (from 1), train_loss, and for each set that was evaluated valid_loss, valid_accuracy ...;
    change (of the monitored column since the epoch before), learning_rate (of the epoch's last step),
    seconds (training alone), evaluation_seconds, total_seconds (both, since epoch 1), seconds_left (if the epochs to
    come take as long). Accuracies are shares of 1, losses means per example.
    """

    _repr_html_ = notebook_html

    @checked
    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = list(rows)

    def __repr__(self) -> str:
        """ "History: 30 epochs, valid_accuracy 96.20 % at best (epoch 23)"."""
        if not self.rows:
            return "History: no epoch yet"
        name = self.monitored()
        s = self.statistics(name)
        epochs = "1 epoch" if s.epochs == 1 else f"{s.epochs} epochs"
        return f"History: {epochs}, {name} {columns.unit(name).shown(s.best)} at best (epoch {s.best_epoch})"

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "History": ...
    @overload
    def __getitem__(self, index: str) -> list[float]: ...
    def __getitem__(self, index: int | slice | str) -> "Row | History | list[float]":
        """An epoch's row by position, a History of some epochs by slice, or a column by name (`column`)."""
        if isinstance(index, str):
            return self.column(index)
        return History(self.rows[index]) if isinstance(index, slice) else self.rows[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def column(self, name: str) -> list[float]:
        """One value per epoch. Raises ConfigError if an epoch does not have this column."""
        if not any(name in row for row in self.rows):
            known = ", ".join(self.rows[0]) if self.rows else "none, it is empty"
            hint = did_you_mean(name, self.rows[0]) if self.rows else ""
            raise ConfigError(f"the history has no column {name!r}{hint}; it has {known}")
        if lacking := [row["epoch"] for row in self.rows if name not in row]:
            raise ConfigError(f"not every epoch has {name!r}: epoch {lacking[0]} has none")
        return [row[name] for row in self.rows]

    def monitored(self, monitor: str = "") -> str:
        """The column that says how good an epoch was: `monitor` where the epochs have it, else the best there is."""
        first = self.rows[0] if self.rows else {}
        known = (monitor, "valid_accuracy", "valid_loss", "train_accuracy", "train_loss")
        return next((name for name in known if name in first), "train_loss")

    def statistics(self, name: str = "valid_accuracy", *, last: int | None = None) -> Statistics:
        """Statistics of a column over the epochs that have it, or over the `last` k of them.

        The best is the least for a loss, else the most.
        """
        if not any(row.get(name) is not None for row in self.rows):
            self.column(name)  # says so
        rows = [row for row in self.rows if row.get(name) is not None]
        rows = rows[max(0, len(rows) - last) :] if last is not None else rows
        chosen = [row[name] for row in rows]
        if not chosen:
            raise ConfigError(f"got last={last}, expected at least one epoch to take statistics over")
        best = columns.best(name, chosen)
        return Statistics(*summarize(chosen), best, rows[chosen.index(best)]["epoch"])

    def plot(self, *, title: str = "Training") -> "Figure":
        """Loss and accuracy over the epochs, as a matplotlib Figure. Raises ConfigError before the first epoch."""
        from digitlab.train.curves import curves_figure

        if not self.rows:
            raise ConfigError("plot: the history has no epoch yet; train first")
        return curves_figure({"": self}, title=title)

    def to_frame(self) -> Any:
        """The rows as a pandas DataFrame, one row per epoch. Raises ConfigError if pandas is not installed."""
        return as_frame(self.rows)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rows as JSON lines; ConfigError for the suffix of another format."""
        require_suffix(path, "a history", ".jsonl", ".ndjson")
        write_text(path, "".join(json.dumps(row) + "\n" for row in self.rows))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "History":
        """Read JSON lines. Raises ModelFileError naming the line that is none."""
        if not Path(path).is_file():
            raise ModelFileError(f"{path}: no such file; a run folder with at least one finished epoch has one")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ModelFileError(f"{path}: not text ({in_brief(error)}); expected JSON lines") from None
        rows = []
        for number, line in enumerate(text.splitlines(), 1):
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ModelFileError(f"{path}, line {number}: not JSON ({in_brief(error)})") from None
            if not isinstance(row, dict) or "epoch" not in row:
                raise ModelFileError(f"{path}, line {number}: got {line[:60]!r}, expected an object with an epoch")
            rows.append(row)
        return cls(rows)
