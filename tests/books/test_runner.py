"""Running rows: what is done is kept, parts alone, failures that hold up nothing, several processes."""

import dataclasses
import json
import shutil
import time

import pytest

from digitlab.books import runner
from digitlab.books.catalogue import CATALOGUE
from digitlab.books.compare import headline
from digitlab.books.experiment import Experiment, Reported, Result
from digitlab.books.pictures import accuracy_curves, nothing
from digitlab.books.results import read_row, row_path
from digitlab.books.runner import make_jobs, run_jobs
from digitlab.books.task import Computation, finished
from digitlab.engine.threads import kernel_threads
from digitlab.errors import ConfigError, DataError

asked = []


def measured(given):
    asked.append(given["seed"])
    return {"value": 90.0 + given["seed"]}


def unmeasured(given):
    return {"value": 90.0}


class Counted(Computation):
    """A computation whose probe does not count as asked."""

    def probe(self):
        return Computation(title="probe", function=unmeasured, given={})


def slow(given):
    time.sleep(0.01)
    return {"value": 90.0}


def broken(given):
    raise DataError("no such thing; get one")


def row(name="row", function=measured, modes=("as-written",), draw=nothing, **more):
    def tasks(plan):
        return {
            "one": (Counted if function is measured else Computation)(
                title=f"{name} {plan.seed}", function=function, given={"seed": plan.seed, "m": plan.mode}
            )
        }

    def query(outcomes, plan):
        return Result({"one/test": outcomes["one"].result["value"]})

    return Experiment(
        name, "Book", "1", "shows", "setup", tasks, query, draw, (Reported("one/test", 91.5),), modes, **more
    )


def test_rows_run_and_are_not_run_again(results):
    asked.clear()
    said = []
    assert run_jobs(make_jobs([row()]), results, say=said.append) == []
    assert asked == [0, 1, 2]
    assert "row: one/test 91.00 ± 1.00 % (n = 3) (book 91.50 %, test)" in said[-1]
    found = read_row(row_path(results, "row", "as-written", "default"))
    assert [r.figures["one/test"] for r in found.results.values()] == [90.0, 91.0, 92.0]
    assert run_jobs(make_jobs([row()]), results, say=said.append) == []
    assert asked == [0, 1, 2]
    assert run_jobs(make_jobs([row()], seeds=4), results, say=said.append) == []
    assert asked == [0, 1, 2, 3]


def test_figures_of_a_seed_are_enough_without_its_tasks(results):
    asked.clear()
    run_jobs(make_jobs([row()], seeds=2), results, say=str)
    shutil.rmtree(results / "tasks")
    said = []
    assert run_jobs(make_jobs([row()], seeds=3), results, say=said.append) == []
    assert asked == [0, 1, 2] and said[0] == "figures of 2 seeds were found before"
    path = row_path(results, "row", "as-written", "default")
    assert [r.figures["one/test"] for r in read_row(path).results.values()] == [90.0, 91.0, 92.0]
    assert run_jobs(make_jobs([row()], seeds=1), results, say=said.append) == []
    assert list(read_row(path).results) == ["0", "1", "2"], "seeds that were not asked for stay"


def test_seeds_of_quick_runs_stay_too(results):
    run_jobs(make_jobs([row()], scale="quick", seeds=2, source="digits"), results, say=str)
    run_jobs(make_jobs([row(draw=lambda *_: {})], scale="quick", seeds=1, source="digits"), results, say=str)
    assert list(read_row(row_path(results, "row", "as-written", "quick")).results) == ["0", "1"]


def test_a_task_that_seeds_share_is_one_run(results):
    def tasks(plan):
        return {"one": Computation(title="shared", function=slow, given={})}

    shared = row()
    shared = dataclasses.replace(shared, tasks=tasks)
    assert run_jobs(make_jobs([shared], seeds=3), results, say=str) == []
    found = read_row(row_path(results, "row", "as-written", "default"))
    assert list(found.seconds.values())[1:] == [0.0, 0.0] and found.seconds["0"] > 0
    assert headline(shared, found).startswith("one/test 90.00 % (n = 1)")


def test_figures_of_other_settings_are_not_kept(results):
    asked.clear()
    run_jobs(make_jobs([row()], seeds=2), results, say=str)
    path = row_path(results, "row", "as-written", "default")
    table = json.loads(path.read_text())
    table["keys"]["1"]["one"] = "another"
    path.write_text(json.dumps(table))
    shutil.rmtree(results / "tasks")
    run_jobs(make_jobs([row()], seeds=2), results, say=str)
    assert asked == [0, 1, 1]
    table["revision"] += 1
    path.write_text(json.dumps(table))
    shutil.rmtree(results / "tasks")
    run_jobs(make_jobs([row()], seeds=1), results, say=str)
    assert asked == [0, 1, 1, 0]


