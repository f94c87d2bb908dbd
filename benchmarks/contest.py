"""Contests: several ways of doing the same work take turns, so that a machine that slows down slows all of them.

What is printed and stored is the median over the repeats with its range, and ratios of medians. Nothing is thrown away.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from digitlab import Network, Trainer
from digitlab.books.probe import of_package
from digitlab.files import write_text
from digitlab.optim import Optimizer

FAR, SLOW = 8.0, 4.0  # times the cost of digitlab, and seconds of a turn
Work = Callable[[], float]  # does the work once and returns what it cost, in the contest's unit


def ours(
    network: Network, x: np.ndarray, y: np.ndarray, batch: int, optimizer: Optimizer, engine: str = "fast"
) -> Work:
    """One epoch of digitlab's trainer; its `seconds` count the training alone, as the peers' loops do."""
    trainer = Trainer(network, optimizer, batch_size=batch, engine=engine, keep="last")
    epochs = 0

    def epoch() -> float:
        nonlocal epochs
        epochs += 1
        return float(trainer.fit((x, y), epochs=epochs)[-1]["seconds"])

    return epoch


def per_image(work: Work, n: int) -> Work:
    """Microseconds per image instead of seconds."""
    return lambda: 1e6 * work() / n


@dataclass
class Contest:
    """One row of the benchmark: what is done, in which unit, by whom; `ours` names the contestant of digitlab.

    goals    contestant → how many times as costly it should be, at least
    """

    name: str
    unit: str
    ours: str
    contestants: dict[str, Work]
    goals: dict[str, float] = field(default_factory=dict)
    costs: dict[str, list[float]] = field(default_factory=dict)

    def run(self, repeats: int) -> None:
        """Everyone once to warm up, then in turns; a contestant that is FAR behind and slow has only two turns."""
        seconds = {}
        for name, work in self.contestants.items():
            began = time.perf_counter()
            work()
            seconds[name] = time.perf_counter() - began
        self.costs = {name: [] for name in self.contestants}
        for turn in range(repeats):
            for name, work in self.contestants.items():
                if turn < 2 or seconds[name] < SLOW or self.median(name) < FAR * self.median(self.ours):
                    self.costs[name].append(work())

    def median(self, name: str) -> float:
        return statistics.median(self.costs[name])

    def best(self, start: str) -> str | None:
        """The cheapest contestant whose name starts so: a peer at its best thread count or batch."""
        names = [name for name in self.costs if name.startswith(start)]
        return min(names, key=self.median) if names else None

    def lines(self) -> list[str]:
        """A table as text, ratios against `ours`, then the goals."""
        width = max(map(len, self.costs)) + 2
        lines = [f"{self.name} ({self.unit}, median of {len(self.costs[self.ours])})"]
        for name, values in self.costs.items():
            ratio = self.median(name) / self.median(self.ours)
            spread = f"{min(values):9.4g} {max(values):9.4g}"
            turns = "" if len(values) == len(self.costs[self.ours]) else f"  (median of {len(values)})"
            lines.append(f"  {name:<{width}} {self.median(name):9.4g}  [{spread}]  × {ratio:.2f}{turns}")
        for start, goal in self.goals.items():
            if (name := self.best(start)) is not None:
                ratio = self.median(name) / self.median(self.ours)
                lines.append(
                    f"  goal: ≥ {goal:g} × {start}: {ratio:.2f} {'reached' if ratio >= goal else 'NOT reached'}"
                )
        return lines

    def record(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {"name": self.name, "unit": self.unit, "ours": self.ours, "goals": self.goals, "costs": self.costs}


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    versions = {}
    for package in ("numpy", "numba", "scikit-learn", "torch", "jax"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "system": platform.system(),
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
    }


def store(path: Path, contests: list[Contest]) -> None:
    """All rows of a run as JSON."""
    keep(path, {"contests": [contest.record() for contest in contests]})


def keep(path: Path, record: dict[str, Any]) -> None:
    """Write what a benchmark measured as JSON, with the machine and the fingerprint of the code that was measured."""
    table = {"machine": machine(), "code": asdict(of_package()), **record}
    write_text(path, json.dumps(table, ensure_ascii=False, indent=1) + "\n")
