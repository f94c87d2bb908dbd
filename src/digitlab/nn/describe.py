"""Choices written down: every layer, loss, optimizer ... as a small dictionary of JSON values, and back.

A class that inherits `Described` and is a dataclass gets, for its fields, a short `repr`, a dictionary form
and a place in its family's registry, by which a file can name it:

    describe(Dense(30))                              {"type": "Dense", "out_features": 30}
    build(Layer, {"type": "Dense", "out_features": 30})    Dense(30)
    build(Layer, "leaky-relu")                       LeakyReLU()

Fields that hold their default are left out, so the form stays as short as what was chosen; `full=True` writes all.
Names are compared without case, hyphens and underscores: "leaky-relu", "LeakyReLU" and "leaky_relu" are one.
"""

import dataclasses
import importlib
import numbers
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import ismodule
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from digitlab.arguments import PLAIN
from digitlab.errors import ConfigError, did_you_mean, in_brief, not_among
from digitlab.nn.formulas import Formulas

NONE = "none"  # how "there is none" is written: Dense(30, biases=None) is {..., "biases": "none"}
D = TypeVar("D", bound="Described")
FAMILIES: dict[str, Any] = {}  # by the name that settings call them: {"optimizer": Optimizer, …}


class Described:
    """Base of everything that is a set of named choices: layers, initializers, losses, optimizers, schedules.

    A direct subclass opens a family with a registry of its own, which every member enters by the names it states:
    `short_name`, as one types it (the words of its class name joined by hyphens, unless given), and `aliases`.
    `class Activation(Layer, abstract=True)` stays out of the registry and names a part of the family.
    `always_shown` names settings that `repr` writes also at their defaults.
    `formulas` states what it computes, for `digitlab explain` and, added to the docstring, for `help`.
    `instead` tells who gives it a setting that it does not have what they may be looking for.
    A field with `metadata={"family": Initializer}` takes members of that family, their names and their tables.
    One with `metadata={"described": False}` holds arrays, not a choice, and stays out of the description;
    `metadata={"shown": function}` says how `repr` writes a long one in few characters.
    """

    short_name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    instead: ClassVar[str] = ""
    always_shown: ClassVar[tuple[str, ...]] = ()
    formulas: ClassVar[Formulas] = Formulas()
    registry: ClassVar[dict[str, type[Any]]]
    family: ClassVar[str]

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "formulas" in cls.__dict__:
            cls.__doc__ = cls.formulas.added_to(cls.__doc__)
        if Described in cls.__bases__:
            cls.registry, abstract = {}, True
        if abstract:
            cls.family = cls.__name__.lower()
            FAMILIES[cls.family] = cls
        elif not cls.__name__.startswith("_"):
            if "short_name" not in cls.__dict__:
                cls.short_name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
            for name in (cls.__name__, cls.short_name, *cls.__dict__.get("aliases", ())):
                cls.registry[normalized(name)] = cls

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Raises ConfigError for a value of the wrong kind, such as text for a number, before any value is compared."""
        for field, value in _given(cls, args, kwargs):
            kind, expected = _PLAIN.get(field.type, (object, ""))
            number_wanted = kind in (numbers.Integral, numbers.Real)  # to Python, True is a number too
            if not isinstance(value, kind) or (number_wanted and isinstance(value, bool)):
                raise ConfigError(f"{cls.__name__}: got {field.name} {value!r}, expected {expected}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Choices that were given by name or as tables become the objects they stand for. Raises ConfigError."""
        for field in choices(self):
            if (family := field.metadata.get("family")) is not None:
                try:
                    value = _value(getattr(self, field.name), family)
                except ConfigError as error:
                    raise ConfigError(f"{type(self).__name__}, {field.name}: {error}") from None
                if isinstance(value, Mapping | list | tuple) and field.type in (family, family | None):
                    raise ConfigError(
                        f"{type(self).__name__}, {field.name}: got {value!r}, expected {article(family.family)}"
                    )
                object.__setattr__(self, field.name, value)  # some are frozen

    def __repr__(self) -> str:
        positional = [shown(self, f) for f in choices(self) if required(f)]
        written = [f for f in choices(self) if f.name in self.always_shown or chosen(self, f)]
        named = [f"{f.name}={shown(self, f)}" for f in written if not required(f)]
        return f"{type(self).__name__}({', '.join(positional + named)})"


def describe(thing: Any, *, full: bool = False) -> Any:
    """The dictionary form of a `Described` object: "type" and every field that is not at its default, or `full`.

    Nested objects are described, tuples become lists and None becomes "none", since TOML has no None;
    other values must be what JSON can hold.
    """
    if thing is None:
        return NONE
    if isinstance(thing, Described):
        written = [f for f in choices(thing) if full or required(f) or chosen(thing, f)]
        fields = {f.name: describe(getattr(thing, f.name), full=full) for f in written}
        return {"type": type(thing).__name__, **fields}
    if isinstance(thing, list | tuple):
        return [describe(item, full=full) for item in thing]
    if isinstance(thing, Mapping):
        return {key: describe(value, full=full) for key, value in thing.items()}
    return thing.item() if isinstance(thing, np.generic) else thing


