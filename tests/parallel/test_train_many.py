"""Many networks side by side: the same bits for every engine and number of processes; folders can be resumed."""

import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import digitlab
from digitlab.data import load, write_npz
from digitlab.engine.threads import kernel_threads
from digitlab.errors import ConfigError, DigitlabError, ModelFileError
from digitlab.nn import describe_network, load_network, mlp
from digitlab.notices import TrainingWarning
from digitlab.optim import Cosine
from digitlab.parallel import TrainingJob, open_pool, run_job, train_many
from digitlab.parallel.job import sets_for, worker_name
from digitlab.parallel.pool import ProcessPool, ThreadPool
from digitlab.parallel.run_folders import DONE, settings_in
from digitlab.parallel.select import why_not_threads
from digitlab.train import History, Trainer

from .helpers import Heard, config, weights

CONFIGS = [config(seed, rate) for rate in (0.5, 3.0) for seed in (0, 1)]


@pytest.fixture(scope="module")
def one_after_another():
    return train_many(CONFIGS, workers=1, test=True)


def test_each_is_what_a_trainer_alone_gives(one_after_another):
    sets = load("digits", train_size=200)
    for setting, outcome in zip(CONFIGS, one_after_another.outcomes, strict=True):
        trainer = setting.trainer()
        trainer.fit(sets.train, sets.valid, epochs=setting.epochs)
        assert {n: np.asarray(a).tobytes() for n, a in trainer.network.state().items()} == weights(outcome)
        assert (
            outcome.best_row["valid_accuracy"] == max(outcome.rows, key=lambda r: r["valid_accuracy"])["valid_accuracy"]
        )


def assert_same(a, b):
    for x, y in zip(a.outcomes, b.outcomes, strict=True):
        assert weights(x) == weights(y)
        assert (x.config, x.best_epoch, x.test) == (y.config, y.best_epoch, y.test)


@pytest.mark.parametrize("workers", [2, 3])
def test_threads_change_nothing(one_after_another, workers):
    fast = [dataclasses.replace(c, engine="fast") for c in CONFIGS]
    try:
        together = train_many(fast, workers=workers, test=True)
    except DigitlabError as error:
        pytest.skip(str(error))
    assert "threads" in together.reason
    alone = train_many(fast, workers=1, test=True)
    assert_same(together, alone)


@pytest.mark.slow
def test_processes_change_nothing(one_after_another):
    heard = Heard()
    together = train_many(CONFIGS, workers=2, test=True, watcher=heard)
    assert together.reason.startswith("2 processes: ")
    assert_same(together, one_after_another)
    assert worker_name() not in {o.worker for o in together.outcomes}, "other processes than this one"
    assert sorted((e["name"], e["row"]["epoch"]) for e in heard.events) == sorted(
        (o.name, epoch) for o in together.outcomes for epoch in (1, 2)
    )
    assert heard.calls == ["began", "ended"]


@pytest.mark.slow
def test_data_that_is_given_is_used_by_processes_and_by_any_executor():
    sets = load("digits", train_size=50)
    settings = [dataclasses.replace(c, data={"source": "nowhere"}) for c in CONFIGS[:2]]
    here = train_many(settings, data=sets, workers=1)
    assert here.good, here.outcomes[0].error
    assert_same(train_many(settings, data=sets, workers=2), here)
    with ThreadPoolExecutor(2) as executor:
        given = train_many(settings, data=sets, executor=executor)
    assert_same(given, here)
    assert "ThreadPoolExecutor" in given.reason


def test_images_of_another_source_are_mixed_in_as_load_does(tmp_path):
    own = load("digits", train_size=30)
    write_npz(tmp_path / "own.npz", own.train, own.test)
    data = {"source": str(tmp_path / "own.npz"), "mix": "digits", "train_size": 20, "seed": 3}
    setting = dataclasses.replace(CONFIGS[0], data=data)
    (outcome,) = train_many([setting], workers=1).outcomes
    assert outcome.error is None
    trainer, mixed = setting.trainer(), load(**data)
    assert len(mixed.train) == 20 + 200
    trainer.fit(mixed.train, mixed.valid, epochs=setting.epochs)
    assert {n: np.asarray(a).tobytes() for n, a in trainer.network.state().items()} == weights(outcome)
    assert len(sets_for({**data, "source": "nowhere"}, own).train) == 20 + 200, "mixed into sets that are given, too"


