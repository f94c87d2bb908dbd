"""The course: each exercise has a solution that passes and a start that fails; pages and notebooks are up to date."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from digitlab.lessons import expect, lessons, one_lesson
from digitlab.lessons.checking import check_exercise, check_file
from digitlab.lessons.lesson import FOLDER
from digitlab.lessons.running import run_block
from test_words import PRIVATE

ROOT = Path(__file__).parents[2]
LESSONS = lessons()
EXERCISES = [
    pytest.param(exercise, id=f"{lesson.number}-{exercise.title}")
    for lesson in LESSONS
    for exercise in lesson.exercises
]
NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*(?:e-?\d+)?")


@pytest.fixture(scope="module")
def course():
    spec = importlib.util.spec_from_file_location("write_course", ROOT / "docs/write_course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answered(code):
    names = {"__name__": "answers"}
    exec(code, names)
    return names


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_solution_passes_and_the_start_does_not(exercise):
    assert check_exercise(exercise, answered(exercise.solution)) == ""
    assert check_exercise(exercise, answered(exercise.start)) != ""


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_a_lesson_is_complete(lesson):
    text = (FOLDER / f"{lesson.slug}.md").read_text(encoding="utf-8")
    assert len(lesson.exercises) == 2 and len(lesson.goals) >= 2 and len(lesson.questions) >= 2
    assert 15 <= lesson.minutes <= 30
    assert "|---|" in text.partition("\n## Compared with the book\n")[2].partition("\n## ")[0]
    assert any(part.kind in ("png", "gif") for part in lesson.parts)
    assert [line for line in text.splitlines() if PRIVATE.search(line) or len(line) > 400] == []
    for target in re.findall(r"\]\(\.\./([\w/-]+\.\w+)", text):
        assert (ROOT / "docs" / target).is_file(), target


def test_lessons_are_numbered_from_one():
    assert [lesson.number for lesson in LESSONS] == list(range(1, len(LESSONS) + 1))
    assert one_lesson(1).title == LESSONS[0].title


def test_pages_and_notebooks_are_up_to_date(course):
    """If this fails: python docs/write_course.py."""
    files = course.files()
    for path, text in files.items():
        assert path.is_file() and path.read_text(encoding="utf-8") == text, path
    written = {*course.PAGES.glob("*.md"), *course.NOTEBOOKS.glob("*.ipynb")}
    assert written - files.keys() <= {course.PAGES / "teaching.md"}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_every_picture_is_there_and_described(course, lesson):
    shown = re.findall(r"!\[(.+?)\]\((pictures/.+?)\)", course.page(lesson, None))
    assert shown
    for text, picture in shown:
        assert len(text) > 30 and (course.PAGES / picture).stat().st_size < 400_000


def alike(found, recorded):
    """Whether two texts are the same but for numbers that differ as those of two machines may."""
    if NUMBER.sub("#", found).split() != NUMBER.sub("#", recorded).split():
        return False
    pairs = zip(*([float(n.replace(",", "")) for n in NUMBER.findall(text)] for text in (found, recorded)))
    return all(abs(a - b) <= 0.3 * abs(b) + 0.05 for a, b in pairs)


@pytest.mark.pages
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_the_code_of_a_lesson_prints_what_the_page_shows(lesson, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")
    names, printed = {"__name__": "lesson"}, ""
    for part in lesson.parts:
        if part.kind == "code":
            value = run_block(part.text, names, lesson.slug)
            shows = value is not None and not hasattr(value, "savefig") and not hasattr(value, "gif")
            printed = capsys.readouterr().out + (f"{value!r}\n" if shows else "")
        elif part.kind == "output":
            assert alike(printed, part.text), f"printed:\n{printed}\nrecorded:\n{part.text}"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the programs that run the kernel
@pytest.mark.parametrize(
    "number", [pytest.param(each.number, marks=[pytest.mark.pages] * (each.number > 1)) for each in LESSONS]
)
def test_a_lesson_runs_as_a_notebook(number, tmp_path):
    import nbclient
    import nbformat

    from digitlab.lessons.notebook import notebook_text

    lesson = one_lesson(number)
    notebook = nbformat.reads(notebook_text(lesson), as_version=4)
    for cell in notebook.cells:
        for tag in cell.metadata.get("tags", ()):
            cell.source = lesson.exercises[int(tag.removeprefix("exercise-")) - 1].solution
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert "".join(output.get("text", "") for output in shown).count("solved\n") == 2
    kinds = {kind for output in shown for kind in output.get("data", {})}
    assert kinds & {"text/html", "image/png"}  # an animation, or a figure


def test_a_notebook_has_no_outputs_and_valid_ids():
    import nbformat

    from digitlab.lessons.notebook import notebook_text

    for lesson in LESSONS:
        notebook = json.loads(notebook_text(lesson))
        nbformat.validate(notebook)
        assert all(not cell.get("outputs") for cell in notebook["cells"])


@pytest.mark.parametrize(
    ("found", "expected", "problem"),
    [
        (0.5, 0.5, ""),
        ([1, 2], (1, 2), ""),
        (None, 1, "f(1) returns nothing; write its body, and return the result"),
        (4, 3, "f(1) is 4, expected 3"),
        ([1, 2], [1, 2, 3], "f(1) has the shape (2,), expected (3,)"),
        ("word", 3, "f(1) is 'word', expected 3"),
    ],
)
def test_expect_says_what_is_wrong(found, expected, problem):
    if not problem:
        expect("f(1)", found, expected)
    else:
        with pytest.raises(AssertionError, match=re.escape(problem)):
            expect("f(1)", found, expected)


def test_errors_of_a_file_are_one_sentence_each(tmp_path):
    lesson, path = one_lesson(1), tmp_path / "answers.py"
    path.write_text("weights = [-2, -2]\nbias = 3\n\ndef neuron(inputs, weights, bias):\n    return 1 / 0\n")
    nand, neuron = check_file(lesson, path)
    assert (nand.problem, neuron.problem) == ("", "line 5: ZeroDivisionError: division by zero")
    path.write_text("weights = [\n")
    assert check_file(lesson, path)[0].problem.startswith("the file does not run: line 1: ")
    path.write_text("weights = [0, 0]\nbias = 1\n")
    assert check_file(lesson, path)[0].problem == "the output for inputs 1 and 1 is 1, expected 0"
