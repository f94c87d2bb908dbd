"""The progress of a training in a notebook: curves and a table of the last epochs, updated in place."""

import sys
from typing import TYPE_CHECKING, Any

from digitlab.train.callbacks import Callback, PlainLines, duration
from digitlab.train.columns import heading, unit
from digitlab.train.history import Row
from digitlab.viz.notebook.parts import card, note, table
from digitlab.viz.notebook.views import history_curves

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer

ROWS = 8  # epochs in the table: the last ones
SHOWN = ("train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "test_loss", "test_accuracy")


def in_notebook() -> bool:
    """Whether this program runs in a notebook's kernel, which can replace what it has shown."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def epoch_display() -> Callback:
    """What shows the epochs of one training: a table that grows in a notebook, else a line per epoch."""
    return LiveTable() if in_notebook() else PlainLines()


class UpdatedHTML:
    """A fragment of HTML under a cell; each `show` replaces what was shown before."""

    _handle: Any = None

    def show(self, fragment: str) -> None:
        from IPython.display import HTML, display

        if self._handle is None:
            self._handle = display(HTML(fragment), display_id=True)
        else:
            self._handle.update(HTML(fragment))


class LiveTable(Callback):
    """Curves and the last epochs, under the cell that trains, updated after each epoch; a star marks the best epoch."""

    _shown: UpdatedHTML

    def on_fit_start(self, trainer: "Trainer") -> None:
        self._shown = UpdatedHTML()
        self._show(trainer, "starting")

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        left = f", {duration(row['seconds_left'])} left" if row.get("seconds_left") else ""
        self._show(trainer, f"epoch {row['epoch']} of {trainer.epochs}{left}")

    def on_fit_end(self, trainer: "Trainer") -> None:
        if not trainer.diverged:  # a divergence is shown as an error
            done = f"{len(trainer.history)} epochs done"
            self._show(trainer, f"stopped: {trainer.stop_reason}" if trainer.stop_reason else done)

    def _show(self, trainer: "Trainer", state: str) -> None:
        self._shown.show(live_table(trainer, state))


def live_table(trainer: "Trainer", state: str) -> str:
    """The fragment that LiveTable shows: the state of the training, its curves, and its last epochs."""
    rows = trainer.history.rows
    if not rows:
        return card(state)
    names = [name for name in SHOWN if any(row.get(name) is not None for row in rows)]
    best = trainer.best.epoch if trainer.best is not None else None
    cells = [
        [
            f"{row['epoch']}{' ★' if row['epoch'] == best else ''}",
            *(unit(name).text(row[name]) if row.get(name) is not None else "" for name in names),
            f"{row['seconds']:.2f}",
        ]
        for row in rows[-ROWS:]
    ]
    headings = ["epoch", *map(heading, names), "seconds"]
    earlier = [note(f"the last {ROWS} of {len(rows)} epochs:")] if len(rows) > ROWS else []
    drawn = [history_curves(trainer.history)] if len(rows) > 1 else []
    return card(state, *drawn, *earlier, table(headings, cells, numbers=range(1, len(headings))))
