"""A study's file: Optuna's journal, one line an operation, made safe against kills at any moment.

Two things are added to Optuna's own: a lock of the operating system (files.py), and that a line which a kill or a full
disk cut short is removed before the next one is written, where it would run into it and make the file unreadable.
"""

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitlab.errors import ConfigError, ModelFileError
from digitlab.files import FileLock

NAME = "digitlab"  # of the one study in a file
PLAN = "digitlab:plan"


def open_storage(path: str | os.PathLike[str]) -> Any:
    """Optuna's storage on a study's file, which is made if it is not there. Raises ModelFileError if it is damaged."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    class Backend(JournalFileBackend):  # type: ignore[misc]  # Optuna is untyped to mypy
        """Optuna's, with our lock, and with a torn last line removed before the next is written."""

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
            with FileLock(beside(place, "lock")):
                mend(place)
                with place.open("ab") as file:
                    file.write(lines.encode("utf-8"))
                    file.flush()
                    os.fsync(file.fileno())

    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        return JournalStorage(Backend(str(place)))
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise ModelFileError(f"{path}: is no study, or is damaged ({type(error).__name__}: {error})") from None


def mend(path: Path) -> None:
    """Remove a last line that does not end. To be called where nobody else writes."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def beside(path: Path, what: str) -> Path:
    """A file next to the study's: study.journal.lock."""
    return path.with_name(f"{path.name}.{what}")


@contextlib.contextmanager
def claim(path: Path) -> Iterator[None]:
    """A block that one process at a time is in, for steps that belong together."""
    with FileLock(beside(path, "claim")):
        yield


class Owner:
    """A process that works on a study: it holds a lock of its own for as long as it lives."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, uuid.uuid4().hex
        self.folder = beside(path, "owners")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(self.folder / self.name)
        self.lock.acquire()

    def lives(self, name: str | None) -> bool:
        """Whether the process of that name is still there."""
        if name == self.name:
            return True
        if not name or not (self.folder / name).exists():
            return False
        other = FileLock(self.folder / name)
        if not other.acquire(wait=False):
            return True
        other.release()
        (self.folder / name).unlink(missing_ok=True)
        return False

    def leave(self) -> None:
        """This process has nothing under way any more."""
        self.lock.release()
        (self.folder / self.name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()  # unless others are there


def journal_of(name: str | os.PathLike[str]) -> Path:
    """The study's file for a file or for the folder of a search. Raises ConfigError if there is none."""
    path = Path(name)
    path = path / "study.journal" if path.is_dir() else path
    if not path.is_file():
        raise ConfigError(f"{path}: no study there; expected the folder of a `digitlab search`, or its study.journal")
    return path
