"""An experiment: its place in its book, its tasks, its figures, its pictures."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from digitlab.books.data import Data
from digitlab.books.task import Computation, Task, TaskResult

AS_WRITTEN, CORRECTED = "as-written", "corrected"
MODES = (AS_WRITTEN, CORRECTED)
Tasks = dict[str, Task]
TaskResults = Mapping[str, TaskResult]


@dataclass(frozen=True)
class Variant:
    """One way to run an experiment.

    scale    "quick": a few hundred images and two epochs, to see that it runs; "default": the book's settings;
             "full": also every value of the book's long sweeps
    mode     "as-written": as the book's program does it, quirks included; "corrected": without them
    seed     of the first weights and the order of the images
    source   of the images: see Data
    """

    scale: str = "default"
    mode: str = AS_WRITTEN
    seed: int = 0
    source: str = "mnist"

    @property
    def quick(self) -> bool:
        """Whether the experiment runs in small, to see that it works."""
        return self.scale == "quick"

    @property
    def full(self) -> bool:
        """Whether it also computes every value of the book's long sweeps."""
        return self.scale == "full"

    @property
    def as_written(self) -> bool:
        """Whether it does what the book's program does, quirks included."""
        return self.mode == AS_WRITTEN

    def data(self, **settings: Any) -> Data:
        """The images of this variant; `settings` are the fields of Data."""
        return Data(source=self.source, **settings)

    def scaled_data(self, **settings: Any) -> Data:
        """The same, a few hundred of them in a quick run: for tasks other than trainings."""
        data = self.data(**settings)
        return data.shrunk() if self.quick else data


@dataclass
class Result:
    """The result of one seed: `figures` to compare, `series` for the pictures, `notes` for the reader."""

    figures: dict[str, float] = field(default_factory=dict)
    series: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reported:
    """A figure that the book states, and the figure of ours to compare it with.

    figure      the key in `Result.figures`
    split       the set it was measured on: "test", "validation", "training"; "" if it is no accuracy
    text        what it is: "peak of 30 epochs, best of 3 runs"
    memory      stated from memory, not read at its source: printed with [M]
    statistic   of ours over the seeds: their "mean", or the "best" if the book chose its best run
    chosen_on_test   the book took the best of several test results, and so do we
    runs        the book's figure is the mean of this many runs
    step        one unit of the last digit that the book prints; 0: .01 of percentages, else as `value` is written
    images      the figure is a share of this many images, or a count among them; 0: it does not depend on chance
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
    def name(self) -> str:
        """Its text, or the key where there is none."""
        return self.text or self.figure

    @property
    def rounding(self) -> float:
        """How far the printed figure may be from the measured one: half a unit of its last digit."""
        printed = 0.01 if self.unit == "%" else 10.0 ** -len(repr(self.value).partition(".")[2].removesuffix("0"))
        return (self.step or printed) / 2

    @property
    def deviation(self) -> float:
        """The standard deviation of a share or count of independent images, in the figure's unit; 0 for others."""
        if not self.images or self.unit not in ("%", "errors"):
            return 0.0
        whole = 100 if self.unit == "%" else self.images
        share = self.value / whole
        return whole * math.sqrt(max(share * (1 - share), 0.0) / self.images)


@dataclass(frozen=True)
class Experiment:
    """One experiment. `tasks` is called for each mode and seed; `query` computes figures from their results;
    `draw` makes pictures of the results of all seeds.

    title       what it shows; `setup`: with which settings; `teaches`: what to learn from it, two sentences
    minutes     for one seed, all modes, on one core: measured, or estimated if it was not run
    seeded      whether seeds matter; if not, it is run once
    cause       the likely cause of a difference from the book
    corrected   the same for the corrected mode, where that is another experiment than the book's
    """

    name: str
    tasks: Callable[[Variant], Tasks]
    query: Callable[[TaskResults, Variant], Result]
    draw: Callable[[Sequence[Result], Variant], Mapping[str, Any]]
    book: str = "Own experiments"
    chapter: str = "1"
    title: str = ""
    teaches: str = ""
    setup: str = ""
    reported: tuple[Reported, ...] = ()
    modes: tuple[str, ...] = (AS_WRITTEN,)
    minutes: float = 1.0
    seeded: bool = True
    cause: str = ""
    corrected: str = ""
    file: str = ""  # that declares it, if it is none of the package
    revision: int = 1  # raised when the same task results give other figures

    def scaled_tasks(self, variant: Variant) -> Tasks:
        """The tasks of a variant; small ones in a quick run."""
        tasks = self.tasks(variant)
        return {label: task.shrunk() for label, task in tasks.items()} if variant.quick else tasks


def computed(
    label: str,
    function: Callable[[Mapping[str, Any]], dict[str, Any]],
    *,
    images: int | None = None,
    seeded: bool = False,
    **given: Any,
) -> Callable[[Variant], Tasks]:
    """A single computation as the tasks of an experiment.

    `function` gets the arguments in `given`; with `images` also "data", the first so many images (0: all of them);
    with `seeded` also "seed".
    """

    def tasks(variant: Variant) -> Tasks:
        chosen = dict(given)
        if images is not None:
            chosen["data"] = variant.scaled_data(train_size=images).table()
        if seeded:
            chosen["seed"] = variant.seed
        title = f"{function.__name__.replace('_', ' ')}, {label}, seed {variant.seed}"
        return {label: Computation(title=title, function=function, given=chosen)}

    return tasks
