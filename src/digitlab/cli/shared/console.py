"""What a person at a terminal gets (colour, a progress bar) and what a pipe gets (plain lines)."""

import sys
from typing import TYPE_CHECKING, Any

from digitlab.train.callbacks import Callback, PlainLines, epoch_line
from digitlab.train.history import Row

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer


def say(text: str) -> None:
    """A line of ordinary output, flushed at once so that a pipe sees it when it happens."""
    print(text, flush=True)


def progress() -> Callback:
    """The callback that shows training here: a bar above growing lines on a terminal, lines alone in a pipe."""
    return ProgressBar() if sys.stdout.isatty() else PlainLines(say)


class ProgressBar(Callback):
    """An epoch's bar at the bottom, finished epochs as lines above it; a new best epoch is green."""

    def __init__(self) -> None:
        self.bar: Any = None

    def on_fit_start(self, trainer: "Trainer") -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=40),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            transient=True,
        )
        self.bar.start()
        self.task = self.bar.add_task("", epoch=f"{trainer.epoch}/{trainer.epochs}")

    def on_epoch_start(self, trainer: "Trainer") -> None:
        self.bar.reset(self.task, epoch=f"{trainer.epoch}/{trainer.epochs}")

    def on_batches(self, trainer: "Trainer", done: int, total: int) -> None:
        self.bar.update(self.task, completed=done, total=total)

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        best = trainer.best is not None and trainer.best.epoch == row["epoch"]
        line = epoch_line(row, trainer.epochs, trainer.monitor)
        self.bar.console.print(line, style="green" if best else None, highlight=False)

    def on_fit_end(self, trainer: "Trainer") -> None:
        if self.bar is None:  # interrupted before it was there
            return
        self.bar.stop()
        if trainer.stop_reason and not trainer.diverged:  # which is an error, told as such
            self.bar.console.print(f"stopped: {trainer.stop_reason}", style="yellow", highlight=False)


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Rows of text under headings; the first column is flush left, the others flush right."""
    cells = [headings, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    padded = [[row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))] for row in cells]
    lines = ["  ".join(row) for row in padded]
    return "\n".join([lines[0].rstrip(), "─" * len(lines[0]), *(line.rstrip() for line in lines[1:])])
