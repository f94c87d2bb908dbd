"""A lesson as a notebook that runs in Jupyter and Colab."""

import json
import re

from digitlab.lessons.lesson import Lesson

DOCS = "https://github.com/digitlab/digitlab/blob/main/docs/"
INSTALL = """try:
    import digitlab
except ImportError:  # on Colab
    %pip install -q digitlab
    import digitlab
"""


def notebook_text(lesson: Lesson) -> str:
    """The file: JSON of nbformat 4.5, without outputs."""
    intro = (
        f"# Lesson {lesson.number}: {lesson.title}\n\n{lesson.minutes} minutes · {lesson.books}\n\n"
        f"**Predict first.** {lesson.prediction}\n"
    )
    cells = [_cell("markdown", intro), _cell("code", INSTALL)]
    for part in lesson.parts:
        if part.kind in ("text", "code"):
            cells.append(_cell("markdown" if part.kind == "text" else "code", _absolute(part.text)))
    for number, exercise in enumerate(lesson.exercises, 1):
        solution = f"<details><summary>A solution</summary>\n\n```python\n{exercise.solution}```\n\n</details>\n"
        cells += [
            _cell("markdown", f"## Exercise: {exercise.title}\n\n{_absolute(exercise.task)}\n"),
            _cell("code", exercise.start, f"exercise-{number}"),
            _cell("code", f"from digitlab.lessons import expect\n\n{exercise.tests}print('solved')\n"),
            _cell("markdown", solution),
        ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    table = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str, tag: str = "") -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "metadata": {"tags": [tag]} if tag else {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": text.rstrip("\n").splitlines(keepends=True)}


def _absolute(text: str) -> str:
    """The text with links to pages of the docs as addresses."""
    return re.sub(r"\]\(\.\./([\w-]+\.md)", rf"]({DOCS}\1", text)
