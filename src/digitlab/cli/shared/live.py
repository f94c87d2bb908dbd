"""Curves in the terminal while a network trains; plain lines where there is no terminal."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from digitlab.cli.shared.console import say
from digitlab.train.callbacks import Callback, PlainLines, epoch_line
from digitlab.train.history import Row

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer


def live_curves() -> Callback:
    """The callback behind `train --watch`: curves on a terminal, a line per epoch in a pipe."""
    return LiveCurves() if sys.stdout.isatty() else PlainLines(say)


class LiveCurves(Callback):
    """Loss and accuracy as curves that grow; the last picture stays on the screen when training ends."""

    def __init__(self) -> None:
        self.screen: Any = None

    def on_fit_start(self, trainer: "Trainer") -> None:
        self.screen = curve_screen()
        self.screen.start()
        self.screen.update(curves_text(trainer.history.rows, f"epoch {trainer.epoch}/{trainer.epochs}"))

    def on_batches(self, trainer: "Trainer", done: int, total: int) -> None:
        where = f"epoch {trainer.epoch}/{trainer.epochs}  {100 * done // total:>3} %"
        self.screen.update(curves_text(trainer.history.rows, where))

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        line = epoch_line(row, trainer.epochs, trainer.monitor)
        self.screen.update(curves_text(trainer.history.rows, line), refresh=True)

    def on_fit_end(self, trainer: "Trainer") -> None:
        if self.screen is None:
            return
        line = f"stopped: {trainer.stop_reason}" if trainer.stop_reason else f"{len(trainer.history)} epochs done"
        self.screen.update(curves_text(trainer.history.rows, line), refresh=True)
        self.screen.stop()


def curve_screen() -> Any:
    """A rich Live display that redraws four times a second at most."""
    from rich.live import Live

    return Live(refresh_per_second=4, auto_refresh=True, transient=False)


def curves_text(rows: Sequence[Row], line: str) -> Any:
    """The rows' loss and accuracy as charts in colour, as wide as the terminal, over a line of text."""
    import shutil

    from rich.text import Text

    from digitlab.viz.figures import COLOURS
    from digitlab.viz.terminal import history_charts

    width = max(40, min(shutil.get_terminal_size().columns, 100))
    text = Text(no_wrap=True)
    for chart in history_charts(rows, width=width, height=10):
        for cells in chart:
            for characters, series in cells:
                text.append(characters, style=COLOURS[series % len(COLOURS)] if series is not None else None)
            text.append("\n")
    text.append(line)
    return text
