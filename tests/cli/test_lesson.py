"""`digitlab lesson`: the list with its progress, a lesson page by page, and the check of the exercises."""

from pathlib import Path

import pytest

from digitlab.cli import run
from digitlab.lessons import lessons, one_lesson


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
    assert run(["lesson", "worksheet", "1"]) == 0
    page = Path("worksheet-01.html").read_text(encoding="utf-8")
    lesson = one_lesson(1)
    for text in (lesson.title, lesson.prediction, *lesson.questions, *(each.title for each in lesson.exercises)):
        assert text in page
    assert run(["lesson", "worksheet", "1", "--out", "sheet.pdf"]) == 1
    assert "sheet.pdf" in capsys.readouterr().err


def test_a_bundle_has_everything_and_says_what_is_missing(capsys, monkeypatch):
    monkeypatch.setattr("digitlab.lessons.bundle.find_mnist", lambda: None)
    monkeypatch.setattr("digitlab.lessons.bundle.write_photo", lambda path, seed: Path(path).write_bytes(b"a page"))
    assert run(["lesson", "bundle", "class"]) == 0
    for lesson in lessons():
        assert Path(f"class/notebooks/{lesson.slug}.ipynb").is_file()
        assert Path(f"class/worksheets/{lesson.slug}.html").is_file()
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
    monkeypatch.setattr("digitlab.lessons.bundle.write_photo", lambda path, seed: Path(path).write_bytes(b"a page"))
    assert run(["lesson", "bundle", "class"]) == 0
    assert sorted(path.name for path in Path("class/data/mnist").iterdir()) == sorted(file.gz for file in FILES)


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
