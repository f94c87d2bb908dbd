"""A task: a piece of work that is done once, identified by the hash of its settings; and its result.

Experiments are made of tasks. A task that two experiments share is done once for both.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from digitlab.books.data import Data
from digitlab.books.fingerprint import Fingerprint
from digitlab.nn import Network, load_network

Log = Callable[[str], None]
PROBE_IMAGES, PROBE_EPOCHS = 250, 20  # of a computation's probe, at most


@dataclass(frozen=True, kw_only=True)
class Task:
    """Base: `table` returns all settings that decide the result, `run` does the work; `title` is for people only."""

    title: str

    revision = 1  # raised when the same settings give another result

    def table(self) -> dict[str, Any]:
        """All settings as JSON values."""
        raise TypeError(f"{type(self).__name__} does not define `table`")

    def shrunk(self) -> "Task":
        """A small version, for `--quick`."""
        return self

    def probe(self) -> "Task":
        """A version on synthetic images, with seed 0, that takes hundredths of a second: see fingerprint.py."""
        return self

    def run(self, folder: Path, log: Log) -> dict[str, Any]:
        """Do the work, keep files in `folder`, and return what is to be stored, as JSON values."""
        raise TypeError(f"{type(self).__name__} does not define `run`")

    @property
    def settings(self) -> dict[str, Any]:
        """The table with the kind of task and its revision."""
        table: dict[str, Any] = json.loads(json.dumps(self.table()))  # what a file would give back
        return {"kind": type(self).__name__, "revision": self.revision, **table}

    @property
    def key(self) -> str:
        """The first 16 hexadecimal digits of the settings' SHA-256: the name of the task's folder."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Computation(Task):
    """A task that trains no network: a function of a module, so that other processes find it, and its arguments.

    `given` may hold "data" (a table of Data), "epochs" and "seed": a probe makes those small.
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

    def run(self, folder: Path, log: Log) -> dict[str, Any]:
        return self.function(self.given)


@dataclass(frozen=True)
class TaskResult:
    """A finished task: the stored `result`, `seconds` of work, the `folder` of its files, the `code` that did it."""

    task: Task
    result: dict[str, Any]
    seconds: float
    folder: Path
    code: Fingerprint = field(default_factory=Fingerprint)

    @property
    def has_network(self) -> bool:
        """Whether the task kept a network."""
        return (self.folder / "network.safetensors").is_file()

    def column(self, name: str) -> list[float]:
        """One value per epoch of a training."""
        values: list[float] = self.result["history"][name]
        return values

    def network(self, epoch: int | None = None) -> Network:
        """The network that a training kept, or its snapshot after an epoch."""
        name = "network" if epoch is None else f"epoch-{epoch:03}"
        return load_network(self.folder / f"{name}.safetensors")
