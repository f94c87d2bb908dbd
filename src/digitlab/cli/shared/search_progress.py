"""How a search is shown while it goes on, here or in another terminal. Not a command itself."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitlab.search import SearchPlan, SearchWatcher, Trial

EVERY = 1.0  # seconds between two looks of --watch


def watch_search(path: Path) -> None:
    """Show a search that runs elsewhere, until it is done: lines in a pipe, a table that is kept up to date else."""
    from digitlab.cli.shared.console import say
    from digitlab.search import STRATEGIES, Study
    from digitlab.search.study import best_of, trial_line

    study = Study(path)
    seen: set[int] = set()
    say(f"{study.path}: {STRATEGIES[study.plan.strategy].stated(study.plan)}")
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
        time.sleep(EVERY)


def search_progress() -> "SearchWatcher":
    """What shows a search here: a bar under growing lines on a terminal, lines alone in a pipe."""
    return SearchBar() if sys.stdout.isatty() else SearchLines()


class SearchLines:
    """A line for each trial that has ended, and for each decision."""

    def write(self, text: str, style: str | None = None) -> None:
        from digitlab.cli.shared.console import say

        say(text)

    def began(self, plan: "SearchPlan", trials: "Sequence[Trial]", reason: str) -> None:
        from digitlab.search import STRATEGIES

        self.write(STRATEGIES[plan.strategy].stated(plan))
        if trials:
            self.write(f"going on after {sum(t.state in ('done', 'pruned') for t in trials)} finished trials")
        if plan.prune != "none":
            rungs = plan.rungs(plan.base.epochs)[:-1]
            self.write(f"trials that are behind end after {', '.join(map(str, rungs))} epochs ({plan.prune})")
        self.write(f"computed by {reason}")

    def epoch(self, event: dict[str, Any]) -> None:
        """Nothing: a pipe gets a line for each trial."""

    def done(self, trial: "Trial", best: "Trial | None", count: int, goal: int) -> None:
        from digitlab.search.study import trial_line

        leads = best is not None and best.number == trial.number
        self.write(f"{count}/{goal}  {trial_line(trial, leads)}", "green" if leads else None)

    def told(self, line: str) -> None:
        self.write(line, "cyan")

    def ended(self) -> None:
        """Nothing."""


class SearchBar(SearchLines):
    """The lines above a bar of finished trials."""

    def began(self, plan: "SearchPlan", trials: "Sequence[Trial]", reason: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("trials"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TextColumn("{task.fields[now]}"),
            TimeRemainingColumn(),
            transient=True,
        )
        self.bar.start()
        finished = sum(t.state in ("done", "pruned") for t in trials)
        self.task = self.bar.add_task("", total=plan.trials, completed=finished, now="")
        super().began(plan, trials, reason)

    def write(self, text: str, style: str | None = None) -> None:
        self.bar.console.print(text, style=style, highlight=False)

    def epoch(self, event: dict[str, Any]) -> None:
        self.bar.update(self.task, now=f"{event['name']}: epoch {event['row']['epoch']}/{event['epochs']}")

    def done(self, trial: "Trial", best: "Trial | None", count: int, goal: int) -> None:
        super().done(trial, best, count, goal)
        self.bar.update(self.task, completed=count, total=goal)

    def ended(self) -> None:
        if hasattr(self, "bar"):
            self.bar.stop()