@pytest.mark.filterwarnings("ignore:.*trainings went badly")
def test_a_setting_of_the_data_that_is_none():
    (outcome,) = train_many([config(data={"train_sise": 5})], workers=1).outcomes
    assert outcome.error.startswith("data: there is no setting 'train_sise' (did you mean 'train_size'?); there are:")


@pytest.mark.slow
def test_a_watcher_that_fails_ends_the_training_with_its_error():
    class Broken(Heard):
        def epoch(self, event):
            raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        train_many(CONFIGS, workers=2, watcher=Broken())


def test_what_fits_is_chosen():
    assert why_not_threads(CONFIGS[:1]) is not None
    pools = []
    try:
        pools.append(open_pool(CONFIGS, workers=2))
        assert isinstance(pools[-1], ProcessPool)
        pools.append(open_pool(CONFIGS, workers=1))
        assert isinstance(pools[-1], ThreadPool)
        assert pools[-1].reason.startswith("one after another")
        pools.append(open_pool(CONFIGS[:1], workers=7))
        assert pools[-1].workers == 1, "no more workers than trainings"
    finally:
        for pool in pools:
            pool.close()


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.delenv("DIGITLAB_THREADS", raising=False)
    monkeypatch.setattr("digitlab.engine.threads.available_cores", lambda: 6)
    pool = ThreadPool(3, "", None, None)
    try:
        assert kernel_threads() == 2
    finally:
        pool.close()
    assert kernel_threads() == 6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "workers: got 0"),
        ({"names": ["a"]}, "got 1 names for 4 settings"),
        ({"executor": object(), "cluster": "local"}, "an executor and a cluster"),
        ({"cluster": "nonsense"}, "expected tcp://HOST:PORT"),
    ],
)
def test_what_cannot_be_asked(settings, message):
    if "cluster" in settings:
        pytest.importorskip("distributed")
    with pytest.raises(ConfigError, match=message):
        train_many(CONFIGS, **settings)


def test_nothing_to_train():
    with pytest.raises(ConfigError, match="got no settings"):
        train_many([])
    for configs in (3, [3]):
        with pytest.raises(ConfigError, match="got 3, expected a list of RunConfig"):
            train_many(configs)


def test_invalid_settings_are_reported_before_anything_is_trained(tmp_path):
    with pytest.raises(ConfigError, match="batch_size: got 0, expected a whole number of at least 1"):
        dataclasses.replace(CONFIGS[0], batch_size=0)
    broken = dataclasses.replace(CONFIGS[0], augment="turn")
    with pytest.raises(ConfigError, match="turn"):
        train_many([CONFIGS[0], broken], folder=tmp_path)
    assert not list(tmp_path.rglob("network.safetensors"))


@pytest.mark.filterwarnings("ignore:.*trainings went badly")
def test_one_that_fails_does_not_stop_the_others(tmp_path):
    table = describe_network(mlp([64, 8, 10], loss="mean-squared-error"))
    wild = dataclasses.replace(config(rate=1e30), network=table)
    together = train_many([CONFIGS[0], wild, CONFIGS[1]], workers=1, folder=tmp_path)
    assert [bool(o.error) for o in together.outcomes] == [False, True, False]
    assert "no longer finite" in together.outcomes[1].error
    assert len(together.good) == 2
    again = train_many([CONFIGS[0], wild, CONFIGS[1]], workers=1, folder=tmp_path)
    assert again.outcomes[1].error == together.outcomes[1].error, "it would fail again, so it is not tried again"


# Folders


def test_a_folder_holds_runs_like_any_other(tmp_path, one_after_another):
    together = train_many(CONFIGS, workers=1, folder=tmp_path, test=True)
    assert_same(together, one_after_another)
    folders = sorted(path.parent for path in tmp_path.glob("*/config.toml"))
    assert len(folders) == len(CONFIGS)
    for folder, outcome in zip(folders, together.outcomes, strict=True):
        assert History.load(folder / "history.jsonl").rows == outcome.rows
        x = load("digits").test.images
        np.testing.assert_array_equal(
            load_network(folder / "network.safetensors").predict(x), outcome.network().predict(x)
        )
    assert [c for _, c in settings_in(tmp_path)] == CONFIGS
    assert (tmp_path / "results.csv").read_text() == together.csv()


