"""Running experiments: what is done is kept, parts alone, failures that stop nothing else, several processes."""

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
from digitlab.books.results import read_result, result_path
from digitlab.books.runner import execute
from digitlab.books.schedule import schedule
from digitlab.books.store import finished
from digitlab.books.task import Computation
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


def experiment(name="row", function=measured, modes=("as-written",), draw=nothing, **more):
    def tasks(variant):
        return {
            "one": (Counted if function is measured else Computation)(
                title=f"{name} {variant.seed}", function=function, given={"seed": variant.seed, "m": variant.mode}
            )
        }

    def query(task_results, variant):
        return Result({"one/test": task_results["one"].result["value"]})

    reported = (Reported("one/test", 91.5),)
    return Experiment(name, tasks, query, draw, reported=reported, modes=modes, **more)


def test_experiments_run_and_are_not_run_again(results):
    asked.clear()
    said = []
    assert execute(schedule([experiment()]), results, log=said.append) == []
    assert asked == [0, 1, 2]
    assert "row: one/test 91.00 ± 1.00 % (n = 3) (book 91.50 %, test)" in said[-1]
    found = read_result(result_path(results, "row", "as-written", "default"))
    assert [r.figures["one/test"] for r in found.results.values()] == [90.0, 91.0, 92.0]
    assert execute(schedule([experiment()]), results, log=said.append) == []
    assert asked == [0, 1, 2]
    assert execute(schedule([experiment()], seeds=4), results, log=said.append) == []
    assert asked == [0, 1, 2, 3]


def test_figures_of_a_seed_are_enough_without_its_tasks(results):
    asked.clear()
    execute(schedule([experiment()], seeds=2), results, log=str)
    shutil.rmtree(results / "tasks")
    said = []
    assert execute(schedule([experiment()], seeds=3), results, log=said.append) == []
    assert asked == [0, 1, 2] and said[0] == "figures of 2 seeds are already stored"
    path = result_path(results, "row", "as-written", "default")
    assert [r.figures["one/test"] for r in read_result(path).results.values()] == [90.0, 91.0, 92.0]
    assert execute(schedule([experiment()], seeds=1), results, log=said.append) == []
    assert list(read_result(path).results) == ["0", "1", "2"], "seeds that were not asked for stay"


def test_seeds_of_quick_runs_stay_too(results):
    execute(schedule([experiment()], scale="quick", seeds=2, source="digits"), results, log=str)
    execute(schedule([experiment(draw=lambda *_: {})], scale="quick", seeds=1, source="digits"), results, log=str)
    assert list(read_result(result_path(results, "row", "as-written", "quick")).results) == ["0", "1"]


def test_a_task_that_seeds_share_is_one_run(results):
    def tasks(variant):
        return {"one": Computation(title="shared", function=slow, given={})}

    shared = experiment()
    shared = dataclasses.replace(shared, tasks=tasks)
    assert execute(schedule([shared], seeds=3), results, log=str) == []
    found = read_result(result_path(results, "row", "as-written", "default"))
    assert list(found.seconds.values())[1:] == [0.0, 0.0] and found.seconds["0"] > 0
    assert headline(shared, found).startswith("one/test 90.00 % (n = 1)")


def test_figures_of_other_settings_are_not_kept(results):
    asked.clear()
    execute(schedule([experiment()], seeds=2), results, log=str)
    path = result_path(results, "row", "as-written", "default")
    table = json.loads(path.read_text())
    table["keys"]["1"]["one"] = "another"
    path.write_text(json.dumps(table))
    shutil.rmtree(results / "tasks")
    execute(schedule([experiment()], seeds=2), results, log=str)
    assert asked == [0, 1, 1]
    table["revision"] += 1
    path.write_text(json.dumps(table))
    shutil.rmtree(results / "tasks")
    execute(schedule([experiment()], seeds=1), results, log=str)
    assert asked == [0, 1, 1, 0]


def test_two_experiments_share_a_task(results):
    asked.clear()
    execute(schedule([experiment("a"), experiment("b")], seeds=1), results, log=str)
    assert asked == [0]
    assert result_path(results, "a", "as-written", "default").is_file()
    assert result_path(results, "b", "as-written", "default").is_file()


def test_a_failure_stops_nothing_else_and_is_reported(results):
    said = []
    failures = execute(schedule([experiment("bad", broken), experiment("good")], seeds=2), results, log=said.append)
    assert failures == ["bad 0: no such thing; get one", "bad 1: no such thing; get one"]
    assert result_path(results, "good", "as-written", "default").is_file()
    assert not result_path(results, "bad", "as-written", "default").exists()


def test_modes_are_files_of_their_own(results):
    both = experiment("two", modes=("as-written", "corrected"))
    execute(schedule([both], seeds=1), results, log=str)
    assert {path.name for path in (results / "rows" / "default").glob("*.json")} == {
        "two.as-written.json",
        "two.corrected.json",
    }
    assert [run.variant.mode for run in schedule([both], mode="corrected")] == ["corrected"]
    assert [run.variant.mode for run in schedule([experiment()], mode="corrected")] == ["as-written"]  # it has no other


