"""Runs in folders under one group folder: each a run like any other, and a file that says it is finished."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from digitlab.doctor.ailment import Diagnosis
from digitlab.errors import ConfigError, ModelFileError, in_brief
from digitlab.files import write_text
from digitlab.nn.io.files import read_arrays
from digitlab.parallel.job import TrainingResult
from digitlab.parallel.labels import Setting
from digitlab.train.config import RunConfig
from digitlab.train.history import History

SETTINGS = "settings.json"  # in a group's folder: what was typed for each run
DONE = "outcome.json"  # written last: where it stands, the run is finished
KEPT = ("monitor", "best_epoch", "test", "error", "stop_reason", "engine", "worker")


def prepare(folder: Path, name: str, config: RunConfig) -> None:
    """Write the settings of a run that is about to begin; ConfigError if another run is there."""
    path = folder / "config.toml"
    if not path.exists():
        config.save(path)
    elif RunConfig.load(path, run=True) != config:
        raise ConfigError(f"{folder}: holds a run with other settings than {name!r}; choose another group folder")


def finished(folder: Path, name: str, config: RunConfig) -> TrainingResult | None:
    """The outcome of a run that is finished already, else None. Raises ModelFileError if its files are damaged."""
    if not (folder / DONE).is_file():
        return None
    try:
        saved = json.loads((folder / DONE).read_text(encoding="utf-8"))
        kept = {key: saved[key] for key in KEPT}
        diagnosis = Diagnosis(*found) if (found := saved.get("diagnosis")) else None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{folder / DONE}: is damaged ({in_brief(error)}); remove it to train this network again"
        ) from None
    if kept["error"] is not None:
        return TrainingResult(name, config, [], **kept)
    history = History.load(folder / "history.jsonl")
    arrays = read_arrays(folder / "network.safetensors")
    return TrainingResult(name, config, history.rows, arrays=arrays, diagnosis=diagnosis, **kept)


def keep(folder: Path, outcome: TrainingResult, *, written: bool) -> None:
    """Mark a run as finished, after writing what the worker could not (`written` says that it could)."""
    if outcome.error is None and not written:
        History(outcome.rows).save(folder / "history.jsonl")
        outcome.network().save(folder / "network.safetensors")
    kept = {key: getattr(outcome, key) for key in (*KEPT, "diagnosis")}
    write_text(folder / DONE, json.dumps(kept, indent=1) + "\n")


def keep_settings(group: Path, settings: Mapping[str, Setting]) -> None:
    """Write what the settings of each run in the group are called, by the names of the runs' folders."""
    table = {name: dict(setting) for name, setting in settings.items()}
    write_text(group / SETTINGS, json.dumps(table, indent=1) + "\n")


def kept_settings(group: str | os.PathLike[str], names: Sequence[str]) -> list[Setting] | None:
    """What `keep_settings` wrote for these runs; None if it did not, as in older groups. Raises ModelFileError."""
    path = Path(group) / SETTINGS
    if not path.is_file():
        return None
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return [dict(saved[name]) for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{path}: is damaged ({in_brief(error)}); remove it to label the runs by their different settings"
        ) from None


def settings_in(group: str | os.PathLike[str]) -> list[tuple[str, RunConfig]]:
    """The names and settings of all runs in a group folder. Raises ConfigError if there are none."""
    found = sorted(Path(group).glob("*/config.toml"))
    if not found:
        raise ConfigError(f"{group}: no runs to resume; expected the folder of an earlier group of runs")
    return [(path.parent.name, RunConfig.load(path, run=True)) for path in found]


def folder_names(labels: Sequence[str]) -> list[str]:
    """Labels as names of folders, numbered: "003-learning_rate-0.1-seed-2"."""
    width = max(3, len(str(len(labels) - 1)))
    safe = [re.sub(r"[^\w.+-]+", "-", label).strip("-")[:60] for label in labels]
    return [f"{i:0{width}}-{name}".rstrip("-") for i, name in enumerate(safe)]
