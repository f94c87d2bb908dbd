"""An ailment of a training, and a finding: the ailment in one run, with its evidence."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.doctor.case import Case

Array = np.ndarray[Any, Any]
DataFix = Callable[["Splits"], "Splits"]


@dataclass(frozen=True)
class Curves:
    """A picture: columns of the history over the epochs, by name, or other values over what `x` says."""

    title: str
    y: str
    curves: Mapping[str, Sequence[float]]
    x: str = "epoch"


@dataclass(frozen=True)
class Bars:
    """A picture: a value for each name, and a line at `limit` if there is one."""

    title: str
    y: str
    values: Mapping[str, float]
    limit: float | None = None
    logarithmic: bool = False


@dataclass(frozen=True)
class Images:
    """A picture: images uint8 (N, H, W) or (N, H, W, 3), each under its title."""

    title: str
    images: Array
    titles: Sequence[str]


Picture = Curves | Bars | Images


class Diagnosis(NamedTuple):
    """A finding in short, as it is kept with a training's result: another learning rate to try, or else `advice`."""

    seen: str
    cause: str
    rate: str = ""
    advice: str = ""

    def __str__(self) -> str:
        """The whole, in one sentence, for Python."""
        change = f"learning_rate={self.rate}" if self.rate else self.advice
        return f"{self.seen}; likely cause: {self.cause}; try {change}"


@dataclass(frozen=True)
class Finding:
    """An ailment in one run.

    ailment   its name, such as "dead-relus"
    title     the same in words: "Dead ReLUs"
    seen      what was measured, in a sentence
    measure   what the number is, and `value` the number itself
    picture   the evidence as data; `digitlab.viz.doctor.findings_figure` draws it
    cause     the likely cause
    advice    what to try
    changes   settings that may correct it, as `digitlab train` names them: {"learning_rate": 3.0}; {} where none can
    fix_data  what to do with the data instead, a function of the sets; None where nothing can be done
    """

    ailment: str
    title: str
    seen: str
    measure: str
    value: float
    picture: Picture | None
    cause: str
    advice: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    fix_data: DataFix | None = None

    @property
    def can_be_fixed(self) -> bool:
        """Whether there are settings or a change of the data that may correct it."""
        return bool(self.changes) or self.fix_data is not None

    @property
    def diagnosis(self) -> Diagnosis:
        """The same in short, without picture and changes."""
        if list(self.changes) == ["learning_rate"]:
            return Diagnosis(self.seen, self.cause, rate=f"{self.changes['learning_rate']:.3g}")
        return Diagnosis(self.seen, self.cause, advice=self.advice)

    def __str__(self) -> str:
        return f"{self.title}: {self.seen}; likely cause: {self.cause}; try {self.advice}"


class Ailment:
    """Base. A subclass states what the ailment is and finds it in a case.

    title   its name in words; `name` is made from it: "Dead ReLUs" is "dead-relus"
    words   what it is, in one or two sentences
    advice  what usually helps
    """

    title: ClassVar[str]
    words: ClassVar[str]
    advice: ClassVar[str]

    @property
    def name(self) -> str:
        """The title as one word of the command line."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower())

    def find(self, case: "Case") -> Finding | None:
        """The finding with its evidence, or None where the run does not have this ailment."""
        raise TypeError(f"{type(self).__name__} has no find")

    def finding(
        self,
        seen: str,
        measure: str,
        value: float,
        picture: Picture | None = None,
        *,
        cause: str,
        advice: str = "",
        changes: Mapping[str, Any] | None = None,
        fix_data: DataFix | None = None,
    ) -> Finding:
        """A finding of this ailment; the advice is the usual one unless given."""
        return Finding(
            self.name,
            self.title,
            seen,
            measure,
            float(value),
            picture,
            cause,
            advice or self.advice,
            changes or {},
            fix_data,
        )
