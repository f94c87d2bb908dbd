"""`what_changed`: whether a part of the readable code still computes what its compiled twin was tested against.

A function passes if the text of its file has the fingerprint of the table, and if the function in memory is the one
that this text compiles to: so neither an edited file nor an assignment in a running program goes unnoticed. What has
passed once is known by its code object, which cannot change, so that asking again costs some microseconds.
Where there is no text (a frozen program), it is trusted.
"""

import functools
import json
import logging
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from digitlab.fingerprints.module import Module, file_name

# Not what trains: how a layer or an optimizer is made and shown. A kernel is given the object as it was made.
MAKING = ("__init__", "__post_init__", "init", "__repr__")
# Modules whose functions compute no number of a training.
ASIDE = ("digitlab.errors", "digitlab.nn.describe", "digitlab.nn.named", "digitlab.engine.threads")

_passed: dict[tuple[str, str], CodeType] = {}  # by module and name


@dataclass(frozen=True)
class Part:
    """Readable code that a kernel stands for: a function, a class, or an object whose class and own attributes count.

    `methods` are those that the kernel stands for; None: all of the class and its bases.
    """

    of: Any
    methods: tuple[str, ...] | None = None


def what_changed(parts: Iterable[Part]) -> str | None:
    """None if all parts are as they were when their twins were tested, else a clause that names the first one that is
    not: "digitlab/nn/network.py was changed (Dense.learn)"."""
    if not table():
        return None
    files: dict[str, Module] = {}
    seen: set[tuple[str, str]] = set()
    for part in parts:
        if clause := _changed(part, files, seen):
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


def _changed(part: Part, files: dict[str, Module], seen: set[tuple[str, str]]) -> str | None:
    if isinstance(part.of, FunctionType):
        return _function(part.of.__module__, part.of.__qualname__, part.of, files, seen)
    cls = part.of if isinstance(part.of, type) else type(part.of)
    own = {} if isinstance(part.of, type) else getattr(part.of, "__dict__", {})
    guarded: set[str] = set()
    for base in reversed(cls.__mro__):
        if base.__module__ in ASIDE or base is object:
            continue
        known = methods_of(base, part.methods)
        new = {name for name in vars(base) if name in guarded or is_guarded(base, name, part.methods)} - known
        if new:
            return f"{base.__qualname__}.{min(new)} has no kernel"
        if gone := known.difference(vars(base)):
            return f"{base.__qualname__}.{min(gone)} was removed"
        for name in sorted(known):
            if clause := _function(base.__module__, f"{base.__qualname__}.{name}", vars(base)[name], files, seen):
                return clause
        guarded |= known
    if not guarded:
        return f"{cls.__qualname__} has no fingerprint"
    if replaced := sorted(guarded.intersection(own)):
        return f"{cls.__qualname__}.{replaced[0]} was replaced in an object"
    return None


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
    attribute = getattr(attribute, "__func__", attribute)
    return attribute.__code__ if isinstance(attribute, FunctionType) else None


def _function(
    module: str, name: str, attribute: Any, files: dict[str, Module], seen: set[tuple[str, str]]
) -> str | None:
    """A clause if a function, or one that it uses, is not the one of the table."""
    if (module, name) in seen:
        return None
    seen.add((module, name))
    code = code_of(attribute)
    entry = table().get(module, {}).get(name)
    if entry is None:
        return f"{name} has no fingerprint"
    expected, *used = entry.split()
    if code is None or _passed.get((module, name)) is not code:
        file = files.get(module)
        if file is None:
            file = files[module] = Module(module, table()[module]["text"])
        if clause := file.clause(name, code, expected):
            return clause
        assert code is not None
        _passed[module, name] = code
    mine = vars(sys.modules[module])
    for use in used:
        used_name, _, where = use.partition("@")
        there = vars(sys.modules[where]).get(used_name) if where in sys.modules else None
        if there is None or mine.get(used_name) is not there:
            return f"{used_name} was replaced in {file_name(module)}"
        clause = (
            _changed(Part(there), files, seen)
            if isinstance(there, type)
            else _function(where, used_name, there, files, seen)
        )
        if clause:
            return clause
    return None
