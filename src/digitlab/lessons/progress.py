"""Which lessons are read and which exercises solved: one JSON file in the user's data folder."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from platformdirs import user_data_path

from digitlab.files import write_text
from digitlab.lessons.lesson import Lesson


@dataclass
class Progress:
    """What a learner did with a lesson. `solved` holds the titles of exercises."""

    read: bool = False
    prediction: str = ""
    solved: list[str] = field(default_factory=list)


def folder() -> Path:
    """Where the progress and the pictures of lessons are kept."""
    return user_data_path("digitlab") / "lessons"


def load_progress() -> dict[int, Progress]:
    """The progress by a lesson's number; an unreadable file counts as none."""
    try:
        table = json.loads((folder() / "progress.json").read_text(encoding="utf-8"))
        return {int(number): Progress(**entry) for number, entry in table.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep_progress(lesson: Lesson, *, read: bool = False, prediction: str = "", solved: list[str] | None = None) -> None:
    """Add to the progress of a lesson. What was solved stays solved."""
    table = load_progress()
    entry = table.setdefault(lesson.number, Progress())
    entry.read |= read
    entry.prediction = prediction or entry.prediction
    entry.solved = sorted({*entry.solved, *(solved or [])})
    folder().mkdir(parents=True, exist_ok=True)
    write_text(
        folder() / "progress.json", json.dumps({number: asdict(each) for number, each in table.items()}, indent=1)
    )
