"""A piece of work that is done once: its settings, the hash they are filed under, and what came of it.

Experiments are made of tasks, and a task that two experiments share is done for both. A result is used again as
long as its settings and the numerics of the code (fingerprint.py) are the same, so an interrupted ledger goes on where
it was, down to one network, and never mixes networks of different code without being told to.
"""

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from digitlab.books.data import Data
from digitlab.books.fingerprint import Fingerprint, numerics, processor
from digitlab.errors import ModelFileError
from digitlab.files import write_text

Say = Callable[[str], None]
PROBE_IMAGES, PROBE_EPOCHS = 250, 20  # of a computation's probe, at most
BEGUN = "code.txt"  # in a task's folder while it is under way: the code that does it


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

    def probe(self) -> "Task":
        """The same in so small that it takes hundredths of a second, on made-up images, with seed 0: fingerprint.py."""
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
    """A task without a network to train: a function of its settings, from a module so that a process can find it.

    Its settings may hold "data" (a table of Data), "epochs" and "seed": those are what a probe makes small.
    """

    function: Callable[[Mapping[str, Any]], dict[str, Any]]
    given: Mapping[str, Any]

    def table(self) -> dict[str, Any]:
        return {"function": self.function.__name__, "given": dict(self.given)}

    def probe(self) -> "Computation":
        given = dict(self.given)
        if "data" in given:
            given["data"] = Data(**given["data"]).probe(PROBE_IMAGES).table()
        if "epochs" in given:
            given["epochs"] = min(given["epochs"], PROBE_EPOCHS)
        if "seed" in given:
            given["seed"] = 0
        return replace(self, given=given)

    def run(self, folder: Path, say: Say) -> dict[str, Any]:
        return self.function(self.given)


@dataclass(frozen=True)
class TaskResult:
    """A task and what came of it: `result` as the task gave it, `seconds` of work, files in `folder`, by what code."""

    task: Task
    result: dict[str, Any]
    seconds: float
    folder: Path
    code: Fingerprint = field(default_factory=Fingerprint)

    @property
    def current(self) -> bool:
        """Whether the code of now, on a processor of this kind, computes the same numbers."""
        return self.code.state(lambda: code_of(self.task)) == "current"

    @property
    def has_network(self) -> bool:
        """Whether the task kept a network."""
        return (self.folder / "network.safetensors").is_file()

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


def code_of(task: Task) -> Fingerprint:
    """The fingerprint of the code that would do this task now."""
    return Fingerprint(numerics(task), processor=processor())


def stored(task: Task, results: Path) -> TaskResult | None:
    """The outcome on disk with these very settings, by whatever code; None if there is none.

    Raises ModelFileError for a result that is there and cannot be read.
    """
    path = folder_of(task, results) / "result.json"
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if table["settings"] != task.settings:
            return None
        code = Fingerprint(table.get("numerics", ""), processor=table.get("processor", ""))
        return TaskResult(task, table["result"], table["seconds"], path.parent, code)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path}: not a result ({error}); delete the file to do this task again") from None


def finished(task: Task, results: Path, *, keep_old: bool = False) -> TaskResult | None:
    """The outcome of a task that was done before, else None; one by other code only with `keep_old`.

    Raises ModelFileError as `stored` does.
    """
    outcome = stored(task, results)
    return outcome if outcome is not None and (keep_old or outcome.current) else None


def carry_out(task: Task, results: Path, say: Say) -> TaskResult:
    """Do a task, or go on with it, unless it was done by this code; the outcome is on disk when this returns."""
    if (done := finished(task, results)) is not None:
        return done
    code = code_of(task)
    folder = begin(task, results, code, say)
    began = time.perf_counter()
    result = task.run(folder, say)
    # A training counts its own seconds, those before an interruption included.
    seconds = result.pop("seconds", None) or time.perf_counter() - began
    table = {
        "title": task.title,
        "settings": task.settings,
        "result": result,
        "seconds": seconds,
        "numerics": code.numerics,
        "processor": code.processor,
        **circumstances(),
    }
    write_text(folder / "result.json", json.dumps(table) + "\n")
    (folder / BEGUN).unlink(missing_ok=True)
    return TaskResult(task, result, seconds, folder, code)


def begin(task: Task, results: Path, code: Fingerprint, say: Say) -> Path:
    """Make the task's folder and note which code works there; a checkpoint of other code is not continued."""
    folder = folder_of(task, results)
    note, checkpoint = folder / BEGUN, folder / "checkpoint.safetensors"
    text = f"{code.numerics} {code.processor}\n"
    if checkpoint.is_file() and not (note.is_file() and note.read_text(encoding="utf-8") == text):
        say(f"{task.title}: its checkpoint is of other code; starting again from the first epoch")
        checkpoint.unlink()
    write_text(note, text)
    return folder


def circumstances() -> dict[str, Any]:
    """When, with which version, on what kind of machine."""
    import digitlab

    return {"version": digitlab.__version__, "finished": time.strftime("%Y-%m-%d %H:%M"), "machine": machine()}


@cache
def machine() -> str:
    """The processor and its kind, how many cores of it this process may use, and the versions of Python and NumPy."""
    import numpy as np

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    counted = "1 core" if cores == 1 else f"{cores} cores"
    return f"{name} ({processor()}), {counted}, Python {platform.python_version()}, NumPy {np.__version__}"
