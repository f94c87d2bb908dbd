"""All progress displays: on a terminal a bar under growing lines, or curves; in a pipe the lines alone."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.cli.shared.console import say, visible
from digitlab.train.callbacks import Callback, epoch_line
from digitlab.train.history import Row

if TYPE_CHECKING:
    from digitlab.parallel import TrainingResult
    from digitlab.search import SearchPlan, Trial
    from digitlab.train.trainer import Trainer

BAR_WIDTH = 24  # characters; with texts on both sides a line stays within 80


class Bar:
    """A progress bar at the bottom of a terminal, with lines above it; in a pipe the lines alone."""

    def __init__(self, text: str = "", total: float | None = None, unit: str = "") -> None:
        """`total` steps of a `unit`, counted as "3/10 epochs"; without a unit in per cent; None: not known."""
        self.rich: Any = None
        if not sys.stdout.isatty():
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        known = f"{{task.completed:.0f}}/{{task.total:.0f}} {unit}" if unit else "{task.percentage:>3.0f} %"
        shown = [TextColumn(known), TextColumn("{task.fields[now]}"), TimeRemainingColumn()]
        columns = [TextColumn("{task.description}"), BarColumn(bar_width=BAR_WIDTH)]
        self.rich = Progress(*columns, *(shown if total is not None else [TimeElapsedColumn()]), transient=True)
        self.task = self.rich.add_task(text, total=total, now="")
        self.rich.start()

    def update(self, **fields: Any) -> None:
        """Set `completed`, `total`, `description`, or `now`, what is going on."""
        if self.rich is not None:
            self.rich.update(self.task, **fields)

    def advance(self, steps: float = 1) -> None:
        """So many more steps are done."""
        if self.rich is not None:
            self.rich.advance(self.task, steps)

    def line(self, text: str, style: str | None = None) -> None:
        """A line that stays, above the bar."""
        if self.rich is not None:
            self.rich.console.print(visible(text), style=style, highlight=False, markup=False)
        else:
            say(text)

    def stop(self) -> None:
        """Take the bar away; the lines stay."""
        if self.rich is not None:
            self.rich.stop()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def counted(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """`with counted("writing images", 250_000) as advance: ... advance(10_000)`; total None: it is not known."""
    with Bar(what, total) as bar:
        yield bar.advance


class TrainingProgress(Callback):
    """An epoch's bar, finished epochs as lines above it; a new best epoch is green."""

    bar: Bar

    def on_fit_start(self, trainer: "Trainer") -> None:
        self.bar = Bar(f"epoch {trainer.epoch}/{trainer.epochs}", 1)

    def on_batches(self, trainer: "Trainer", done: int, total: int) -> None:
        self.bar.update(description=f"epoch {trainer.epoch}/{trainer.epochs}", completed=done, total=total)

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        best = trainer.best is not None and trainer.best.epoch == row["epoch"]
        self.bar.line(epoch_line(row, trainer.epochs, trainer.monitor), "green" if best else None)

    def on_fit_end(self, trainer: "Trainer") -> None:
        self.bar.stop()
        if trainer.stop_reason and not trainer.diverged:  # a divergence is shown as an error
            self.bar.line(f"stopped: {trainer.stop_reason}", "yellow")


def training_progress(*, curves: bool = False) -> Callback:
    """The display of one training: a table if a notebook called the command; with `curves` as curves on a terminal."""
    if "ipykernel" in sys.modules:
        from digitlab.viz.notebook import epoch_display

        return epoch_display()
    return LiveCurves() if curves and sys.stdout.isatty() else TrainingProgress()


class LiveCurves(Callback):
    """Loss and accuracy as curves that grow; the last picture stays on the screen when training ends."""

    screen: Any = None

    def on_fit_start(self, trainer: "Trainer") -> None:
        self.screen = curve_screen()
        self.screen.update(curves_text(trainer.history.rows, f"epoch {trainer.epoch}/{trainer.epochs}"))
        self.screen.start()  # last: a callback that could not start is not ended

    def on_batches(self, trainer: "Trainer", done: int, total: int) -> None:
        where = f"epoch {trainer.epoch}/{trainer.epochs}  {100 * done // total:>3} %"
        self.screen.update(curves_text(trainer.history.rows, where))

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        line = epoch_line(row, trainer.epochs, trainer.monitor)
        self.screen.update(curves_text(trainer.history.rows, line), refresh=True)

    def on_fit_end(self, trainer: "Trainer") -> None:
        line = f"stopped: {trainer.stop_reason}" if trainer.stop_reason else f"{len(trainer.history)} epochs done"
        self.screen.update(curves_text(trainer.history.rows, line), refresh=True)
        self.screen.stop()


