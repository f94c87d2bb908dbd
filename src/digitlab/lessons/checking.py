"""The tests of a lesson's exercises, run on a learner's file."""

import io
import os
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitlab.errors import ConfigError
from digitlab.files import read_text
from digitlab.lessons.expecting import expect
from digitlab.lessons.lesson import Exercise, Lesson


@dataclass(frozen=True)
class Verdict:
    """Whether an exercise is solved: `problem` says what is wrong, "" if nothing is."""

    title: str
    problem: str


def check_file(lesson: Lesson, path: str | os.PathLike[str]) -> list[Verdict]:
    """A verdict on each exercise. Runs the file: it is the learner's own. Raises ConfigError if it is missing."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(
            f"{file}: no such file; `digitlab lesson {lesson.number}` writes {lesson.file} with the exercises to answer"
        )
    names: dict[str, Any] = {"__name__": "answers"}
    problem = _problem(read_text(file), names, str(file), str(file))
    return [
        Verdict(each.title, f"the file does not run: {problem}" if problem else check_exercise(each, names, str(file)))
        for each in lesson.exercises
    ]


def check_exercise(exercise: Exercise, names: dict[str, Any], file: str = "") -> str:
    """What is wrong with the answer among these names; "" if nothing is."""
    return _problem(exercise.tests, {**names, "expect": expect}, f"tests of {exercise.title}", file)


def _problem(code: str, names: dict[str, Any], place: str, file: str) -> str:
    """The error that the code raises, in one sentence, with the line of the learner's file where it has one."""
    try:
        with redirect_stdout(io.StringIO()):
            exec(compile(code, place, "exec"), names)
    except AssertionError as error:
        if str(error):
            return str(error)
        return f"this is not true: {code.splitlines()[(traceback.extract_tb(error.__traceback__)[1].lineno or 1) - 1]}"
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    except Exception as error:  # whatever a learner's code may raise
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        return f"{f'line {lines[-1]}: ' if lines else ''}{type(error).__name__}: {error}"
    return ""
