"""`digitlab search` and `digitlab lr-find`."""

from pathlib import Path

import pytest

from digitlab.optim import SGD
from digitlab.search import Study
from digitlab.train import RunConfig


def small(*options):
    """A search that takes a moment."""
    return [
        "search",
        "--data",
        "digits",
        "--train-size",
        "150",
        "--epochs",
        "1",
        "--net",
        "64-6-10",
        "--workers",
        "1",
        *options,
    ]


def test_a_search_that_cannot_train_leaves_no_folder(call):
    called = call(*small("--device", "cuda"))
    assert called.code == 1 and "engine 'auto' computes on the CPU" in called.err
    assert not Path("searches").exists()


@pytest.mark.slow
def test_a_search(call):
    called = call(
        *small("--space", "learning-rate=log:0.1,10", "--space", "width=int:4,8", "--trials", "5", "--repeats", "2")
    )
    assert called.code == 0, called.err
    folder = Path("searches/001-64-6-10-tpe")
    assert {p.name for p in folder.iterdir()} >= {
        "study.journal",
        "trials.csv",
        "history.png",
        "slices.png",
        "parallel.png",
        "importance.png",
        "best",
    }
    assert "the test set is used after the search" in called.out
    assert "test set, used once, after the search; networks of trial" in called.out and "n = 2" in called.out
    assert called.out.count("best so far") >= 1 and "5/5" in called.out
    again = call("train", "--from-file", str(folder / "best" / "config.toml"))
    assert again.code == 0, again.err
    best = Study(folder).best()
    assert f"after 1 epoch: {100 * best.values[0]:.2f} %" in again.out, "the best settings give what the search said"
    tested = call("test", str(folder / "best"), "--data", "digits")
    assert tested.code == 0


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("grid", "random", "cma-es", "genetic")]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["log-scale", *SLOW])
def test_strategies(call, strategy):
    called = call(
        *small(
            "--space",
            "learning-rate=log:0.1,10",
            "--strategy",
            strategy,
            "--trials",
            "4",
            "--points",
            "3",
            "--population",
            "4",
            "--no-test",
        )
    )
    assert called.code == 0, called.err
    if strategy == "log-scale":
        assert "learning-rate, powers of ten: 0.1:" in called.out
    if strategy == "genetic":
        assert "population 4" in called.out and Path("searches/001-64-6-10-genetic/generations.png").exists()
    assert "test set, used" not in called.out


@pytest.mark.slow
def test_resume_watch_and_report(call):
    assert call(*small("--space", "l2=log:0.1,1", "--strategy", "random", "--trials", "2", "--study", "s")).code == 0
    refused = call(*small("--space", "l2=log:0.1,1", "--study", "s"))
    assert refused.code == 2 and "already holds a search" in refused.err
    more = call("search", "--resume", "--study", "s", "--trials", "4")
    assert more.code == 0 and "continuing after 2 finished trials" in more.out and "4/4" in more.out
    watched = call("search", "--watch", "s")
    assert watched.code == 0 and watched.out.count("trial ") == 4
    report = call("search", "--report", "s")
    assert report.code == 0 and "4 done" in report.out


@pytest.mark.slow
def test_a_plan_in_a_file(call):
    Path("plan.toml").write_text("""
strategy = "grid"
points = 2
[settings]
net = "64-6-10"
epochs = 1
data = "digits"
train-size = 150
[space.learning-rate]
log = [0.1, 10]
[space.layers]
integer = [1, 2]
[space.width-2]
integer = [4, 8]
when = { layers = [2] }
""")
    called = call("search", "--plan", "plan.toml", "--workers", "1")
    assert called.code == 0, called.err
    points = [t.point for t in Study("searches/001-64-6-10-grid").trials()]
    assert len(points) == 6 and {"learning_rate": 10.0, "layers": 2, "width_2": 8} in points


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--space", "nonsense=1,2"], "which is not a setting; there are: learning-rate, "),
        (["--space", "learning-rate"], "expected NAME=log:LOW,HIGH"),
        (["--space", "learning-rate=log:1"], "learning-rate: got log:1, expected two numbers, as in log:1,100"),
        (["--strategy", "magic"], "is not one of 'grid', 'log-scale'"),
        (["--split", "60k/10k"], "this split has none"),
        (["--plan", "nothing.toml"], "no such file"),
    ],
)
def test_what_cannot_be_searched(call, options, message):
    called = call("search", "--data", "digits", "--epochs", "1", *options)
    assert called.code in (1, 2) and message in called.err and called.err.count("\n") == 1
    assert not Path("searches").exists()


@pytest.mark.parametrize("options", [["--resume"], ["--watch", "s"], ["--report", "s"], ["--resume", "--study", "s"]])
def test_no_study_there(call, options):
    called = call("search", *options)
    assert called.code == 1 and "no s" in called.err.lower() and called.err.count("\n") == 1


