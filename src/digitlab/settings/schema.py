"""What a setting is. It is declared once, with its type, default, bounds and help:

    epochs: Annotated[int, Setting("Number of passes through the training set.", ge=1)] = 30

Checks, command-line options, arguments, settings files, search spaces and grids follow from that line. Nothing here
imports NumPy, so that `digitlab train --help` stays fast.
"""

import dataclasses
import functools
import inspect
import math
import os
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, TypeVar

from digitlab.errors import ConfigError, did_you_mean, not_among

T = TypeVar("T")

LARGEST = 10**300  # of a whole number: Python's may be larger than any float


@dataclass(frozen=True)
class Setting:
    """The facts about a setting beyond its name, type and default.

    help       one sentence that names what it is and its unit
    ge, gt, le, lt   bounds of a number
    default    where the declaration has no place for one (in a TypedDict)
    usual      how help names the default where that follows from other settings; "-" for nothing
    expected   what messages call a value that fits; from type and bounds where it is left out
    fits       a further test of a value
    parse      text from the command line to a value; from the type where it is left out. Raises ValueError
    flags      names of the option, where they are not the setting's name; None: it has no option
    metavar    what help calls the value
    family     the name of the family that it chooses from, such as "optimizer" (nn/describe.py)
    search     whether a search may vary it
    trainer    whether the Trainer takes it; else RunConfig acts on it
    place      the place in a settings file, where it is inside another table: ("optimizer", "learning_rate")
    plural     name of the option of `digitlab compare` that takes several of its values; "": it has none
    part       of a data setting: "read" (how a source is read), "cut" (how sets are cut) or "take" (what is taken)

    `settings_of` fills in name and type.
    """

    help: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    default: Any = None
    usual: str = ""
    expected: str = ""
    fits: Callable[[Any], bool] | None = None
    parse: Callable[[str], Any] | None = None
    flags: tuple[str, ...] | None = ()
    metavar: str = ""
    family: str = ""
    search: bool = True
    trainer: bool = True
    place: tuple[str, ...] = ()
    plural: str = ""
    part: str = ""
    name: str = ""
    type: Any = None

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that a value may have, without None."""
        kinds = (
            typing.get_args(self.type) if typing.get_origin(self.type) in (UnionType, typing.Union) else (self.type,)
        )
        return tuple(kind for kind in kinds if kind is not NoneType)

    @property
    def choices(self) -> tuple[str, ...]:
        """The texts that it chooses from, if these are all."""
        return typing.get_args(self.type) if typing.get_origin(self.type) is typing.Literal else ()

    @property
    def bounds(self) -> str:
        """ "at least 1", "above 0 and at most 1" …; "" where every number fits."""
        low = f"above {self.gt:g}" if self.gt is not None else f"at least {self.ge:g}" if self.ge is not None else ""
        high = f"below {self.lt:g}" if self.lt is not None else f"at most {self.le:g}" if self.le is not None else ""
        return " and ".join(filter(None, (low, high)))

    @property
    def wanted(self) -> str:
        """What a message says is expected."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        noun = self.expected or " or ".join(dict.fromkeys(_nouns(kind) for kind in self.kinds))
        if not self.bounds or self.expected:
            return noun
        return f"{noun} of {self.bounds}" if self.bounds.startswith("at") else f"{noun} {self.bounds}"

    def check(self, value: Any) -> None:
        """Raise ConfigError unless the value fits: what was found, and what is expected."""
        inside = any(_is_a(value, kind) for kind in self.kinds) and (self.fits is None or self.fits(value))
        if inside and isinstance(value, Real):
            number = math.inf if isinstance(value, int) and abs(value) > LARGEST else float(value)
            inside = (
                math.isfinite(number)
                and (self.ge is None or number >= self.ge)
                and (self.gt is None or number > self.gt)
                and (self.le is None or number <= self.le)
                and (self.lt is None or number < self.lt)
            )
        if not inside:
            hint = did_you_mean(value, self.choices) if self.choices else ""
            raise ConfigError(f"{self.name}: got {value!r}{hint}, expected {self.wanted}")

    def read(self, text: str) -> Any:
        """The value that a text from the command line stands for, checked. Raises ConfigError."""
        try:
            value = (self.parse or _parser(self.kinds))(text)
        except ValueError:
            raise ConfigError(f"{self.name}: got {text!r}, expected {self.wanted}") from None
        self.check(value)
        return value


@functools.cache
def settings_of(declaration: Any) -> dict[str, Setting]:
    """The settings of a TypedDict or a dataclass by name, in order."""
    found = {}
    for base in reversed(declaration.__mro__):
        for name, annotation in inspect.get_annotations(base).items():
            for setting in getattr(annotation, "__metadata__", ()):
                if isinstance(setting, Setting):
                    default = getattr(declaration, name, setting.default)
                    found[name] = dataclasses.replace(setting, name=name, type=annotation.__origin__, default=default)
    return found


