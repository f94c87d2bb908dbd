"""Write the course: docs/course/ and notebooks/course/, from the lessons' texts in src/digitlab/lessons/texts/.

python docs/write_course.py              pages and notebooks
python docs/write_course.py --run 3 5    first run lessons 3 and 5 (without numbers: all) and record what their
                                         code prints, in the texts, and the pictures, in docs/course/pictures/
"""

import argparse
import io
import os
import re
import sys
import warnings
from contextlib import redirect_stdout
from pathlib import Path

from digitlab.lessons import Lesson, lessons
from digitlab.lessons.lesson import EXERCISE, FENCE, FOLDER
from digitlab.lessons.notebook import notebook_text
from digitlab.lessons.running import run_block, save_picture

ROOT = Path(__file__).parents[1]
PAGES, NOTEBOOKS = ROOT / "docs/course", ROOT / "notebooks/course"
OUTPUT = re.compile(r"^\n```output\n.*?^```\n", re.MULTILINE | re.DOTALL)
COLAB = "https://colab.research.google.com/github/digitlab/digitlab/blob/main/notebooks/course"


def page(lesson: Lesson, following: Lesson | None) -> str:
    """A lesson as a page of the site."""
    lines = [
        f"<!-- Written by docs/write_course.py from src/digitlab/lessons/texts/{lesson.slug}.md: edit that file. -->\n",
        f"# Lesson {lesson.number}: {lesson.title}\n",
        f"{lesson.minutes} minutes · {lesson.books}\n",
        f"In the terminal: `digitlab lesson {lesson.number}` · "
        f"[as a notebook](https://github.com/digitlab/digitlab/blob/main/notebooks/course/{lesson.slug}.ipynb) · "
        f"[in Colab]({COLAB}/{lesson.slug}.ipynb)\n",
        f"> **Predict first.** {lesson.prediction}\n",
    ]
    blocks = 0
    for part in lesson.parts:
        if part.kind == "code":
            blocks += 1
            lines.append(f"```python\n{part.text}```\n")
        elif part.kind == "output":
            lines.append(f"```text\n{part.text}```\n")
        elif part.kind == "text":
            lines.append(part.text)
        else:
            lines.append(f"![{part.text}](pictures/{lesson.slug}-{blocks}.{part.kind})\n")
    for exercise in lesson.exercises:
        lines += [f"## Exercise: {exercise.title}\n", f"{exercise.task}\n", f"```python\n{exercise.start}```\n"]
        lines.append(f"<details markdown=1><summary>Tests</summary>\n\n```python\n{exercise.tests}```\n\n</details>\n")
        lines.append(
            f"<details markdown=1><summary>A solution</summary>\n\n```python\n{exercise.solution}```\n\n</details>\n"
        )
    lines.append(f"Check your answers: `digitlab lesson check {lesson.number}` tests the file `{lesson.file}`.\n")
    if following is not None:
        lines.append(f"Next: [lesson {following.number}, {following.title}]({following.slug}.md)\n")
    return "\n".join(lines)


def index() -> str:
    """The course's first page."""
    minutes = sum(lesson.minutes for lesson in lessons())
    rows = [
        f"| {lesson.number} | [{lesson.title}]({lesson.slug}.md) | {lesson.minutes} | {lesson.books} |"
        for lesson in lessons()
    ]
    head = f"""<!-- Written by docs/write_course.py. -->

# Course

{len(lessons())} lessons, {minutes} minutes in total, from one neuron to a network that reads your handwriting. In
each you predict a result, run code that takes seconds, compare with the book, and solve two exercises. All code works
without a network connection, on the 1,797 real digits that come with the package.

Read the lessons here, or in the terminal, where you run the code step by step:

    digitlab lesson
    digitlab lesson 1
    digitlab lesson check 1

The last command tests your answers to the exercises, in the file `lesson-01.py` that `digitlab lesson 1` writes. The
same lessons are [notebooks](https://github.com/digitlab/digitlab/blob/main/notebooks/course).
[For teachers](teaching.md) there are timings, worksheets and a bundle for classrooms without a network connection.

| | Lesson | Minutes | Chapters |
|---|---|---|---|
"""
    return head + "\n".join(rows) + "\n"


def files() -> dict[Path, str]:
    """Every file of the course, by its path."""
    written = {PAGES / "index.md": index()}
    for lesson, following in zip(lessons(), [*lessons()[1:], None]):
        written[PAGES / f"{lesson.slug}.md"] = page(lesson, following)
        written[NOTEBOOKS / f"{lesson.slug}.ipynb"] = notebook_text(lesson)
    return written


def record(path: Path) -> None:
    """Run a lesson's code, and put what it prints into the text."""
    text = path.read_text(encoding="utf-8")
    body, exercise, rest = text.partition(EXERCISE)
    body = OUTPUT.sub("", body)
    names: dict = {"__name__": "lesson"}
    pieces, end, blocks = [], 0, 0
    for found in FENCE.finditer(body):
        pieces.append(body[end : found.end()])
        end = found.end()
        if found[1] == "python":
            blocks += 1
            printed = io.StringIO()
            with redirect_stdout(printed):
                value = run_block(found[2], names, path.name)
            picture = save_picture(value, PAGES / "pictures" / f"{path.stem}-{blocks}")
            output = printed.getvalue() + (f"{value!r}\n" if value is not None and picture is None else "")
            if output:
                pieces.append(f"\n```output\n{output}```\n")
    path.write_text("".join([*pieces, body[end:]]) + exercise + rest, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", nargs="*", type=int, metavar="N")
    chosen = parser.parse_args().run
    os.environ["DIGITLAB_OFFLINE"] = "1"
    warnings.simplefilter("ignore")
    for lesson in lessons() if chosen is not None else ():
        if not chosen or lesson.number in chosen:
            print(lesson.slug, file=sys.stderr)
            record(FOLDER / f"{lesson.slug}.md")
    lessons.cache_clear()
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