def test_finished_ones_are_kept_and_not_trained_again(tmp_path):
    first = train_many(CONFIGS[:3], workers=1, folder=tmp_path, test=True)
    heard = Heard()
    second = train_many(CONFIGS[:3], workers=1, folder=tmp_path, test=True, watcher=heard)
    assert heard.events == [], "nothing was trained"
    assert_same(first, second)


@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_an_interruption_keeps_what_is_finished_and_can_be_continued(tmp_path, one_after_another, stop_after):
    stopped = train_many(CONFIGS, workers=1, folder=tmp_path, test=True, watcher=Heard(stop_after))
    assert stopped.interrupted
    finished = len(list(tmp_path.rglob(DONE)))
    assert stop_after <= finished <= stop_after + 1
    whole = train_many(CONFIGS, workers=1, folder=tmp_path, test=True)
    assert not whole.interrupted
    assert_same(whole, one_after_another)


def test_a_run_in_its_middle_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr("digitlab.train.steps.LEAST_WORK", 1)  # an epoch is cut often enough to be stopped within
    long = config(epochs=4)
    alone = train_many([long], workers=1)
    stops = iter([False] * 60 + [True] * 1000)
    (tmp_path / "run").mkdir()
    long.save(tmp_path / "run" / "config.toml")
    stopped = run_job(TrainingJob("x", long, folder=str(tmp_path / "run")), stopped=lambda: next(stops))
    assert stopped.interrupted and 0 < len(stopped.rows) < 4
    went_on = run_job(TrainingJob("x", long, folder=str(tmp_path / "run")))
    assert weights(went_on) == weights(alone.outcomes[0])


def test_a_job_in_portions_equals_one_in_a_go():
    whole = dataclasses.replace(config(epochs=6), schedule=Cosine())
    outcome = run_job(TrainingJob("x", whole, stop_after=1))
    assert not outcome.finished and outcome.checkpoint is not None and len(outcome.rows) == 1
    for epoch in (3, 4):
        outcome = run_job(TrainingJob("x", whole, checkpoint=outcome.checkpoint, stop_after=epoch))
        assert len(outcome.rows) == epoch
    outcome = run_job(TrainingJob("x", whole, checkpoint=outcome.checkpoint, test=True))
    assert outcome.finished and outcome.test is not None
    assert weights(outcome) == weights(run_job(TrainingJob("x", whole)))


def test_another_group_is_not_written_over(tmp_path):
    train_many(CONFIGS[:1], names=["a"], workers=1, folder=tmp_path)
    with pytest.raises(ConfigError, match="holds a run with other settings than 'a'"):
        train_many(CONFIGS[1:2], names=["a"], workers=1, folder=tmp_path)


def test_a_damaged_mark_is_named(tmp_path):
    train_many(CONFIGS[:1], names=["a"], workers=1, folder=tmp_path)
    (tmp_path / "a" / DONE).write_text("{")
    with pytest.raises(ModelFileError, match="is damaged"):
        train_many(CONFIGS[:1], names=["a"], workers=1, folder=tmp_path)


def test_networks_and_statistics(one_after_another):
    assert len(one_after_another.networks()) == 4
    assert set(one_after_another.settings()) == {"learning_rate=0.5", "learning_rate=3.0"}
    assert one_after_another.statistics("test_accuracy").n == 4
    assert digitlab.train_many is train_many
    assert isinstance(one_after_another.outcomes[0].config.trainer(), Trainer)


def test_networks_that_learned_nothing_are_warned_of_without_a_watcher():
    wild = dataclasses.replace(config(rate=1e30), network=describe_network(mlp([64, 10], loss="mse")))
    with pytest.warns(TrainingWarning, match=r"1 of 1 trainings went badly, first .*no longer finite"):
        train_many([wild], workers=1)


@pytest.mark.slow
def test_a_line_for_each_network_and_a_short_answer(capsys):
    together = train_many([config(seed) for seed in (0, 1)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 networks: ")
    assert sorted(line[:3] for line in lines[1:]) == ["1/2", "2/2"]
    assert all("valid_accuracy" in line for line in lines[1:])
    assert re.fullmatch(r"GroupResult: 2 networks, valid_accuracy [\d.]+ % ± [\d.]+", repr(together))
    assert re.fullmatch(r"TrainingResult\('seed=0': \d+ epochs?\)", repr(together.outcomes[0]))
    train_many([config(0)], verbose=0)
    assert capsys.readouterr().out == ""