def check_settings(declaration: Any, table: Mapping[str, Any], home: str = "") -> None:
    """Raise ConfigError for a name in the table that is no setting, or a value that does not fit.

    `home` is the table's name in a settings file, for the message.
    """
    known = settings_of(declaration)
    for name, value in table.items():
        if name not in known:
            raise ConfigError(f"{home}: there is no setting {not_among(name, known)}".removeprefix(": "))
        dataclasses.replace(known[name], name=f"{home}.{name}".removeprefix(".")).check(value)


def with_settings(*declarations: Any, only: Iterable[str] | None = None) -> Callable[[T], T]:
    """Decorate what takes the declarations' settings as `**settings`: its signature and help then list them."""

    def decorate(taker: T) -> T:
        own = inspect.signature(taker).parameters  # type: ignore[arg-type]
        declared = {name: s for declaration in declarations for name, s in settings_of(declaration).items()}
        settings = {name: s for name, s in declared.items() if only is None or name in only}
        listed = {name: p for name, p in own.items() if p.kind is not inspect.Parameter.VAR_KEYWORD}
        for name, s in settings.items():
            parameter = listed.get(name)
            if parameter is None:
                parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=s.default, annotation=s)
            if isinstance(parameter.annotation, Setting) or hasattr(parameter.annotation, "__metadata__"):
                parameter = parameter.replace(annotation=getattr(s.type, "__forward_arg__", s.type))
            listed[name] = parameter
        taker.__signature__ = inspect.Signature(list(listed.values()))  # type: ignore[attr-defined]
        taker.__doc__ = inspect.cleandoc(taker.__doc__ or "").replace("{settings}", settings_text(settings.values()))
        return taker

    return decorate


def settings_text(settings: Iterable[Setting]) -> str:
    """A line on each: its name and its help."""
    import textwrap  # no command needs it but those that load data

    settings = list(settings)
    width = max((len(s.name) for s in settings), default=0)
    rest = " " * (width + 2)
    return "\n".join(textwrap.fill(f"{s.name:<{width}}  {s.help}", 110, subsequent_indent=rest) for s in settings)


def spelled(name: str) -> str:
    """A setting's name as tables and programs write it: --learning-rate and learning-rate are learning_rate."""
    return name.removeprefix("--").replace("-", "_")


def option_of(name: str) -> str:
    """A setting's name as the command line writes it, without the dashes before it: learning-rate."""
    return name.replace("_", "-")


def flattened(table: Any, prefix: str = "") -> dict[str, Any]:
    """The values of nested tables and of lists of tables, by their dotted keys: {"optimizer.learning_rate": 0.1}."""
    if isinstance(table, dict):
        items = [(str(key), value) for key, value in table.items()]
    elif isinstance(table, list) and any(isinstance(item, dict | list) for item in table):
        items = [(str(i), value) for i, value in enumerate(table)]
    else:
        return {prefix: table}
    return {k: v for key, value in items for k, v in flattened(value, f"{prefix}.{key}" if prefix else key).items()}


def as_typed(value: Any) -> str:
    """A value as one types it: 3 for 3.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value is of a declared type; families and other types of this package are checked where they are."""
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    origin = typing.get_origin(kind) or kind
    if origin is typing.Literal:
        return isinstance(value, str) and value in typing.get_args(kind)
    if origin is Sequence:  # lists, tuples, ranges and arrays
        if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__len__"):
            return False
        return typing.get_args(kind) != (int,) or all(isinstance(item, Integral) for item in value)
    if origin is dict:
        return isinstance(value, Mapping)
    return isinstance(value, origin) if isinstance(origin, type) and origin is not Any else True


def _nouns(kind: Any) -> str:
    if typing.get_origin(kind) is Sequence:
        return "a list of whole numbers" if typing.get_args(kind) == (int,) else "a list of names"
    named = {int: "a whole number", float: "a number", bool: "true or false", str: "text", os.PathLike: "a path"}
    return named.get(typing.get_origin(kind) or kind, "a table")


def _parser(kinds: Sequence[Any]) -> Callable[[str], Any]:
    kind = kinds[0] if len(kinds) == 1 else str
    if typing.get_origin(kind) is Sequence:
        return (lambda text: [int(n) for n in text.split(",")]) if typing.get_args(kind) == (int,) else names
    parsers: dict[Any, Callable[[str], Any]] = {int: int, float: float, bool: _boolean}
    return parsers.get(kind, str)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def names(text: str) -> list[str]:
    """Names separated by commas: `cat,dog,bird`."""
    return [name.strip() for name in text.split(",")]
