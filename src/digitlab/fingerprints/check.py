"""`what_changed`: whether a part of the readable code still computes what its compiled twin was tested against.

A function passes if the text of its file has the fingerprint of the table, and if the function in memory is the one
that this text compiles to: so neither an edited file nor an assignment in a running program goes unnoticed. A
function that passed is remembered by its code object, which cannot change; comparing again takes 50 microseconds.
Without a text (a frozen program), the function in memory is trusted.
"""

import functools
import json
import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from digitlab.arguments import unchecked
from digitlab.fingerprints.module import Module, file_name

# How a layer or an optimizer is made and shown; a kernel gets the finished object.
MAKING = ("__init__", "__post_init__", "init", "__repr__")
# Modules whose functions compute no number of a training.
ASIDE = tuple(f"digitlab.{name}" for name in ("errors", "engine.threads", "gradients.batch", "nn.describe", "nn.named"))

_passed: dict[tuple[str, str], CodeType] = {}  # by module and name
# The names of a part and their values when all of it passed.
_settled: "dict[tuple[Any, tuple[str, ...] | None], list[_Place | _Names]]" = {}


@dataclass(frozen=True)
class Part:
    """Readable code that a kernel stands for: a function, a class, or an object whose class and own attributes count.

    `methods` are those that the kernel stands for; None: all of the class and its bases.
    """

    of: Any
    methods: tuple[str, ...] | None = None


def what_changed(parts: Iterable[Part]) -> str | None:
    """None if all parts are as they were when their twins were tested, else a clause that names the first one that is
    not: "digitlab/nn/network.py was changed (Dense.backward_params)"."""
    if not table():
        return None
    files: dict[str, Module] = {}
    for part in parts:
        if clause := _changed(part, files):
            return clause
    return None


@functools.cache
def table() -> dict[str, Any]:
    """{module: {"text": its digest, function: "fingerprint name@module ..."}}, with the names that a function uses;
    {} if it is lost."""
    path = str(Path(__file__).with_name("table.json"))
    try:
        return dict(json.loads(globals()["__loader__"].get_data(path)))  # from a zip archive, too
    except (AttributeError, OSError, ValueError):
        return {}


@functools.cache
def tell(line: str) -> None:
    """Log a warning, which goes to the terminal unless the program says otherwise; the same line once only."""
    logging.getLogger("digitlab").warning(line)


def _changed(part: Part, files: dict[str, Module]) -> str | None:
    thing = part.of if isinstance(part.of, FunctionType | type) else type(part.of)
    key = (thing, part.methods)
    if key not in _settled or not all(place.is_same() for place in _settled[key]):
        walk = _Walk(files)
        clause = walk.function(thing) if isinstance(thing, FunctionType) else walk.a_class(thing, part.methods)
        if clause:
            return clause
        _settled[key] = walk.places
    if isinstance(thing, type) and part.of is not thing and (own := getattr(part.of, "__dict__", None)):
        guarded = {name for base in thing.__mro__ for name in methods_of(base, part.methods)}
        if replaced := guarded.intersection(own):
            return f"{thing.__qualname__}.{min(replaced)} was replaced in an object"
    return None


class _Place(NamedTuple):
    """A name in a module or a class, and its value."""

    namespace: Mapping[str, Any]
    name: str
    value: Any
    code: CodeType | None

    def is_same(self) -> bool:
        return self.namespace.get(self.name) is self.value and (self.code is None or code_of(self.value) is self.code)


class _Names(NamedTuple):
    """All names of a class."""

    namespace: Mapping[str, Any]
    names: frozenset[str]

    def is_same(self) -> bool:
        return self.namespace.keys() == self.names


class _Walk:
    """A way through a part and all functions that it uses; each step gives a clause if something was changed."""

    def __init__(self, files: dict[str, Module]) -> None:
        self.files = files
        self.seen: set[tuple[str, str]] = set()
        self.places: list[_Place | _Names] = []

    def a_class(self, cls: type, only: tuple[str, ...] | None) -> str | None:
        guarded: set[str] = set()
        for base in reversed(cls.__mro__):
            if base.__module__ in ASIDE or base is object:
                continue
            known = methods_of(base, only)
            new = {name for name in vars(base) if name in guarded or is_guarded(base, name, only)} - known
            if new:
                return f"{base.__qualname__}.{min(new)} has no kernel"
            if gone := known.difference(vars(base)):
                return f"{base.__qualname__}.{min(gone)} was removed"
            self.places.append(_Names(vars(base), frozenset(vars(base))))
            for name in sorted(known):
                if clause := self.named(base.__module__, f"{base.__qualname__}.{name}", vars(base), name):
                    return clause
            guarded |= known
        return None if guarded else f"{cls.__qualname__} has no fingerprint"

    def function(self, function: FunctionType) -> str | None:
        module, name = function.__module__, function.__qualname__
        return self.named(module, name, {name: function}, name)

    def named(self, module: str, name: str, namespace: Mapping[str, Any], key: str) -> str | None:
        """A function of a module and all that it uses; `namespace[key]` is the function."""
        value = namespace[key]
        code = code_of(value)
        self.places.append(_Place(namespace, key, value, code))
        if (module, name) in self.seen:
            return None
        self.seen.add((module, name))
        if (entry := table().get(module, {}).get(name)) is None:
            return f"{name} has no fingerprint"
        expected, *used = entry.split()
        if code is None or _passed.get((module, name)) is not code:
            if module not in self.files:
                self.files[module] = Module(module, table()[module]["text"])
            if clause := self.files[module].clause(name, code, expected):
                return clause
            assert code is not None
            _passed[module, name] = code
        for use in used:
            if clause := self.used(module, *use.split("@")):
                return clause
        return None

    def used(self, module: str, name: str, home: str) -> str | None:
        """A function or class that a function of `module` uses, defined in the module `home`."""
        mine, there = vars(sys.modules[module]), vars(sys.modules[home]) if home in sys.modules else {}
        if name not in there or mine.get(name) is not there[name]:
            return f"{name} was replaced in {file_name(module)}"
        self.places.append(_Place(mine, name, mine[name], None))
        if isinstance(mine[name], type):
            return self.a_class(mine[name], None)
        return self.named(home, name, there, name)


@functools.cache
def methods_of(cls: type, only: tuple[str, ...] | None) -> set[str]:
    """The methods of a class, without its bases', that the table knows."""
    start = f"{cls.__qualname__}."
    names = {name.removeprefix(start) for name in table().get(cls.__module__, ()) if name.startswith(start)}
    return names if only is None else names.intersection(only)


def is_guarded(cls: type, name: str, only: tuple[str, ...] | None) -> bool:
    """Whether an attribute of a class is a method that a kernel may stand for."""
    if only is not None:
        return name in only
    return name not in MAKING and not name.startswith("__") and code_of(vars(cls)[name]) is not None


def code_of(attribute: Any) -> CodeType | None:
    """The code of a function, a property, a class method or a static method; None of anything else."""
    if isinstance(attribute, property | functools.cached_property):
        attribute = attribute.fget if isinstance(attribute, property) else attribute.func
    attribute = unchecked(getattr(attribute, "__func__", attribute))
    return attribute.__code__ if isinstance(attribute, FunctionType) else None
