"""The result file of an experiment: figures, curves and pictures of one mode over its seeds."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from digitlab.books.experiment import Result
from digitlab.books.fingerprint import Fingerprint
from digitlab.errors import ModelFileError, in_brief
from digitlab.files import write_text


@dataclass(frozen=True)
class ExperimentResult:
    """An experiment in one mode and scale, as stored; `results` and the `code` that computed them by seed."""

    experiment: str
    mode: str
    scale: str
    revision: int
    keys: dict[str, dict[str, str]]
    results: dict[str, Result]
    seconds: dict[str, float]
    pictures: list[str] = field(default_factory=list)
    machine: str = ""
    version: str = ""
    finished: str = ""
    source: str = "mnist"
    code: dict[str, Fingerprint] = field(default_factory=dict)

    def states(self, current: Callable[[], Fingerprint]) -> dict[str, str]:
        """For each seed, whether today's code computes the same: `Fingerprint.state`."""
        return {seed: self.code.get(seed, Fingerprint()).state(current) for seed in self.results}

    def only(self, seeds: Sequence[str]) -> "ExperimentResult":
        """The same with these seeds alone."""
        tables: Any = {name: {s: t[s] for s in seeds if s in t} for name, t in self._by_seed().items()}
        return replace(self, **tables)

    def joined(self, other: "ExperimentResult") -> "ExperimentResult":
        """The other result with the seeds of both, in their order; the other's where both have one."""
        both = {name: self._by_seed()[name] | theirs for name, theirs in other._by_seed().items()}
        tables: Any = {name: {s: t[s] for s in sorted(t, key=int)} for name, t in both.items()}
        return replace(other, **tables)

    def _by_seed(self) -> dict[str, dict[str, Any]]:
        return {name: getattr(self, name) for name in ("keys", "results", "seconds", "code")}


def result_path(results: Path, name: str, mode: str, scale: str) -> Path:
    """The file of an experiment in one mode."""
    return results / "rows" / scale / f"{name}.{mode}.json"


def write_result(path: Path, found: ExperimentResult) -> None:
    """Write a result file atomically."""
    # Six digits are enough for every figure.
    table = json.loads(json.dumps(asdict(found)), parse_float=lambda text: float(f"{float(text):.6g}"))
    write_text(path, json.dumps(table, ensure_ascii=False) + "\n")


def read_result(path: Path) -> ExperimentResult:
    """Read a result file. Raises ModelFileError if it is damaged."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if "row" in table:  # what experiments were once called
            table["experiment"] = table.pop("row")
        results = {seed: Result(**result) for seed, result in table["results"].items()}
        code = {seed: Fingerprint(**entry) for seed, entry in table.get("code", {}).items()}
        return ExperimentResult(**{**table, "results": results, "code": code})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path}: not the result of an experiment ({in_brief(error)}); delete the file and run the experiment again"
        ) from None
