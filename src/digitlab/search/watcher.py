"""What a search reports while it runs."""

from collections.abc import Sequence
from typing import Any, Protocol

from digitlab.search.plan import SearchPlan
from digitlab.search.study import Trial


class SearchWatcher(Protocol):
    """Sees what a search does: pass one as `search(…, watcher=…)`."""

    def began(self, plan: SearchPlan, trials: Sequence[Trial], reason: str) -> None:
        """The search begins, or continues after these trials; `reason` says what computes it."""

    def epoch(self, event: dict[str, Any]) -> None:
        """One training has finished an epoch. Called from other threads."""

    def done(self, trial: Trial, best: Trial | None, count: int, goal: int) -> None:
        """A trial has ended, the `count`-th of `goal` as far as is known; `best` is the best so far."""

    def decided(self, line: str) -> None:
        """What the strategy decided, and why."""

    def ended(self) -> None:
        """The search has ended."""