def test_without_chance_there_is_one_run():
    assert list(schedule([experiment(seeded=False)], seeds=5)[0].tasks) == [0]


@pytest.mark.slow
def test_parts_alone(results, variant):
    run = schedule([CATALOGUE["first-steps-5"]], scale="quick", seeds=1, mode="as-written", source="digits")
    path = result_path(results, "first-steps-5", "as-written", "quick")
    missing = execute(run, results, stages=["query"], log=str)
    assert missing == ["first-steps-5 (as-written): not all of its tasks are done; run it with --part train first"]
    assert execute(run, results, stages=["train"], log=str) == []
    assert not path.exists() and all(finished(t, results) for t in run[0].tasks[0].values())
    failed = execute(run, results, stages=["result"], log=str)
    assert "run it with --part query first" in failed[0]
    assert execute(run, results, stages=["query"], log=str) == []
    assert read_result(path).pictures == []
    assert execute(run, results, stages=["result"], log=str) == []
    (picture,) = read_result(path).pictures
    assert (path.parent / picture).read_bytes()[:4] == b"\x89PNG"


def test_figures_that_cannot_be_drawn_say_what_to_run(results):
    def drawn(*, seeds=1, **changes):
        runs = schedule([experiment(**changes)], seeds=seeds, source="digits")
        return execute(runs, results, stages=["result"], log=str)

    execute(schedule([experiment()], source="digits", seeds=1), results, log=str)
    shutil.rmtree(results / "tasks")
    assert drawn() == []
    again = "run it without --part to compute them"
    other = f"its stored figures are of other settings than those of this version; {again} again"
    assert drawn(revision=7) == [f"row: {other}"]
    assert drawn(seeds=3) == [f"row: figures of 2 of 3 seeds are missing; {again}"]
    path = result_path(results, "row", "as-written", "default")
    table = json.loads(path.read_text())
    table["code"]["0"]["numerics"] = "0123456789ab"
    path.write_text(json.dumps(table))
    by_other = f"its stored figures were computed by other code; --keep-old draws those, or {again} again"
    assert drawn() == [f"row: {by_other}"]


@pytest.mark.slow
def test_a_lost_picture_is_drawn_again(results):
    run = schedule([CATALOGUE["neuron-curves"]], scale="quick", seeds=1, source="digits")
    execute(run, results, log=str)
    picture = next((results / "rows" / "quick").glob("*.png"))
    picture.unlink()
    execute(run, results, log=str)
    assert picture.is_file()


def test_figures_are_computed_again_when_their_meaning_changed(results):
    execute(schedule([experiment()], seeds=1), results, log=str)
    path = result_path(results, "row", "as-written", "default")
    table = json.loads(path.read_text())
    table["results"]["0"]["figures"]["one/test"] = 1.0
    path.write_text(json.dumps(table))
    execute(schedule([experiment()], seeds=1), results, log=str)
    assert read_result(path).results["0"].figures["one/test"] == 1.0  # the same tasks, the same figures
    execute(schedule([experiment(revision=2)], seeds=1), results, log=str)
    assert read_result(path).results["0"].figures["one/test"] == 90.0


@pytest.mark.parametrize("wrong", [{"scale": "huge"}, {"seeds": 0}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        schedule([experiment()], **wrong)


def test_an_experiment_without_figures_says_done():
    assert headline(CATALOGUE["surfaces"], None) == "done"


def test_curves_of_nothing_are_no_picture(variant):
    assert accuracy_curves([Result()], variant) == {}


@pytest.mark.slow
def test_what_runs_beside_others_has_its_share_of_the_cores(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("digitlab.engine.threads.available_cores", lambda: 6)
    monkeypatch.delenv("DIGITLAB_THREADS", raising=False)
    monkeypatch.setattr(runner, "carry_out", lambda *_: seen.append(kernel_threads()))
    assert runner._attempt_in_process(2, None, tmp_path) == ""
    assert seen == [3]


@pytest.mark.slow
def test_several_processes_give_what_one_gives(results, tmp_path):
    run = schedule([CATALOGUE["rashid-mnist"]], scale="quick", seeds=2, source="digits")
    assert execute(run, results, processes=2, log=str) == []
    assert execute(run, tmp_path / "alone", processes=1, log=str) == []
    for mode in ("as-written", "corrected"):
        pair = [
            read_result(result_path(place, "rashid-mnist", mode, "quick")) for place in (results, tmp_path / "alone")
        ]
        figures = [
            [{k: v for k, v in r.figures.items() if not k.endswith("seconds")} for r in p.results.values()]
            for p in pair
        ]
        assert figures[0] == figures[1]
