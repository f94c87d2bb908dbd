"""A row's results as a file: figures, curves and pictures of one mode over its seeds."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from digitlab.books.experiment import Result
from digitlab.books.fingerprint import Fingerprint
from digitlab.errors import ModelFileError
from digitlab.files import write_text


@dataclass(frozen=True)
class ExperimentResult:
    """A row in one mode and scale, as its file has it; `results` and the `code` that they are from by seed."""

    row: str
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

    def states(self, now: Callable[[], Fingerprint]) -> dict[str, str]:
        """Of every seed, whether it is from the code of now: `Fingerprint.state`."""
        return {seed: self.code.get(seed, Fingerprint()).state(now) for seed in self.results}

    def only(self, seeds: Sequence[str]) -> "ExperimentResult":
        """The same with these seeds alone."""
        kept: dict[str, Any] = {
            name: {s: table[s] for s in seeds if s in table} for name in BY_SEED if (table := getattr(self, name))
        }
        return replace(self, **kept)


BY_SEED = ("keys", "results", "seconds", "code")  # the tables of a RowResult that have an entry for each seed


def row_path(results: Path, name: str, mode: str, scale: str) -> Path:
    """The file of a row in one mode."""
    return results / "rows" / scale / f"{name}.{mode}.json"


def write_row(path: Path, found: ExperimentResult) -> None:
    """Write a row's file, beside and renamed."""
    table = {**asdict(found), "results": {seed: asdict(result) for seed, result in found.results.items()}}
    write_text(path, json.dumps(rounded(table), ensure_ascii=False) + "\n")


def rounded(value: Any) -> Any:
    """JSON values with every number at six digits, which is more than any figure here means."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def read_row(path: Path) -> ExperimentResult:
    """Read a row's file. Raises ModelFileError if it is none."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        results = {seed: Result(**result) for seed, result in table["results"].items()}
        code = {seed: Fingerprint(**entry) for seed, entry in table.get("code", {}).items()}
        return ExperimentResult(**{**table, "results": results, "code": code})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path}: not a row's results ({error}); delete it and run the row again") from None
