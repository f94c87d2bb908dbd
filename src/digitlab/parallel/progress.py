"""The progress of many trainings: a line for each that has ended, or in a notebook a table that is updated."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from digitlab.parallel.job import TrainingResult
from digitlab.parallel.results import result_line
from digitlab.train.columns import unit
from digitlab.viz.notebook.live import UpdatedHTML, in_notebook
from digitlab.viz.notebook.parts import bar, card, note, table

ROWS = 16  # networks in the table: those that train, and of the others as many as there is room for
SHOWN = ("valid_accuracy", "valid_loss", "train_loss")  # of an epoch: the first that it has


class Watcher(Protocol):
    """Who wants to see how far many trainings are. Called from several threads."""

    def began(self, names: Sequence[str], epochs: Sequence[int], reason: str) -> None:
        """These trainings are about to begin; `reason` says what computes them."""

    def epoch(self, event: dict[str, Any]) -> None:
        """An epoch of one is done: {"name", "epochs", "row"}."""

    def done(self, outcome: TrainingResult) -> None:
        """One has ended, or had before."""

    def ended(self) -> None:
        """All have ended."""


class LineProgress:
    """A line for each network that has ended, through `sink`."""

    def __init__(self, sink: Callable[[str], None] = print) -> None:
        self.sink, self.ready, self.total = sink, 0, 0

    def began(self, names: Sequence[str], epochs: Sequence[int], reason: str) -> None:
        self.total = len(names)
        self.sink(f"{self.total} networks: {reason}")

    def epoch(self, event: dict[str, Any]) -> None:
        pass

    def done(self, outcome: TrainingResult) -> None:
        self.ready += 1
        self.sink(f"{self.ready}/{self.total}  {result_line(outcome)}")

    def ended(self) -> None:
        pass


class TableProgress:
    """A row for each network, under the cell that trains them: its epochs, and its result once it has ended."""

    def began(self, names: Sequence[str], epochs: Sequence[int], reason: str) -> None:
        self.lock, self.shown, self.reason = threading.Lock(), UpdatedHTML(), reason
        self.ready, self.total = 0, len(names)
        self.rows: dict[str, tuple[float, str]] = dict.fromkeys(names, (0.0, "waiting"))
        self._show()

    def epoch(self, event: dict[str, Any]) -> None:
        row, epochs = event["row"], event["epochs"]
        scores = [f", {name} {unit(name).shown(row[name])}" for name in SHOWN if row.get(name) is not None]
        self._set(event["name"], row["epoch"] / epochs, f"epoch {row['epoch']} of {epochs}{''.join(scores[:1])}")

    def done(self, outcome: TrainingResult) -> None:
        self.ready += 1
        self._set(outcome.name, 1.0, result_line(outcome).removeprefix(f"{outcome.name or 'network'}: "))

    def ended(self) -> None:
        pass

    def _set(self, name: str, share: float, text: str) -> None:
        with self.lock:
            if self.rows[name][0] < 1.0 or share == 1.0:
                self.rows[name] = (share, text)
            self._show()

    def _show(self) -> None:
        order = sorted(self.rows, key=lambda name: (self.rows[name][0] in (0.0, 1.0), self.rows[name][0] == 0.0))
        kept = set(order[:ROWS])
        rows = [[name or "network", bar(self.rows[name][0]), self.rows[name][1]] for name in self.rows if name in kept]
        more = [note(f"{len(rows)} of {len(self.rows)} networks are shown")] if len(rows) < len(self.rows) else []
        title = f"{self.ready} of {self.total} networks done"
        self.shown.show(card(title, note(self.reason), table(["network", "trained", "now"], rows), *more))


def group_display() -> Watcher:
    """What shows the progress of `train_many`: a table that is updated in a notebook, else a line per network."""
    return TableProgress() if in_notebook() else LineProgress()
