"""Runs with their results, and the notes that somebody wrote about them."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import tomli_w

from digitlab.errors import ConfigError, in_brief, quoted
from digitlab.files import write_text
from digitlab.run_folders import NO_RUN, is_run, runs_in
from digitlab.train.columns import unit
from digitlab.train.config import RunConfig
from digitlab.train.history import History

NOTE = "note.toml"  # in a run's folder: what `digitlab runs note` writes


class Note(NamedTuple):
    """What somebody wrote about a run."""

    text: str = ""
    tags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([*(f"#{tag}" for tag in self.tags), *([self.text] if self.text else [])])


class Run(NamedTuple):
    """A run with at least one finished epoch."""

    folder: Path
    name: str
    config: RunConfig
    history: History
    monitor: str  # the column that judges its epochs
    note: Note

    @property
    def result(self) -> float:
        """The best value of the monitored column: accuracies in per cent, losses as they are."""
        return unit(self.monitor).scale * self.history.statistics(self.monitor).best

    @property
    def best(self) -> str:
        """The result with its unit: "95.20 %"."""
        return unit(self.monitor).shown(self.history.statistics(self.monitor).best)

    @property
    def epochs(self) -> str:
        """How many epochs are finished, "12", or "12 of 30"."""
        done, all_ = len(self.history), self.config.epochs
        return str(done) if done >= all_ else f"{done} of {all_}"

    @property
    def loss(self) -> str:
        """The kind of its loss; values of different kinds have no common scale."""
        return str(self.config.network["loss"]["type"])

    @property
    def seconds(self) -> float:
        """What its training took."""
        return sum(self.history.column("seconds"))


def read_note(folder: Path) -> Note:
    """The note in a run's folder; empty if there is none."""
    try:
        table = tomllib.loads((folder / NOTE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Note()
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{folder / NOTE}: is not TOML ({in_brief(error)}); mend or remove it") from None
    note, tags = table.get("note", ""), table.get("tags", [])
    if not isinstance(note, str) or not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ConfigError(f"{folder / NOTE}: expected note as text and tags as a list of texts; mend or remove it")
    return Note(note, tuple(tags))


def write_note(folder: Path, note: Note) -> None:
    """Write the note into the run's folder, or remove it where it is empty."""
    if note == Note():
        (folder / NOTE).unlink(missing_ok=True)
    else:
        write_text(folder / NOTE, tomli_w.dumps({"note": note.text, "tags": list(note.tags)}))


def read_runs(folders: Iterable[Path]) -> tuple[list[Run], list[str]]:
    """The runs in these folders, groups as their members; and a line on each that is left out."""
    folders = [single for folder in folders for single in runs_in(folder)]
    short = len({folder.name for folder in folders}) == len(folders)
    found, left = [], []
    for folder in folders:
        if not folder.exists():
            raise ConfigError(f"{folder}: {NO_RUN}")
        if not is_run(folder):
            left.append(f"{folder}: {NO_RUN}")
            continue
        config, file = RunConfig.load(folder / "config.toml", run=True), folder / "history.jsonl"
        history = History.load(file) if file.is_file() else History()
        if not len(history):
            left.append(
                f"{folder}: has no finished epoch; continue with: digitlab train --run {quoted(folder)} --resume"
            )
            continue
        monitor = history.monitored(config.monitor)
        found.append(Run(folder, folder.name if short else str(folder), config, history, monitor, read_note(folder)))
    return found, left
