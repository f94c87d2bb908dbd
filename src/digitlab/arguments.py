"""Arguments of a wrong type: one line that says which, in place of an error from deep inside.

    @checked
    def random_connections(n_in: int, n_out: int, share: float, rng: Generator | int) -> Mask: ...

    random_connections(4, 2, "half", 0)    ConfigError: random_connections: share: got 'half', expected a number

The types are those of the function's annotations. They are looked at only when the function has failed, so a call that
succeeds costs nothing, and whatever works in place of an annotated type still works.
"""

import collections.abc
import functools
import inspect
import numbers
import os
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from digitlab.errors import ConfigError, DigitlabError, in_brief

__all__ = ["PLAIN", "checked", "checked_class", "generator", "unchecked"]

MOST_ITEMS = 1000  # of a sequence that are looked at

# What a plain annotation takes, and how it is called. NumPy's numbers count, and a whole number for a float.
PLAIN: dict[Any, tuple[Any, str]] = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    bool: ((bool, np.bool_), "true or false"),
    str: (str, "text"),
    Path: ((str, os.PathLike), "a path"),
    os.PathLike: (os.PathLike, "a path"),
    type(None): (type(None), "None"),
    np.random.Generator: (np.random.Generator, "a numpy Generator"),
}


P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, with ConfigError in place of an error of Python's that an argument's type caused.

    The error of before is its cause (`__cause__`). Other errors, and digitlab's own, are raised as they are.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (TypeError, AttributeError, ValueError, LookupError) as error:
            if isinstance(error, DigitlabError) or not (wrong := _wrong_argument(function, args, kwargs)):
                raise
            raise ConfigError(wrong) from error

    return call


def checked_class(cls: type[T]) -> type[T]:
    """The class, with its `__init__` checked: for dataclasses, which write their own."""
    cls.__init__ = checked(cls.__init__)  # type: ignore[method-assign]
    return cls


def unchecked(function: Any) -> Any:
    """The function that `checked` was given; anything else as it is."""
    return function.__wrapped__ if getattr(function, "__code__", None) is _CALL else function


def generator(seed: Any, name: str = "seed") -> np.random.Generator:
    """The generator of a seed, or the generator itself. Raises ConfigError, naming the argument, for anything else."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        expected = "a whole number of at least 0, or a numpy Generator"
        raise ConfigError(f"{name}: got {in_brief(repr(seed))}, expected {expected}") from None


def _wrong_argument(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """What is wrong with the first argument that does not fit its annotation; "" if all fit."""
    signature = inspect.signature(function)
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:  # arguments are missing, which Python says well
        return ""
    for name, value in given.items():
        parameter = signature.parameters[name]
        if name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        kind = _resolved(parameter.annotation, function)
        if not _fits(value, kind):
            owner = function.__qualname__.removesuffix(".__init__")
            return f"{owner}: {name}: got {in_brief(repr(value))}, expected {' or '.join(_named(kind))}"
    return ""


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """The annotation, without the quotes around it; a text for a class that only type checkers import."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, inspect.unwrap(function).__globals__)  # our own source, not what somebody gave
    except NameError:
        return annotation if annotation.isidentifier() else Any


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is what an annotation says, as far as that can be told; True where it cannot."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inside)
    if origin is typing.Literal:
        return isinstance(value, collections.abc.Hashable) and value in inside  # no array, whose == is an array
    if isinstance(kind, str):
        return any(one.__name__ == kind for one in type(value).__mro__)
    kind = origin or kind
    if kind in PLAIN:
        return isinstance(value, PLAIN[kind][0])
    if kind is np.ndarray:
        array = np.asarray(value)
        return array.ndim > 0 and array.dtype.kind in "biufc"
    if not isinstance(kind, type):
        return True
    if kind in (list, tuple, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection):
        several = isinstance(value, collections.abc.Iterable) and not isinstance(value, str | bytes | dict)
        return several and (not inside or not isinstance(value, collections.abc.Sized) or _all_fit(value, kind, inside))
    return isinstance(value, kind)


def _all_fit(values: Any, kind: type[Any], inside: tuple[Any, ...]) -> bool:
    fixed = kind is tuple and Ellipsis not in inside
    if fixed and len(values) != len(inside):
        return False
    each = inside if fixed else [inside[0]] * min(len(values), MOST_ITEMS)
    return all(_fits(item, one) for item, one in zip(values, each))


def _named(kind: Any) -> Iterator[str]:
    """How an annotation is called, a text for each of its alternatives."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        yield from dict.fromkeys(name for one in inside for name in _named(one))
    elif origin is typing.Literal:
        yield from map(repr, inside)
    elif (origin or kind) in PLAIN:
        yield PLAIN[origin or kind][1]
    elif (origin or kind) is np.ndarray:
        yield "an array of numbers"
    elif origin in (list, tuple, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection):
        first = next(iter(_named(inside[0])), "") if inside else ""
        several = f"several, each {first}" if first else "several values"
        yield several
    elif origin in (dict, collections.abc.Mapping):
        yield "a mapping"
    elif (origin or kind) is collections.abc.Callable:
        yield "a function"
    elif isinstance(kind, str | type):
        yield f"a {kind if isinstance(kind, str) else kind.__name__}"


_CALL = checked(lambda: None).__code__
