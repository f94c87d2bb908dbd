"""A piece of work that is done once: its settings, the hash they are filed under, and what came of it.

Experiments are made of tasks, and a task that two experiments share is done for both. A result is used again as
long as its settings are the same, so an interrupted ledger goes on where it was, down to one network.
"""

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from digitlab.errors import ModelFileError
from digitlab.files import write_text

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Task:
    """Base: `table` says all that decides the result, `run` does it; `title` is for people and decides nothing."""

    title: str

    revision = 1  # raised when the same settings are to give another result

    def table(self) -> dict[str, Any]:
        """All settings as JSON values."""
        raise TypeError(f"{type(self).__name__} does not say its settings")

    def shrunk(self) -> "Task":
        """The same in small, for `--quick`."""
        return self

    def run(self, folder: Path, say: Say) -> dict[str, Any]:
        """Do it, keeping files in `folder`, and return what is to be remembered, as JSON values."""
        raise TypeError(f"{type(self).__name__} does not say how to run")

    @property
    def settings(self) -> dict[str, Any]:
        """The table with the kind of task and its revision."""
        table: dict[str, Any] = json.loads(json.dumps(self.table()))  # what a file would give back
        return {"kind": type(self).__name__, "revision": self.revision, **table}

    @property
    def key(self) -> str:
        """The first 16 hexadecimal digits of the settings' SHA-256: the task's folder."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Computation(Task):
    """A task without a network to train: a function of its settings, from a module so that a process can find it."""

    function: Callable[[Mapping[str, Any]], dict[str, Any]]
    given: Mapping[str, Any]

    def table(self) -> dict[str, Any]:
        return {"function": self.function.__name__, "given": dict(self.given)}

    def run(self, folder: Path, say: Say) -> dict[str, Any]:
        return self.function(self.given)


@dataclass(frozen=True)
class Outcome:
    """A task and what came of it: `result` as the task gave it, `seconds` of work, files in `folder`."""

    task: Task
    result: dict[str, Any]
    seconds: float
    folder: Path

    def column(self, name: str) -> list[float]:
        """One value per epoch of a training."""
        values: list[float] = self.result["history"][name]
        return values

    def network(self, epoch: int | None = None) -> Any:
        """The network that a training kept, or its snapshot after an epoch."""
        from digitlab.nn import load_network

        name = "network" if epoch is None else f"epoch-{epoch:03}"
        return load_network(self.folder / f"{name}.safetensors")


def folder_of(task: Task, results: Path) -> Path:
    """Where a task keeps its files."""
    return results / "tasks" / task.key


def finished(task: Task, results: Path) -> Outcome | None:
    """The outcome of a task that was done before with these very settings, else None.

    Raises ModelFileError for a result that is there and cannot be read.
    """
    path = folder_of(task, results) / "result.json"
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["settings"] != task.settings:
            return None
        return Outcome(task, stored["result"], stored["seconds"], path.parent)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: not a result ({error}); delete the file to do this task again") from None


def carry_out(task: Task, results: Path, say: Say) -> Outcome:
    """Do a task, or go on with it, unless it was done before; the outcome is on disk when this returns."""
    if (done := finished(task, results)) is not None:
        return done
    folder = folder_of(task, results)
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    result = task.run(folder, say)
    # A training counts its own seconds, those before an interruption included.
    seconds = result.pop("seconds", None) or time.perf_counter() - began
    stored = {"title": task.title, "settings": task.settings, "result": result, "seconds": seconds, **circumstances()}
    write_text(folder / "result.json", json.dumps(stored) + "\n")
    return Outcome(task, result, seconds, folder)


def circumstances() -> dict[str, Any]:
    """When, with which version, on what kind of machine."""
    import digitlab

    return {"version": digitlab.__version__, "finished": time.strftime("%Y-%m-%d %H:%M"), "machine": machine()}


@cache
def machine() -> str:
    """The processor, how many cores of it this process may use, and the versions of Python and NumPy."""
    import numpy as np

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    counted = "1 core" if cores == 1 else f"{cores} cores"
    return f"{name}, {counted}, Python {platform.python_version()}, NumPy {np.__version__}"