def test_resume_keeps_the_settings(call):
    called = call("search", "--resume", "--epochs", "3", "--study", "s")
    assert called.code == 2 and "--epochs cannot change them" in called.err


@pytest.mark.slow
def test_lr_find(call):
    called = call("lr-find", "--data", "digits", "--net", "64-12-10", "--out", "curve.png", "--high", "1000")
    assert called.code == 0, called.err
    assert "suggested learning rate: " in called.out and Path("curve.png").stat().st_size > 1000
    refused = call("lr-find", "--data", "digits", "--low", "1", "--high", "0.1")
    assert refused.code == 1 and "the lower one first" in refused.err


@pytest.mark.slow
def test_log_scale_with_pruning_comes_to_its_end(call):
    """Pruned trials are known, too: else the first sweep would wait for them for ever."""
    called = call(
        "search",
        "--data",
        "digits",
        "--net",
        "64-10",
        "--train-size",
        "200",
        "--epochs",
        "4",
        "--strategy",
        "log-scale",
        "--prune",
        "halving",
        "--workers",
        "1",
        "--no-test",
        "--study",
        "s",
        "--space",
        "learning-rate=log:0.01,10",
        "--space",
        "l2=log:0.01,10",
    )
    assert called.code == 0, called.err
    tried = {line.split(",")[2] for line in Path("s/trials.csv").read_text().splitlines()[1:]}
    assert len(tried) > 1, "λ was searched as well"


def test_a_search_in_which_everything_diverges(fails):
    line = fails(
        1,
        "search",
        "--data",
        "digits",
        "--net",
        "64-10",
        "--loss",
        "cross-entropy",
        "--l2",
        "100000",
        "--epochs",
        "2",
        "--space",
        "learning-rate=10,20",
        "--strategy",
        "grid",
        "--workers",
        "1",
        "--study",
        "s",
    )
    assert "every trial failed" in line


def test_a_plan_with_a_network_keeps_what_it_says_and_options_win(call):
    Path("plan.toml").write_text("""
strategy = "grid"
[settings]
epochs = 9
batch_size = 25
[settings.data]
source = "digits"
train_size = 100
[settings.network]
input_shape = [64]
loss = "cross-entropy"
layers = [{ type = "dense", out_features = 10 }]
[space.l2]
choice = [0, 1]
""")
    called = call("search", "--plan", "plan.toml", "--epochs", "1", "--study", "s", "--workers", "1", "--no-test")
    assert called.code == 0, called.err
    best = RunConfig.load("s/best/config.toml")
    assert (best.epochs, best.batch_size, best.data["train_size"]) == (1, 25, 100)
    assert best.optimizer == SGD(0.5), "the usual rate for this loss"


def test_a_rate_that_was_given_holds_for_every_optimizer(call):
    called = call(
        "search",
        "--data",
        "digits",
        "--train-size",
        "100",
        "--epochs",
        "1",
        "--strategy",
        "grid",
        "--workers",
        "1",
        "--learning-rate",
        "3",
        "--space",
        "optimizer=sgd,adam",
        "--study",
        "s",
        "--no-test",
    )
    assert called.code == 0, called.err
    assert RunConfig.load("s/best/config.toml").optimizer.learning_rate == 3


SEARCH = ("search", "--data", "digits", "--net", "64-10", "--loss", "cross-entropy", "--epochs", "2", "--workers", "1")


@pytest.mark.slow
def test_a_best_value_at_the_end_of_the_range_and_a_wider_search(call):
    done = call(*SEARCH, "--space", "learning-rate=log:1e-6,0.01", "--strategy", "log-scale", "--study", "s")
    assert "warning: the best learning-rate, 0.01, is the highest of the range searched" in done.out
    (following,) = [line for line in done.out.splitlines() if line.startswith("next: digitlab search")]
    assert "--space learning-rate=log:1e-06,1" in following
    assert "warning: trial 4, the best: the loss went from" in done.out
    again = call(*following.removeprefix("next: digitlab ").split(), "--trials", "2", "--workers", "1")
    assert again.code == 0, again.err


def test_a_search_in_which_nothing_learns(call):
    done = call(*SEARCH, "--space", "learning-rate=1e-7,1e-6", "--strategy", "grid", "--study", "s")
    assert "the best: the loss went from" in done.out and "1e-0" in done.out
    assert "next: digitlab train --from-file s/best/config.toml --learning-rate 0.5" in done.out


def test_a_monitor_that_no_trial_has(call):
    Path("plan.toml").write_text('[settings]\nmonitor = "test_accuracy"\n')
    done = call(*SEARCH, "--plan", "plan.toml", "--study", "s")
    assert done.code == 1 and "monitor: got 'test_accuracy'" in done.err
    assert "a search can choose by valid_accuracy, valid_loss, train_loss" in done.err
