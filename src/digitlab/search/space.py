"""What a search may vary: a name, the values it can take, and under which condition it is there at all.

    {"learning_rate": LogUniform(0.01, 100), "layers": Integer(1, 2), "width_2": Integer(10, 99, when={"layers": [2]})}

or as text, `log:0.01,100`, or in TOML, `learning_rate = {log = [0.01, 100]}`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from digitlab.arguments import checked_class
from digitlab.errors import ConfigError, not_among
from digitlab.nn.describe import typed
from digitlab.settings.schema import as_typed, option_of, spelled

Point = dict[str, Any]
Space = dict[str, "Parameter"]
KINDS = ("log", "uniform", "integer", "integer-log", "choice")
DIGITS = 6  # significant digits of a chosen number: enough, and the same number wherever it is written


@dataclass(frozen=True)
class Parameter:
    """Base. `when` names values of parameters before it; only with these is this one there: {"layers": [2, 3]}."""

    when: Mapping[str, Sequence[Any]] = field(default_factory=dict, kw_only=True)

    def there(self, point: Point) -> bool:
        """Whether the condition holds for what is chosen so far."""
        return all(point.get(name) in values for name, values in self.when.items())

    def suggest(self, trial: Any, name: str) -> Any:
        """A value from an Optuna trial."""
        raise TypeError(f"{type(self).__name__} does not define suggest")

    def values(self, points: int) -> list[Any]:
        """The values for a grid with that many points on this side."""
        raise TypeError(f"{type(self).__name__} does not define its values")

    def table(self) -> dict[str, Any]:
        """This as JSON and TOML values, which `parse_parameter` reads."""
        raise TypeError(f"{type(self).__name__} does not define its table")

    def _with_when(self, table: dict[str, Any]) -> dict[str, Any]:
        return {**table, "when": {key: list(v) for key, v in self.when.items()}} if self.when else table


@checked_class
@dataclass(frozen=True)
class Uniform(Parameter):
    """A number between `low` and `high`, all alike."""

    low: float
    high: float
    kind = "uniform"
    log = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ConfigError(f"{self.kind}: got {self.low} to {self.high}, expected two numbers, the lower one first")
        if self.log and not self.low > 0:
            raise ConfigError(f"{self.kind}: got {self.low} to {self.high}, expected a lowest number above 0")

    def suggest(self, trial: Any, name: str) -> Any:
        return rounded(trial.suggest_float(name, self.low, self.high, log=self.log))

    def values(self, points: int) -> list[Any]:
        if points < 2:
            raise ConfigError(f"{self.kind}: got a grid of {points} points on one side, expected at least 2")
        if self.log:
            return [rounded(self.low * (self.high / self.low) ** (i / (points - 1))) for i in range(points)]
        return [rounded(self.low + (self.high - self.low) * i / (points - 1)) for i in range(points)]

    def table(self) -> dict[str, Any]:
        return self._with_when({self.kind: [self.low, self.high]})


@checked_class
@dataclass(frozen=True)
class LogUniform(Uniform):
    """A number between `low` and `high`, every order of magnitude alike: for η and λ."""

    kind = "log"
    log = True


@dataclass(frozen=True)
class Integer(Parameter):
    """A whole number from `low` to `high`, both included; `log`: every order of magnitude alike."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        if not whole or self.low > self.high or (self.log and self.low < 1):
            raise ConfigError(
                f"integer: got {self.low} to {self.high}, expected two whole numbers, the lower one first"
                + (", from 1 on" if self.log else "")
            )

    def suggest(self, trial: Any, name: str) -> Any:
        return trial.suggest_int(name, self.low, self.high, log=self.log)

    def values(self, points: int) -> list[Any]:
        if points >= self.high - self.low + 1:
            return list(range(self.low, self.high + 1))
        scale = LogUniform(self.low, self.high) if self.log else Uniform(self.low, self.high)
        return list(dict.fromkeys(round(value) for value in scale.values(points)))

    def table(self) -> dict[str, Any]:
        return self._with_when({"integer-log" if self.log else "integer": [self.low, self.high]})


@dataclass(frozen=True)
class Choice(Parameter):
    """One of some values: numbers, texts, true or false."""

    among: tuple[Any, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "among", tuple(self.among))
        if not self.among or not all(isinstance(v, str | int | float) for v in self.among):
            raise ConfigError(f"choice: got {list(self.among)}, expected at least one number or text")

    def suggest(self, trial: Any, name: str) -> Any:
        return trial.suggest_categorical(name, self.among)

    def values(self, points: int) -> list[Any]:
        return list(self.among)

    def table(self) -> dict[str, Any]:
        return self._with_when({"choice": list(self.among)})


