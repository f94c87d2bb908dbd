"""A lesson: a Markdown file in texts/ with a head in TOML, blocks of Python, and exercises.

+++                          title, minutes, books, prediction, goals (list), questions (list)
+++
prose and ```python blocks, which share one namespace; a last expression is shown, as in a notebook
```output                    what the block before printed; docs/write_course.py records it
<!-- picture gif: TEXT -->   the block before showed a picture; the text describes it
## Exercise: TITLE           prose, then three blocks: ```python start, ```python tests, ```python solution
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from digitlab.errors import ConfigError

FOLDER = Path(__file__).parent / "texts"
EXERCISE = "## Exercise: "
PICTURE = re.compile(r"<!-- picture (png|gif): (.+?) -->", re.DOTALL)
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Part:
    """A piece of a lesson. `kind` is "text", "code", "output", or a picture's suffix, "png" or "gif"."""

    kind: str
    text: str


@dataclass(frozen=True)
class Exercise:
    """A task with code to start from, tests that call it, and a solution that passes them."""

    title: str
    task: str
    start: str
    tests: str
    solution: str


@dataclass(frozen=True)
class Lesson:
    """A lesson. `slug` is its file's name without the suffix: "05-backpropagation"."""

    number: int
    slug: str
    title: str
    minutes: int
    books: str
    prediction: str
    goals: tuple[str, ...]
    questions: tuple[str, ...]
    parts: tuple[Part, ...]
    exercises: tuple[Exercise, ...]

    @property
    def file(self) -> str:
        """The usual name of the file with a learner's answers: lesson-05.py."""
        return f"lesson-{self.number:02}.py"

    @property
    def answers(self) -> str:
        """The content of that file before anything is answered."""
        check = f"Check them with:  digitlab lesson check {self.number}"
        head = f'"""Exercises of lesson {self.number}: {self.title}.\n\n{check}\n"""\n'
        tasks = [f"# Exercise: {each.title}\n\n{each.start}" for each in self.exercises]
        return "\n\n".join([head, *tasks])


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons, in their order."""
    return tuple(read(path) for path in sorted(FOLDER.glob("*.md")))


def one_lesson(number: int) -> Lesson:
    """The lesson of this number. Raises ConfigError."""
    for lesson in lessons():
        if lesson.number == number:
            return lesson
    raise ConfigError(
        f"got lesson {number}, expected a number from 1 to {len(lessons())}; `digitlab lesson` lists them"
    )


def read(path: Path) -> Lesson:
    """The lesson in a file."""
    _, head, body = path.read_text(encoding="utf-8").split("+++\n", 2)
    facts = tomllib.loads(head)
    body, *tasks = body.split(EXERCISE)
    return Lesson(
        number=int(path.stem.partition("-")[0]),
        slug=path.stem,
        title=facts["title"],
        minutes=facts["minutes"],
        books=facts["books"],
        prediction=facts["prediction"],
        goals=tuple(facts["goals"]),
        questions=tuple(facts["questions"]),
        parts=tuple(_parts(body)),
        exercises=tuple(map(_exercise, tasks)),
    )


def _parts(body: str) -> Iterator[Part]:
    end = 0
    for found in FENCE.finditer(body):
        yield from _prose(body[end : found.start()])
        end = found.end()
        yield Part({"python": "code", "output": "output"}.get(found[1], "text"), _fenced(found))
    yield from _prose(body[end:])


def _fenced(found: re.Match[str]) -> str:
    return found[2] if found[1] in ("python", "output") else found[0]


def _prose(text: str) -> Iterator[Part]:
    """Prose, cut before each heading, so that a terminal can show it page by page."""
    end = 0
    for picture in PICTURE.finditer(text):
        yield from _sections(text[end : picture.start()])
        yield Part(picture[1], " ".join(picture[2].split()))
        end = picture.end()
    yield from _sections(text[end:])


def _sections(text: str) -> Iterator[Part]:
    for section in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        if section.strip():
            yield Part("text", section.strip() + "\n")


def _exercise(text: str) -> Exercise:
    title, _, rest = text.partition("\n")
    blocks = {found[1]: found[2] for found in FENCE.finditer(rest)}
    task = FENCE.sub("", rest).strip()
    return Exercise(title.strip(), task, *(blocks[f"python {kind}"] for kind in ("start", "tests", "solution")))
