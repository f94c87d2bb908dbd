"""Fingerprints: which code computed a result, identified by what that code computes.

A stored figure is valid as long as the code still computes it. That is found out without computing it again: each task
has a *probe*, the same task on so few synthetic images that it takes hundredths of a second (`Task.probe`, probe.py).
The fingerprint is a hash of the bits that the probe gives. It changes when computed numbers change, be it by a kernel,
a layer, an optimizer or a library. Renaming, moving or formatting code does not change it.

    numerics     of a task: the final weights of its probe, and every number measured during training
    experiment   of an experiment: the figures computed from the probes of its tasks
    processor    processors add numbers in different orders, so only fingerprints of one kind of processor are compared

A probe is short: it may miss what shows only after thousands of steps, or only in some images.
"""

import hashlib
import importlib
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

DIGITS = 12  # hexadecimal digits of a hash: enough to tell versions apart, short enough to read


@dataclass(frozen=True)
class Fingerprint:
    """What code, on what kind of processor; "" where it was not recorded."""

    numerics: str = ""
    experiment: str = ""
    processor: str = ""

    def state(self, current: Callable[[], "Fingerprint"]) -> str:
        """ "current", "older", "unrecorded" or "other processor"; `current` computes today's fingerprint if needed."""
        if not self.numerics:
            return "unrecorded"
        if self.processor != processor():
            return "other processor"
        return "current" if self == current() else "older"


def states_text(states: Sequence[str]) -> str:
    """The states of several seeds in short: "" if all are current, else "older (1 of 3 seeds)"."""
    total = len(states)
    counts = {state: states.count(state) for state in states if state != "current"}
    return ", ".join(f"{state} ({n} of {total} seeds)" if n < total else state for state, n in counts.items())


def combined(hashes: Sequence[str]) -> str:
    """Several hashes as one; "" if one of them is unknown."""
    return short_hash([text.encode() for text in hashes]) if all(hashes) else ""


def of_figures(figures: Mapping[str, Any]) -> str:
    """The hash of an experiment's figures, to five digits; their names do not matter."""
    return short_hash([f"{value:.4e}".encode() for value in numbers(figures)])


def numbers(value: Any) -> Iterator[float]:
    """All numbers in JSON values, in their order, except seconds, which differ each time."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not str(key).endswith("seconds"):
                yield from numbers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float):
        yield float(value)


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