def build(family: type[D], description: Any) -> D:
    """The object that `description` names: an object of the family itself, a text such as "l2:5" or "adam"
    (`spec_table`), or a dictionary with "type".

    Raises ConfigError, naming what fits, for an unknown name, an unknown field, a missing one, or a value
    that is no number where a number is wanted.
    """
    if isinstance(description, family):
        return description
    if isinstance(description, str):
        return build(family, spec_table(family, description))
    if not isinstance(description, Mapping) or not isinstance(description.get("type"), str):
        raise ConfigError(
            f"{article(family.family)}: got {in_brief(repr(description))}; expected a name such as "
            f'{names(family)[0]!r} or a table with a "type"'
        )
    given = dict(description)
    name = given.pop("type")
    cls = find(family, name)
    fields = {f.name: f for f in choices(cls)}
    unknown = [key for key in given if key not in fields]
    if unknown:
        hint = did_you_mean(unknown[0], fields) or (f" ({cls.instead})" if cls.instead else "")
        raise ConfigError(f"{cls.__name__} has no setting {unknown[0]!r}{hint}; it has {', '.join(fields) or 'none'}")
    missing = [f.name for f in fields.values() if required(f) and f.name not in given]
    if missing:
        raise ConfigError(f"{cls.__name__} needs {missing[0]!r}, which was not given")
    return cls(**{key: None if isinstance(value, str) and value == NONE else value for key, value in given.items()})


def spec_table(family: type[Described], text: str) -> dict[str, Any]:
    """The table of a choice written as text: NAME, or NAME:value,setting=value with values in the order of settings.

    "momentum:0.1" and "momentum:learning_rate=0.1" are {"type": "momentum", "learning_rate": 0.1}.
    Raises ConfigError for a value that has no setting.
    """
    name, _, settings = text.partition(":")
    table: dict[str, Any] = {"type": name.strip()}
    in_order = [field.name for field in choices(find(family, name))] if settings else []
    named = False
    for place, setting in enumerate(filter(None, settings.split(","))):
        key, equals, value = setting.rpartition("=")
        named = named or bool(equals)
        if not equals and (named or place >= len(in_order)):
            known = ", ".join(in_order) or "no settings"
            raise ConfigError(f"{text!r}: got {setting!r}, expected {name} or {name}:setting=value,…; it has {known}")
        table[key.strip().replace("-", "_") if equals else in_order[place]] = typed(value.strip())
    return table


def separate(text: str) -> list[str]:
    """The choices in "relu,elu:alpha=2,tanh"; a comma before "alpha=" or a number separates settings of one choice."""
    return [choice.strip() for choice in re.split(r",(?!\s*(?:[\w-]+=|[-+.\d]))", text) if choice.strip()]


def build_all(family: type[D], descriptions: Any) -> list[D]:
    """The objects of a list of descriptions, at least one. Raises ConfigError, naming the one that is wrong."""
    if not isinstance(descriptions, list | tuple) or not descriptions:
        name = family.family
        raise ConfigError(f"{name}s: got {descriptions!r}, expected a list with at least one {name}")
    built = []
    for i, description in enumerate(descriptions):
        try:
            built.append(build(family, description))
        except ConfigError as error:
            raise ConfigError(f"{family.family} {i}: {error}") from None
    return built


def find(family: type[D], name: str) -> type[D]:
    """The class that `name` stands for; ConfigError with the nearest names if there is none."""
    cls = family.registry.get(normalized(name))
    if cls is None or not issubclass(cls, family):
        known = names(family)
        raise ConfigError(f"unknown {family.family} {not_among(name, known)}")
    return cls


def members(family: type[D]) -> list[type[D]]:
    """The classes of a family, or those of them below one of its bases, in order of definition."""
    return [cls for cls in dict.fromkeys(family.registry.values()) if issubclass(cls, family)]


def names(family: type[Described]) -> list[str]:
    """The members' names as one types them: "leaky-relu"."""
    return [cls.short_name for cls in members(family)]


def export(package: str, namespace: dict[str, Any]) -> list[str]:
    """The public names of a package: those in the `__all__` of its files. A new file needs no line anywhere else."""
    for found in pkgutil.iter_modules(namespace["__path__"], f"{package}."):
        module = importlib.import_module(found.name)
        namespace |= {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    return sorted(name for name, thing in namespace.items() if not name.startswith("_") and not ismodule(thing))


def choices(thing: Any) -> list[dataclasses.Field[Any]]:
    """The fields that are choices: what the constructor takes, without arrays."""
    return [f for f in dataclasses.fields(thing) if f.init and f.metadata.get("described", True)]


def required(field: "dataclasses.Field[Any]") -> bool:
    """Whether the field has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def chosen(thing: Any, field: "dataclasses.Field[Any]") -> bool:
    """Whether the object's field differs from its default."""
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return bool(describe(getattr(thing, field.name)) != describe(default))


def shown(thing: Any, field: "dataclasses.Field[Any]") -> str:
    """The object's field as `repr` writes it."""
    return str(field.metadata.get("shown", repr)(getattr(thing, field.name)))


def typed(text: str) -> Any:
    """What somebody typed, as a value: a whole number, a number, true or false, else the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)


def normalized(name: str) -> str:
    """A name as registries compare it: letters and digits only, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def article(noun: str) -> str:
    """The noun with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _given(
    cls: type[Described], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple["dataclasses.Field[Any]", Any]]:
    """The fields that a constructor's arguments are for, each with its value, unless that is None by default."""
    if not dataclasses.is_dataclass(cls):
        return
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    in_order = [field.name for field in fields.values() if not field.kw_only]
    for name, value in {**dict(zip(in_order, args)), **kwargs}.items():
        if name in fields and not (value is None and fields[name].default is None):
            yield fields[name], value


_PLAIN = PLAIN | {float | None: PLAIN[float]}


def _value(value: Any, family: type[Described] | None) -> Any:
    """A field's value from its description; `family` (from the field's metadata) says what a table in it is."""
    if value is None or (isinstance(value, str) and value == NONE):
        return None
    if family is None:
        return value
    if isinstance(value, list | tuple):
        return type(value)(_value(item, family) for item in value)
    if isinstance(value, Mapping) and "type" not in value:
        return {key: _value(item, family) for key, item in value.items()}
    return build(family, value)
