"""A chapter's TOML file: common texts, fields that several figures share, trainings; and what is missing in it."""

import pytest

from digitlab.books.chapter import Chapter
from digitlab.books.experiment import MODES, Reported, Variant
from digitlab.books.pictures import nothing, valid_curves
from digitlab.books.training import Training, book_training
from digitlab.errors import ConfigError

TEXT = """
book = "A book"
chapter = "2"
modes = ["as-written", "corrected"]

[common]
setup = "batches of 10"

[first]
title = "the first"
setup = "30 epochs; {setup}"
each = { split = "validation", step = 1 }
reported = [{ figure = "a/valid", value = 90.0 }, { figure = "b/valid", value = 91.0, text = "b" }]

[first.trainings]
a = { hidden = 5 }
b = { hidden = [7, 6], rate = 0.25 }

[second]
chapter = "3"
modes = ["as-written"]
"""


@pytest.fixture
def chapter(tmp_path):
    (tmp_path / "module.toml").write_text(TEXT)
    return Chapter(str(tmp_path / "module.py"))


def test_texts_and_figures(chapter):
    first = chapter.experiment("first")
    assert (first.book, first.chapter, first.modes) == ("A book", "2", MODES)
    assert (first.title, first.setup, first.cause) == ("the first", "30 epochs; batches of 10", "")
    assert first.reported == (
        Reported("a/valid", 90.0, "validation", step=1),
        Reported("b/valid", 91.0, "validation", "b", step=1),
    )
    assert chapter.reported("first") == {"a/valid": 90.0, "b/valid": 91.0}


def test_trainings(chapter):
    first, variant = chapter.experiment("first"), Variant(seed=3)
    assert first.draw is valid_curves
    tasks = first.tasks(variant)
    assert list(tasks) == ["a", "b"] and all(isinstance(task, Training) for task in tasks.values())
    assert tasks["b"].key == book_training(variant, "another title", hidden=[7, 6], rate=0.25).key
    assert tasks["b"].title == "first, b, 784-7-6-10, seed 3"


def test_other_tasks_and_fields_of_its_own(chapter):
    second = chapter.experiment("second", lambda variant: {}, draw=nothing)
    assert (second.chapter, second.modes, second.draw) == ("3", ("as-written",), nothing)


def test_what_is_missing_is_named(chapter):
    with pytest.raises(ConfigError, match=r"module\.toml: there is no table \[third\]; add it"):
        chapter.experiment("third")
    with pytest.raises(ConfigError, match=r"there is no table \[second\.trainings\]; add it, or give `tasks`"):
        chapter.experiment("second")