def rounded(value: float) -> float:
    """The number with six significant digits."""
    return float(f"{value:.{DIGITS}g}")


def parse_space(table: Mapping[str, Any]) -> Space:
    """A space from a table of tables, texts or parameters. Raises ConfigError naming the entry that is none."""
    if not table:
        raise ConfigError(
            "a search needs a space: at least one parameter to vary, as learning_rate = {log = [0.01, 10]}"
        )
    space: Space = {}
    for key, value in table.items():
        name = spelled(key)
        space[name] = parse_parameter(name, value)
        for other, values in space[name].when.items():
            if other not in space or other == name:
                raise ConfigError(f"{option_of(name)}: its condition names {other!r}, which is not defined before it")
            if not isinstance(values, Sequence) or isinstance(values, str):
                raise ConfigError(
                    f"{option_of(name)}: got the condition {other} = {values!r}, expected a list of values"
                )
    return space


def parse_parameter(name: str, value: Any) -> Parameter:
    """One parameter: itself, a text such as "log:0.01,10" or "0.1,0.3,3", or a table such as {log = [0.01, 10]}."""
    if isinstance(value, Parameter):
        return value
    shown = option_of(name)
    if isinstance(value, str):
        kind, colon, values = value.rpartition(":")
        numbers = [typed(text.strip()) for text in values.split(",")]
        value = {(kind if colon else "choice"): numbers}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{shown}: got {value!r}, expected a table such as {{log = [0.01, 10]}}")
    given = dict(value)
    if not isinstance(conditions := given.pop("when", {}), Mapping):
        raise ConfigError(f"{shown}: got when = {conditions!r}, expected a table such as {{layers = 2}}")
    when = {spelled(str(k)): v for k, v in conditions.items()}
    if len(given) != 1:
        raise ConfigError(f"{shown}: got {value!r}, expected one of {', '.join(KINDS)}")
    kind, values = next(iter(given.items()))
    if not isinstance(values, list | tuple):
        raise ConfigError(f"{shown}: got {kind} = {values!r}, expected a list")
    try:
        if kind in ("log", "uniform"):
            low, high = map(float, values)
            return LogUniform(low, high, when=when) if kind == "log" else Uniform(low, high, when=when)
        if kind in ("integer", "int", "integer-log", "int-log"):
            low, high = values
            return Integer(low, high, kind.endswith("log"), when=when)
        if kind == "choice":
            return Choice(tuple(values), when=when)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise ConfigError(f"{shown}: {error}") from None
        got = ",".join(map(str, values))
        raise ConfigError(f"{shown}: got {kind}:{got}, expected two numbers, as in {kind}:1,100") from None
    raise ConfigError(f"{shown}: unknown kind {not_among(kind, KINDS)}")


def space_table(space: Space) -> dict[str, Any]:
    """The space as JSON and TOML values."""
    return {name: parameter.table() for name, parameter in space.items()}


def suggest(space: Space, trial: Any) -> Point:
    """A point of the space from an Optuna trial: every parameter that is there, in order."""
    point: Point = {}
    for name, parameter in space.items():
        if parameter.there(point):
            point[name] = parameter.suggest(trial, name)
    return point


def grid(space: Space, points: int) -> list[Point]:
    """All points of a grid with `points` values on each side that is no choice; conditions are kept."""
    found: list[Point] = [{}]
    for name, parameter in space.items():
        wider: list[Point] = []
        for point in found:
            wider += [{**point, name: v} for v in parameter.values(points)] if parameter.there(point) else [point]
        found = wider
    return found


def as_text(point: Mapping[str, Any]) -> str:
    """A point as one types it: "learning-rate=0.3 l2=5"."""
    return " ".join(f"{option_of(name)}={as_typed(value)}" for name, value in point.items())


def unit(space: Space, name: str, value: Any) -> float:
    """A number of the space as its place between low (0) and high (1), on its own scale."""
    parameter: Any = space[name]
    low, high = parameter.low, parameter.high
    if high <= low:
        return 0.5
    return math.log(value / low) / math.log(high / low) if parameter.log else (value - low) / (high - low)


def at_unit(space: Space, name: str, place: float) -> Any:
    """The inverse of `unit`, to six digits or to whole numbers."""
    parameter: Any = space[name]
    low, high, place = parameter.low, parameter.high, min(max(place, 0.0), 1.0)
    value = low * (high / low) ** place if parameter.log else low + (high - low) * place
    return round(value) if isinstance(low, int) else rounded(value)
