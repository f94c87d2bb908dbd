"""`digitlab lesson`: the list with its progress, a lesson page by page, and the check of the exercises."""

import subprocess
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from digitlab.cli import run
from digitlab.files import write_text
from digitlab.lessons import lessons, one_lesson
from digitlab.lessons.worksheet import _pages

VERSION = version("digitlab")


@pytest.fixture(autouse=True)
def learner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("digitlab.lessons.progress.user_data_path", lambda name: tmp_path / "data" / name)


def test_progress_is_kept(capsys):
    assert run(["lesson"]) == 0
    assert "next: digitlab lesson 1" in capsys.readouterr().out
    assert run(["lesson", "1", "--no-run"]) == 0
    assert "z = 0.0" in capsys.readouterr().out  # what the page says the code prints
    assert Path("lesson-01.py").read_text(encoding="utf-8") == one_lesson(1).answers
    assert run(["lesson"]) == 0
    shown = capsys.readouterr().out
    assert "yes" in shown and "0/2" in shown and "next: digitlab lesson 2" in shown


def test_check_says_what_is_wrong_and_keeps_what_is_solved(capsys):
    assert run(["lesson", "check", "1"]) == 1
    assert "`digitlab lesson 1` writes lesson-01.py" in " ".join(capsys.readouterr().err.split())
    nand, neuron = one_lesson(1).exercises
    Path("mine.py").write_text(f"{nand.solution}\n{neuron.start}", encoding="utf-8")
    assert run(["lesson", "check", "1", "mine.py"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "NAND: solved",
        "a neuron of any size: neuron([1, 1], [2, -3], 1) returns nothing; write its body, and return the result",
    ]
    Path("mine.py").write_text(f"{nand.solution}\n{neuron.solution}", encoding="utf-8")
    assert run(["lesson", "check", "1", "mine.py"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: digitlab lesson 2"
    run(["lesson"])
    assert "2/2" in capsys.readouterr().out


@pytest.mark.slow
def test_a_lesson_runs_its_code(capsys):
    assert run(["lesson", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "picture: " in shown and Path(shown.partition("picture: ")[2].splitlines()[0]).stat().st_size > 1000
    assert "answer the exercises in lesson-01.py" in shown


def test_an_unknown_lesson_is_one_line(capsys):
    assert run(["lesson", "99"]) == 1
    assert capsys.readouterr().err.startswith(f"error: got lesson 99, expected a number from 1 to {len(lessons())}")


def test_a_worksheet_is_a_page_to_print(capsys):
    assert run(["lesson", "worksheet", "1", "--out", "worksheet-01.html"]) == 0
    page = Path("worksheet-01.html").read_text(encoding="utf-8")
    lesson = one_lesson(1)
    for text in (lesson.title, lesson.prediction, *lesson.questions, *(each.title for each in lesson.exercises)):
        assert text in page
    assert run(["lesson", "worksheet", "1", "--out", "sheet.doc"]) == 2
    assert "sheet.doc" in capsys.readouterr().err


@pytest.mark.slow
def test_a_worksheet_is_a_pdf_whose_text_can_be_found(capsys):
    assert run(["lesson", "worksheet", "1"]) == 0
    content = Path("worksheet-01.pdf").read_bytes()
    assert content.startswith(b"%PDF") and content.rstrip().endswith(b"%%EOF")
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") >= 2
    assert "saved: worksheet-01.pdf" in capsys.readouterr().out


@pytest.mark.parametrize("number", [1, 5, 16])
def test_a_worksheet_has_everything_of_its_lesson_inside_the_pages(number):
    lesson, lines = one_lesson(number), []
    for page in _pages(lesson):
        assert tuple(page.get_size_inches() * 72) == pytest.approx((595, 842))
        for text in page.texts:
            lines.append(text.get_text())
            assert 51 / 842 < text.get_position()[1] < 1
    found = " ".join(" ".join(lines).split())
    for text in (lesson.title, lesson.prediction, *lesson.questions, *(each.title for each in lesson.exercises)):
        assert " ".join(text.split()) in found


def small(monkeypatch):
    """Photos and worksheets that take no time to draw."""
    monkeypatch.setattr("digitlab.lessons.bundle.write_photo", lambda path, seed: Path(path).write_bytes(b"a page"))
    monkeypatch.setattr("digitlab.lessons.bundle.write_worksheet", lambda lesson, path: write_text(path, "%PDF"))


def test_a_bundle_has_everything_and_says_what_is_missing(capsys, monkeypatch):
    monkeypatch.setattr("digitlab.lessons.bundle.find_mnist", lambda: None)
    small(monkeypatch)
    assert run(["lesson", "bundle", "class", "--no-packages"]) == 0
    for lesson in lessons():
        assert Path(f"class/notebooks/{lesson.slug}.ipynb").is_file()
        assert Path(f"class/worksheets/{lesson.slug}.pdf").is_file()
        assert Path(f"class/exercises/{lesson.file}").is_file()
    assert "missing; run `digitlab data fetch`" in Path("class/README.txt").read_text(encoding="utf-8")
    assert run(["lesson", "bundle", "class"]) == 1
    assert "is not empty" in capsys.readouterr().err


def test_a_bundle_contains_mnist_if_it_is_there(tmp_path, monkeypatch):
    from digitlab.data.formats.mnist_files import FILES

    (tmp_path / "mnist").mkdir()
    for file in FILES:
        (tmp_path / "mnist" / file.gz).write_bytes(b"content")
    monkeypatch.setattr("digitlab.lessons.bundle.find_mnist", lambda: tmp_path / "mnist")
    small(monkeypatch)
    assert run(["lesson", "bundle", "class", "--no-packages"]) == 0
    assert sorted(path.name for path in Path("class/data/mnist").iterdir()) == sorted(file.gz for file in FILES)


@pytest.mark.parametrize(
    "code, origin, source",
    [
        (0, None, f"digitlab=={VERSION}"),
        (0, '{"url": "file:///somewhere", "dir_info": {}}', "file:///somewhere"),
        (0, '{"url": "https://host/it", "vcs_info": {"vcs": "git"}}', "git+https://host/it"),
        (1, None, ""),
    ],
)
def test_a_bundle_has_packages_to_install_or_says_why_not(capsys, monkeypatch, code, origin, source):
    def pip(command, **how):
        folder = Path(command[command.index("--wheel-dir") + 1])
        folder.mkdir(parents=True)
        (folder / "some.whl").write_bytes(b"wheel")
        asked.append(command[-1])
        return subprocess.CompletedProcess(command, code, "", "ERROR: Could not find a version\nhint: see above\n")

    asked = []
    small(monkeypatch)
    monkeypatch.delenv("DIGITLAB_OFFLINE", raising=False)
    monkeypatch.setattr(subprocess, "run", pip)
    installed = SimpleNamespace(version=VERSION, read_text=lambda name: origin)
    monkeypatch.setattr("digitlab.lessons.bundle.distribution", lambda name: installed)
    assert run(["lesson", "bundle", "class"]) == 0
    readme, said = Path("class/README.txt").read_text(encoding="utf-8"), capsys.readouterr().out
    if code == 0:
        assert asked == [source] and Path("class/packages/some.whl").is_file() and "warning" not in said
    else:
        assert not Path("class/packages").exists() and "(ERROR: Could not find a version)" in readme
        assert "warning: no packages to install: ERROR: Could not find a version" in said


def test_a_bundle_fetches_nothing_when_offline(capsys, monkeypatch):
    small(monkeypatch)
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")
    monkeypatch.setattr(subprocess, "run", None)
    assert run(["lesson", "bundle", "class"]) == 0
    assert "no packages to install: DIGITLAB_OFFLINE is set" in capsys.readouterr().out


def test_a_class_report_has_a_row_for_each_run(tmp_path, capsys):
    from digitlab import History, RunConfig, mlp

    for name, accuracies in (("ada", (0.5, 0.9, 0.8)), ("<alan>", (0.2, 0.3, 0.95))):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        RunConfig(network=mlp([64, 10]), data={"source": "digits"}, epochs=3).save(folder / "config.toml")
        rows = [
            {"epoch": i, "train_loss": 1.0, "valid_loss": 1.0, "valid_accuracy": accuracy, "learning_rate": 0.3}
            for i, accuracy in enumerate(accuracies, 1)
        ]
        History(rows).save(folder / "history.jsonl")
    assert run(["lesson", "class", "runs"]) == 0
    page = Path("class.html").read_text(encoding="utf-8")
    assert page.index("&lt;alan&gt;") < page.index("ada")  # the best first, names escaped
    assert "95.0 %" in page and "90.0 %" in page and "92.5 %" in page and page.count("<polyline") == 2
    assert "saved: class.html, 2 runs" in capsys.readouterr().out
