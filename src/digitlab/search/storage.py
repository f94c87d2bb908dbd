"""A study's file: Optuna's journal, one line an operation, made safe against kills at any moment.

filelock's locks replace Optuna's own, which make the others wait 30 seconds after a kill; owners' locks replace its
heartbeat, which only its SQL storage has. A line that a kill or a full disk cut short is removed before the next is
written, as both together would make the file unreadable.
"""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from digitlab.errors import ConfigError, ModelFileError, in_brief

NAME = "digitlab"  # of the one study in a file
PLAN = "digitlab:plan"
# What Optuna raises for lines that it has not written
DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
POLL = 0.005  # seconds between two attempts to take a lock


def open_storage(path: str | os.PathLike[str]) -> Any:
    """Optuna's storage on a study's file, which is made if it is not there. Raises ModelFileError if it is damaged."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    class Backend(JournalFileBackend):  # type: ignore[misc]  # Optuna is untyped to mypy
        """Optuna's, with a torn last line removed before the next is written."""

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            with lock:  # it is reentrant
                mend(place)
                super().append_logs(logs)

    place = Path(path)
    lock = FileLock(beside(place, "lock"), poll_interval=POLL)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        return JournalStorage(Backend(str(place), lock_obj=lock))
    except DAMAGE as error:
        raise ModelFileError(
            f"{path}: is no study, or is damaged ({type(error).__name__}: {in_brief(error)})"
        ) from None


def mend(path: Path) -> None:
    """Remove a last line that does not end. Call it only while no other process writes."""
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
    with FileLock(beside(path, "claim"), poll_interval=POLL):
        yield


class Owner:
    """A process that works on a study: it holds a lock of its own for as long as it lives."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, uuid.uuid4().hex
        self.folder = beside(path, "owners")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(self.folder / self.name, thread_local=False)
        self.lock.acquire()

    def lives(self, name: str | None) -> bool:
        """Whether the process of that name is still there."""
        if name == self.name:
            return True
        if not name or not (self.folder / name).exists():
            return False
        try:
            with FileLock(self.folder / name, blocking=False):
                pass
        except Timeout:
            return True
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
