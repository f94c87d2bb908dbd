"""Tasks: filed under their settings, done once, and never mistaken for others."""

import json
from dataclasses import replace

import pytest

from digitlab.books.store import carry_out, finished, folder_of, machine
from digitlab.books.task import Computation
from digitlab.errors import ModelFileError

calls = []


def double(given):
    calls.append(given["x"])
    return {"twice": 2 * given["x"]}


def other(given):
    return {}


class Doubling(Computation):
    """A computation whose probe is not counted among the calls."""

    def probe(self):
        return Computation(title="probe", function=other, given={})


def task(x=3, title="double"):
    return Doubling(title=title, function=double, given={"x": x})


def test_the_key_follows_the_settings_and_nothing_else():
    assert task().key == task().key == task(title="another title").key
    assert len(task().key) == 16
    keys = {task().key, task(4).key, replace(task(), function=other).key}
    assert len(keys) == 3


def test_the_order_in_which_settings_are_written_does_not_matter():
    a = Computation(title="", function=double, given={"x": 1, "y": 2})
    b = Computation(title="", function=double, given={"y": 2, "x": 1})
    assert a.key == b.key


def test_a_task_is_done_once(results):
    calls.clear()
    assert finished(task(), results) is None
    first = carry_out(task(), results, print)
    again = carry_out(task(title="the same under another title"), results, print)
    assert first.result == again.result == {"twice": 6}
    assert calls == [3]
    assert again.seconds == pytest.approx(first.seconds)


def test_other_settings_are_another_task(results):
    calls.clear()
    carry_out(task(3), results, print)
    assert carry_out(task(4), results, print).result == {"twice": 8}
    assert calls == [3, 4]


def test_a_result_of_other_settings_in_the_same_folder_is_not_believed(results):
    carry_out(task(), results, print)
    path = folder_of(task(), results) / "result.json"
    stored = json.loads(path.read_text())
    stored["settings"]["given"]["x"] = 5
    path.write_text(json.dumps(stored))
    assert finished(task(), results) is None


def test_a_new_revision_is_another_task(results, monkeypatch):
    before = task().key
    monkeypatch.setattr(Computation, "revision", 2)
    assert task().key != before


def test_the_file_says_how_it_came_about(results):
    carry_out(task(), results, print)
    stored = json.loads((folder_of(task(), results) / "result.json").read_text())
    assert stored["settings"]["given"] == {"x": 3}
    assert stored["title"] == "double"
    assert set(stored) >= {"version", "machine", "finished", "seconds"}
    assert "Python" in machine() and "cores" in machine()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"settings": 1}', '{"result": {}}'])
def test_a_damaged_file_is_named(results, text):
    carry_out(task(), results, print)
    path = folder_of(task(), results) / "result.json"
    path.write_text(text)
    if text == '{"settings": 1}':
        assert finished(task(), results) is None
        return
    with pytest.raises(ModelFileError, match=r"result\.json: not a result .*delete the file"):
        finished(task(), results)
