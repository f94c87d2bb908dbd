"""Whether a program is free of bugs: what each tool complains about."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from digitlab.bugs.tools import TOOLS
from digitlab.errors import ConfigError, in_brief

WANTED = (
    "load_data", "first_weights", "forward", "loss", "backward", "update", "batches", "train_step", "accuracy", "train",
    "RATE", "BATCH", "EPOCHS", "DROPOUT",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What each tool complains about, by its name; [] for nothing. It is true if no tool complains."""

    complaints: dict[str, list[str]]

    def __bool__(self) -> bool:
        return not any(self.complaints.values())

    def __str__(self) -> str:
        lines = []
        for tool, found in self.complaints.items():
            lines += [f"{tool}: {line}" for line in found] or [f"{tool}: nothing"]
        return "\n".join(lines)


def check_program(path: str | os.PathLike[str], tools: Sequence[str] = tuple(TOOLS)) -> Report:
    """What the tools find in a program in the form of network.py. Runs it: it is your own file.

    An error of the program counts as a complaint. Raises ConfigError for a file that is no such program.
    """
    program = load_program(path)
    complaints = {}
    for tool in tools:
        try:
            complaints[tool] = TOOLS[tool](program)
        except Exception as error:  # whatever an edited program may raise
            complaints[tool] = [f"{type(error).__name__}: {error}"]
    return Report(complaints)


def load_program(path: str | os.PathLike[str]) -> ModuleType:
    """The program in a file, imported under a name of its own. Raises ConfigError."""
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected a program that `digitlab bugs play` has written")
    spec = importlib.util.spec_from_file_location("digitlab_bugs_program", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: is no Python program; expected a file whose name ends in .py")
    program = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(program)
    except Exception as error:
        raise ConfigError(f"{path}: cannot be imported ({type(error).__name__}: {in_brief(error)})") from None
    finally:
        sys.dont_write_bytecode = writes
    if missing := [name for name in WANTED if not hasattr(program, name)]:
        raise ConfigError(f"{path}: has no {missing[0]!r}; keep the names of network.py, which the tools call")
    return program
