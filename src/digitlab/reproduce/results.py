"""A row's results as a file: figures, curves and pictures of one mode over its seeds."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from digitlab.errors import ModelFileError
from digitlab.files import write_text
from digitlab.reproduce.row import Result


@dataclass(frozen=True)
class RowResult:
    """A row in one mode and scale, as its file has it; `results` by seed."""

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


def row_path(results: Path, name: str, mode: str, scale: str) -> Path:
    """The file of a row in one mode."""
    return results / "rows" / scale / f"{name}.{mode}.json"


def write_row(path: Path, found: RowResult) -> None:
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


def read_row(path: Path) -> RowResult:
    """Read a row's file. Raises ModelFileError if it is none."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return RowResult(**{**table, "results": {seed: Result(**r) for seed, r in table["results"].items()}})
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: not a row's results ({error}); delete it and run the row again") from None
