"""A lesson on two printed pages: the prediction, questions to answer by hand, and the exercises."""

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from digitlab.figure import new_figure
from digitlab.files import atomic_write, require_suffix, write_text
from digitlab.lessons.lesson import Lesson
from digitlab.viz.pages import render

POINT = 1 / 72  # inches
WIDTH, HEIGHT, MARGIN = 595.0, 842.0, 51.0  # A4 in points
RULE = 23.0  # points between two lines to write on


class Item(NamedTuple):
    """Something in the column of a page: text, or lines to write on. Sizes are in points."""

    text: str = ""
    size: float = 10.0
    bold: bool = False
    mono: bool = False
    indent: float = 0.0
    before: float = 0.0
    rules: int = 0

    @property
    def lines(self) -> list[str]:
        """The text, wrapped to the width of the column; code keeps its lines."""
        if self.mono:
            return self.text.rstrip().splitlines()
        return textwrap.wrap(self.text, int((WIDTH - 2 * MARGIN - self.indent) / (0.56 * self.size)))

    @property
    def height(self) -> float:
        """The height on the page, in points."""
        return self.before + len(self.lines) * 1.35 * self.size + self.rules * RULE


def write_worksheet(lesson: Lesson, path: str | os.PathLike[str]) -> None:
    """Write the worksheet, laid out for A4, as PDF or as one HTML file. Raises ConfigError for another suffix."""
    require_suffix(path, "a worksheet", ".pdf", ".html", bare=False)
    if Path(path).suffix.lower() == ".html":
        write_text(path, render("worksheet.html", lesson=lesson))
        return
    from matplotlib.backends.backend_pdf import PdfPages

    with atomic_write(path) as temporary, PdfPages(temporary) as pdf:
        for page in _pages(lesson):
            pdf.savefig(page)


def _items(lesson: Lesson) -> Iterator[list[Item]]:
    """The content; what is in one list stays on one page."""
    yield [Item(f"Name: ______________________      Date: ____________      {lesson.minutes} minutes")]
    yield [Item(f"Lesson {lesson.number}: {lesson.title}", 16, bold=True, before=8), Item(lesson.books, 9)]
    goals = [Item(f"•  {goal}", indent=10) for goal in lesson.goals]
    yield [Item("After this lesson you can", 12, bold=True, before=10), *goals]
    right = Item("Was it right? Why, or why not?", before=8, rules=1)
    yield [Item("Predict first", 12, bold=True, before=12), Item(lesson.prediction, rules=2), right]
    for number, question in enumerate(lesson.questions, 1):
        heading = [Item("Questions", 12, bold=True, before=12)] if number == 1 else []
        yield [*heading, Item(f"{number}.  {question}", before=6, rules=3)]
    for number, exercise in enumerate(lesson.exercises, 1):
        heading = [Item("Exercises", 12, bold=True, before=12)] if number == 1 else []
        task = [Item(part.replace("`", "")) for part in exercise.task.split("\n\n")]
        code = Item(exercise.start, 9, mono=True, indent=10, before=6)
        yield [*heading, Item(exercise.title, bold=True, before=8), *task, code]
    yield [Item(f"Check them with: digitlab lesson check {lesson.number}", before=12)]


def _pages(lesson: Lesson) -> Iterator[Any]:
    """Matplotlib figures of the size of a page."""
    from matplotlib.lines import Line2D

    page, y = new_figure(WIDTH * POINT, HEIGHT * POINT), HEIGHT - MARGIN
    for together in _items(lesson):
        if y - sum(item.height for item in together) < MARGIN and y < HEIGHT - MARGIN:
            yield page
            page, y = new_figure(WIDTH * POINT, HEIGHT * POINT), HEIGHT - MARGIN
        for item in together:
            y -= item.before
            for line in item.lines:
                page.text(
                    (MARGIN + item.indent) / WIDTH,
                    y / HEIGHT,
                    line,
                    size=item.size,
                    weight="bold" if item.bold else "normal",
                    family="monospace" if item.mono else "serif",
                    verticalalignment="top",
                    parse_math=False,
                )
                y -= 1.35 * item.size
            for _ in range(item.rules):
                y -= RULE
                x = [MARGIN / WIDTH, 1 - MARGIN / WIDTH]
                page.add_artist(Line2D(x, [y / HEIGHT] * 2, color="0.6", linewidth=0.6))
    yield page