def curve_screen() -> Any:
    """A rich Live display that redraws four times a second at most."""
    from rich.live import Live

    return Live(refresh_per_second=4)


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


class GroupProgress:
    """A bar for all epochs of a group's networks, a line for each network that has ended (parallel.Watcher)."""

    def began(self, names: Sequence[str], epochs: Sequence[int], reason: str) -> None:
        self.total, self.ready, self.epochs = len(names), 0, sum(epochs)
        self.bar = Bar(f"0/{self.total} networks", self.epochs, "epochs")
        self.bar.line(f"{self.total} networks: {reason}")

    def epoch(self, event: dict[str, Any]) -> None:
        self.bar.advance()

    def done(self, outcome: "TrainingResult") -> None:
        from digitlab.parallel.results import result_line

        self.ready += 1
        if not outcome.interrupted:
            self.epochs -= outcome.config.epochs - len(outcome.rows)  # stopped early, or resumed
        self.bar.update(description=f"{self.ready}/{self.total} networks", total=self.epochs)
        style = "yellow" if outcome.error or outcome.interrupted else "green"
        self.bar.line(f"{self.ready}/{self.total}  {result_line(outcome)}", style)

    def ended(self) -> None:
        self.bar.stop()


class SearchProgress:
    """A bar of finished trials, a line for each of them and for each decision (search.SearchWatcher)."""

    bar: Bar | None = None

    def began(self, plan: "SearchPlan", trials: "Sequence[Trial]", reason: str) -> None:
        from digitlab.search import STRATEGIES

        finished = sum(t.state in ("done", "pruned") for t in trials)
        self.bar = Bar("", plan.trials, "trials")
        self.bar.update(completed=finished)
        self.bar.line(STRATEGIES[plan.strategy].description(plan))
        if trials:
            self.bar.line(f"continuing after {finished} finished trials")
        if plan.prune != "none":
            rungs = plan.rungs(plan.base.epochs)[:-1]
            self.bar.line(f"trials that are behind end after {', '.join(map(str, rungs))} epochs ({plan.prune})")
        self.bar.line(f"computed by {reason}")

    def epoch(self, event: dict[str, Any]) -> None:
        if self.bar is not None:
            self.bar.update(now=f"{event['name']}: epoch {event['row']['epoch']}/{event['epochs']}")

    def done(self, trial: "Trial", best: "Trial | None", count: int, goal: int) -> None:
        from digitlab.search.study import trial_line

        is_best = best is not None and best.number == trial.number
        if self.bar is not None:
            self.bar.update(completed=count, total=goal)
            self.bar.line(f"{count}/{goal}  {trial_line(trial, is_best)}", "green" if is_best else None)

    def decided(self, line: str) -> None:
        if self.bar is not None:
            self.bar.line(line, "cyan")

    def ended(self) -> None:
        if self.bar is not None:
            self.bar.stop()


def watch_search(path: Path) -> None:
    """Show a search that runs elsewhere, until it is done, a line for each trial that has ended."""
    from digitlab.search import STRATEGIES, Study
    from digitlab.search.study import best_of, trial_line

    study = Study(path)
    seen: set[int] = set()
    say(f"{study.path}: {STRATEGIES[study.plan.strategy].description(study.plan)}")
    while True:
        trials = study.trials()
        alive = [t for t in trials if t.state != "failed"]
        done = [t for t in alive if t.state in ("done", "pruned")]
        best = best_of(trials).number if any(t.state == "done" for t in trials) else None
        goal = STRATEGIES[study.plan.strategy].goal(study.plan, alive)
        for t in done:
            if t.number not in seen:
                seen.add(t.number)
                say(f"{len(seen)}/{goal}  {trial_line(t, t.number == best)}")
        if len(done) >= goal:
            return
        time.sleep(1.0)
