"""What an experiment of the ledger is: its place in its book, its tasks, its figures, its pictures."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from digitlab.books.data import Data
from digitlab.books.task import Task, TaskResult

AS_WRITTEN, CORRECTED = "as-written", "corrected"
MODES = (AS_WRITTEN, CORRECTED)
Tasks = dict[str, Task]
TaskResults = Mapping[str, TaskResult]


@dataclass(frozen=True)
class Variant:
    """How a row is to be run once: its mode, its dice, and in which scale.

    scale    "quick": a few hundred images and two epochs, to see that it runs; "default": the book's settings;
             "full": every value that the book tried as well
    mode     "as-written": as the book's or the seed's program does it, quirks included; "corrected": without them
    """

    scale: str = "default"
    mode: str = AS_WRITTEN
    seed: int = 0
    source: str = "mnist"

    @property
    def quick(self) -> bool:
        return self.scale == "quick"

    @property
    def full(self) -> bool:
        return self.scale == "full"

    @property
    def written(self) -> bool:
        """Whether this is the mode "as-written"."""
        return self.mode == AS_WRITTEN

    def data(self, **choices: Any) -> Data:
        """The images of this run; `choices` are the fields of Data."""
        return Data(source=self.source, **choices)


@dataclass
class Result:
    """What one run of a row gave: `figures` to compare, `series` for the pictures, `notes` for the reader."""

    figures: dict[str, float] = field(default_factory=dict)
    series: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reported:
    """A figure that the book states, and which of ours it is to be held against.

    figure      the key in `Result.figures`
    split       of which set it is: "test", "validation", "training"; "" where it is none of an accuracy
    text        what it is: "peak of 30 epochs, best of 3 runs"
    memory      stated from memory, not read at its source: printed with [M]
    statistic   what ours is over the seeds: their "mean", or the "best" where the book chose its best run
    chosen_on_test   the book took the best of several test results, and so does our figure
    runs        the book's figure is the mean of so many runs
    step        one unit of the last digit that the book prints; 0: .01 of percentages, else as `value` is written
    images      the figure is a share of so many images, or a count among them; 0: nothing in it is random
    """

    figure: str
    value: float
    split: str = "test"
    text: str = ""
    unit: str = "%"
    memory: bool = False
    statistic: str = "mean"
    chosen_on_test: bool = False
    runs: int = 1
    step: float = 0.0
    images: int = 10_000

    @property
    def rounding(self) -> float:
        """How far the printed figure may be from the one that was measured: half a unit of its last digit."""
        written = 0.01 if self.unit == "%" else 10.0 ** -len(repr(self.value).partition(".")[2].removesuffix("0"))
        return (self.step or written) / 2

    @property
    def deviation(self) -> float:
        """The standard deviation of a share or count of independent images, in the figure's unit; 0 for others."""
        if not self.images or self.unit not in ("%", "errors"):
            return 0.0
        share = self.value / (100 if self.unit == "%" else self.images)
        of_share = math.sqrt(max(share * (1 - share), 0.0) / self.images)
        return of_share * (100 if self.unit == "%" else self.images)


@dataclass(frozen=True)
class Experiment:
    """One experiment. `tasks` is asked once for each mode and seed; `query` turns what they gave into figures;
    `draw` turns the figures of all seeds into pictures.

    minutes     for one seed, all modes, on one core: measured where it was run, otherwise estimated
    chance      whether seeds matter; without, one run is all there is
    cause       why ours is likely to differ from the book's, where it does
    corrected   the same for the corrected mode, where that is another experiment than the book's
    """

    name: str
    book: str
    chapter: str
    shows: str
    setup: str
    tasks: Callable[[Variant], Tasks]
    query: Callable[[TaskResults, Variant], Result]
    draw: Callable[[Sequence[Result], Variant], Mapping[str, Any]]
    reported: tuple[Reported, ...] = ()
    modes: tuple[str, ...] = (AS_WRITTEN,)
    minutes: float = 1.0
    chance: bool = True
    cause: str = ""
    corrected: str = ""
    revision: int = 1  # raised when the same outcomes are to give other figures

    def planned(self, plan: Variant) -> Tasks:
        """The row's tasks for a seed, in small for a quick run."""
        tasks = self.tasks(plan)
        return {label: task.shrunk() for label, task in tasks.items()} if plan.quick else tasks