def test_two_rows_share_a_task(results):
    asked.clear()
    run_jobs(make_jobs([row("a"), row("b")], seeds=1), results, say=str)
    assert asked == [0]
    assert row_path(results, "a", "as-written", "default").is_file()
    assert row_path(results, "b", "as-written", "default").is_file()


def test_a_failure_holds_up_nothing_else_and_is_told(results):
    said = []
    failures = run_jobs(make_jobs([row("bad", broken), row("good")], seeds=2), results, say=said.append)
    assert failures == ["bad 0: no such thing; get one", "bad 1: no such thing; get one"]
    assert row_path(results, "good", "as-written", "default").is_file()
    assert not row_path(results, "bad", "as-written", "default").exists()


def test_modes_are_files_of_their_own(results):
    both = row("two", modes=("as-written", "corrected"))
    run_jobs(make_jobs([both], seeds=1), results, say=str)
    assert {path.name for path in (results / "rows" / "default").glob("*.json")} == {
        "two.as-written.json",
        "two.corrected.json",
    }
    assert [job.mode for job in make_jobs([both], mode="corrected")] == ["corrected"]
    assert [job.mode for job in make_jobs([row()], mode="corrected")] == ["as-written"]  # it has no other


def test_without_chance_there_is_one_run():
    assert list(make_jobs([row(chance=False)], seeds=5)[0].tasks) == [0]


def test_parts_alone(results, plan):
    job = make_jobs([CATALOGUE["first-steps-5"]], scale="quick", seeds=1, mode="as-written", source="digits")
    path = row_path(results, "first-steps-5", "as-written", "quick")
    missing = run_jobs(job, results, stages=["query"], say=str)
    assert missing == ["first-steps-5 (as-written): not all of its tasks are done; run it with --part train first"]
    assert run_jobs(job, results, stages=["train"], say=str) == []
    assert not path.exists() and all(finished(t, results) for t in job[0].tasks[0].values())
    failed = run_jobs(job, results, stages=["result"], say=str)
    assert "run it with --part query first" in failed[0]
    assert run_jobs(job, results, stages=["query"], say=str) == []
    assert read_row(path).pictures == []
    assert run_jobs(job, results, stages=["result"], say=str) == []
    (picture,) = read_row(path).pictures
    assert (path.parent / picture).read_bytes()[:4] == b"\x89PNG"


def test_a_lost_picture_is_drawn_again(results):
    job = make_jobs([CATALOGUE["neuron-curves"]], scale="quick", seeds=1, source="digits")
    run_jobs(job, results, say=str)
    picture = next((results / "rows" / "quick").glob("*.png"))
    picture.unlink()
    run_jobs(job, results, say=str)
    assert picture.is_file()


def test_figures_are_taken_anew_when_their_meaning_changed(results):
    run_jobs(make_jobs([row()], seeds=1), results, say=str)
    path = row_path(results, "row", "as-written", "default")
    table = json.loads(path.read_text())
    table["results"]["0"]["figures"]["one/test"] = 1.0
    path.write_text(json.dumps(table))
    run_jobs(make_jobs([row()], seeds=1), results, say=str)
    assert read_row(path).results["0"].figures["one/test"] == 1.0  # the same tasks, the same figures
    run_jobs(make_jobs([row(revision=2)], seeds=1), results, say=str)
    assert read_row(path).results["0"].figures["one/test"] == 90.0


@pytest.mark.parametrize("wrong", [{"scale": "huge"}, {"seeds": 0}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        make_jobs([row()], **wrong)


def test_a_row_without_figures_says_done():
    assert headline(CATALOGUE["surfaces"], None) == "done"


def test_curves_of_nothing_are_no_picture(plan):
    assert accuracy_curves([Result()], plan) == {}


@pytest.mark.slow
def test_what_runs_beside_others_has_its_share_of_the_cores(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("digitlab.engine.threads.available_cores", lambda: 6)
    monkeypatch.delenv("DIGITLAB_THREADS", raising=False)
    monkeypatch.setattr(runner, "carry_out", lambda *_: seen.append(kernel_threads()))
    assert runner._attempt_beside(2, None, tmp_path) == ""
    assert seen == [3]


def test_several_processes_give_what_one_gives(results, tmp_path):
    job = make_jobs([CATALOGUE["rashid-mnist"]], scale="quick", seeds=2, source="digits")
    assert run_jobs(job, results, processes=2, say=str) == []
    assert run_jobs(job, tmp_path / "alone", processes=1, say=str) == []
    for mode in ("as-written", "corrected"):
        pair = [read_row(row_path(place, "rashid-mnist", mode, "quick")) for place in (results, tmp_path / "alone")]
        figures = [
            [{k: v for k, v in r.figures.items() if not k.endswith("seconds")} for r in p.results.values()]
            for p in pair
        ]
        assert figures[0] == figures[1]
