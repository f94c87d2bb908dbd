"""Fingerprints: which code a figure was computed by, told by what that code computes.

A stored figure is right for as long as the code still gives it. Whether it does is found out without computing it
again: each task has a *probe*, the same task in so small that it takes hundredths of a second, on made-up images
(`Task.probe`). The fingerprint is a hash of the bits that the probe gives. It changes when computed numbers change, be
it by a kernel, a layer, an optimizer, or a library, and stays when code is renamed, moved or reformatted.

    numerics     of a task: the weights its probe ends with, and every number it measures on the way
    experiment   of a row: the figures that the row takes from its tasks' probes
    processor    processors add numbers in different orders, so fingerprints are compared on one kind of them only

A probe is short: what shows after thousands of steps, or only in some images, it may miss.
"""

import hashlib
import importlib
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.engine.threads import sharing_cores
from digitlab.errors import DigitlabError

if TYPE_CHECKING:
    from digitlab.books.experiment import Experiment, Variant
    from digitlab.books.task import Task, TaskResult

DIGITS = 12  # hexadecimal digits of a hash: enough to tell versions apart, short enough to read
_known: dict[str, str] = {}  # numerics by the probe's key, in this process


@dataclass(frozen=True)
class Fingerprint:
    """What code, on what kind of processor; "" where it was not recorded."""

    numerics: str = ""
    experiment: str = ""
    processor: str = ""

    def state(self, now: Callable[[], "Fingerprint"]) -> str:
        """ "current", "older" code, "unrecorded" or "other processor"; `now` finds the code of now, where needed."""
        if not self.numerics:
            return "unrecorded"
        if self.processor != processor():
            return "other processor"
        return "current" if self == now() else "older"


def told(states: Sequence[str]) -> str:
    """Of several seeds, or of one figure: "" where all are current, else what they are and how many."""
    whole = len(states)
    counts = {state: states.count(state) for state in states if state != "current"}
    return ", ".join(f"{state} ({n} of {whole} seeds)" if n < whole else state for state, n in counts.items())


def numerics(task: "Task") -> str:
    """The hash of what the task's probe gives; "" if the probe fails, and the task will say why."""
    probe = task.probe()
    if probe.key not in _known:
        with tempfile.TemporaryDirectory() as folder:
            probe_outcome(probe, Path(folder))
    return _known[probe.key]


def probe_outcome(probe: "Task", folder: Path) -> "TaskResult | None":
    """Run a probe in a folder and remember its hash; None if it fails."""
    from digitlab.books.task import TaskResult

    outcome, found = None, ""
    try:
        with sharing_cores():  # one thread: the order of sums must not depend on how many there are
            outcome = TaskResult(probe, probe.run(folder, lambda text: None), 0.0, folder)
        # `final` is measured by whichever kernels are compiled: it may differ in its last bit.
        measured = numbers({key: value for key, value in outcome.result.items() if key != "final"})
        weights = [bits(p.value) for p in outcome.network().parameters().values()] if outcome.has_network else []
        found = short_hash([np.array(list(measured), np.float64).tobytes(), *weights])
    except DigitlabError:
        pass
    _known[probe.key] = found
    return outcome


@cache
def of_row(row: "Experiment", plan: "Variant") -> Fingerprint:
    """The fingerprint of the code that would give a row's figures now; the same for all seeds."""
    plan = replace(plan, seed=0, source="made-up")
    probes = {label: task.probe() for label, task in row.planned(plan).items()}
    with tempfile.TemporaryDirectory() as folder:
        done: dict[str, TaskResult | None] = {}  # tasks that differ in their seed alone have one probe
        for probe in probes.values():
            if probe.key not in done:
                (own := Path(folder) / probe.key).mkdir()
                done[probe.key] = probe_outcome(probe, own)
        whole = combined([_known[probe.key] for probe in probes.values()])
        outcomes = {label: outcome for label, probe in probes.items() if (outcome := done[probe.key])}
        figures = of_figures(asdict(row.query(outcomes, plan))) if whole else ""
    return Fingerprint(whole, figures, processor())


def combined(hashes: Sequence[str]) -> str:
    """Several hashes as one; "" if one of them is unknown."""
    return short_hash([text.encode() for text in hashes]) if all(hashes) else ""


def of_figures(figures: Mapping[str, Any]) -> str:
    """The hash of a row's figures, to five digits; what they are called does not matter."""
    return short_hash([f"{value:.4e}".encode() for value in numbers(figures)])


def numbers(value: Any) -> Iterator[float]:
    """All numbers in JSON values, in their order, but for seconds, which are never the same twice."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not str(key).endswith("seconds"):
                yield from numbers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float):
        yield float(value)


def bits(array: Any) -> bytes:
    """An array's numbers as bytes."""
    return np.ascontiguousarray(array).tobytes()


def short_hash(parts: Sequence[bytes]) -> str:
    """The first digits of the parts' SHA-256."""
    text = hashlib.sha256()
    for part in parts:
        text.update(len(part).to_bytes(8, "little") + part)
    return text.hexdigest()[:DIGITS]


@cache
def processor() -> str:
    """The kind of processor, as compilers call it: "sapphirerapids"; else the machine's architecture."""
    try:
        return str(importlib.import_module("llvmlite.binding").get_host_cpu_name())
    except ImportError:
        return platform.machine()
