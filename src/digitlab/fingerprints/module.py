"""A module of the readable code: its text, and what that compiles to, as they are on disk now."""

import contextlib
import functools
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

from digitlab.fingerprints import source

DOCSTRING = 0x4000000  # the flag of a code object whose first constant is a docstring; always so before Python 3.13


class Module:
    """What a module's functions are compared with; `known` is the digest of the text that the table was made of."""

    def __init__(self, name: str, known: str) -> None:
        self.name = name
        place = sys.modules[name]
        loader = getattr(place.__spec__, "loader", None)
        self.text: str | None = None
        self.codes: dict[str, CodeType] | None = None
        with contextlib.suppress(AttributeError, OSError, ValueError):  # a frozen program has no text
            self.text = loader.get_data(place.__file__).decode().replace("\r\n", "\n")  # type: ignore[union-attr]
        with contextlib.suppress(AttributeError, ImportError, OSError, SyntaxError, ValueError):
            code = loader.get_code(name)  # type: ignore[union-attr]
            self.codes = None if code is None else dict(_codes(code))
        # Reading the tree takes milliseconds, and nearly always the whole text is the known one.
        self.is_known = self.text is not None and source.digest(self.text) == known

    def clause(self, function: str, code: CodeType | None, expected: str) -> str | None:
        """What happened to a function whose code in memory is `code`; None if it has the `expected` fingerprint."""
        same_text = self.text is None or self.is_known or self.fingerprints.get(function) == expected
        compiled = None if self.codes is None else self.codes.get(function)
        same_code = code is not None and (
            code.co_qualname == function if self.codes is None else compiled is not None and alike(code, compiled)
        )
        if same_text and same_code:
            return None
        file = file_name(self.name)
        if same_code:
            return f"{file} was changed ({function})"
        if code is not None and code.co_qualname == function and code.co_filename == sys.modules[self.name].__file__:
            return f"{file} was changed ({function}) after this program had read it"
        return f"{function} was replaced"

    @functools.cached_property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of every function in the text."""
        try:
            return {name: source.fingerprint(tree) for name, tree in source.functions(self.text or "").items()}
        except SyntaxError:
            return {}


def file_name(module: str) -> str:
    """A module's file as messages name it: "digitlab/nn/network.py"."""
    return module.replace(".", "/") + ".py"


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """The code of the functions in a module, and of the methods in its classes, by name."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield part.co_qualname, part
            if not part.co_flags & 2:  # a class, whose names are not fast locals; methods are inside
                yield from _codes(part)


def alike(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects compute the same, wherever their lines stand."""
    return one is other or _essence(one) == _essence(other)


def _essence(code: CodeType) -> tuple[Any, ...]:
    constants = [_constant(value) for value in code.co_consts]
    if constants and isinstance(code.co_consts[0], str) and (sys.version_info < (3, 13) or code.co_flags & DOCSTRING):
        constants[0] = ""
    return (
        code.co_code,
        constants,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags,
        code.co_exceptiontable,
    )


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _essence(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)
