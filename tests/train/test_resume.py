"""Interrupted after any epoch and resumed equals never interrupted, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitlab.errors import ConfigError, DigitlabError
from digitlab.nn import BatchNorm, Dense, Dropout, Network, ReLU, describe_network, freeze, load_network
from digitlab.optim import (
    SGD,
    Adam,
    AdamW,
    Cosine,
    Exponential,
    HalveOnPlateau,
    Momentum,
    Nesterov,
    OneCycle,
    RMSProp,
    StepDecay,
)
from digitlab.optim.regularizers import L1, L2, MaxNorm
from digitlab.train import (
    EarlyStopping,
    History,
    RunConfig,
    TargetReached,
    Trainer,
    load_checkpoint,
    resume_run,
    save_checkpoint,
    start_run,
)

from .helpers import TRAIN, VALID, Ctrl_C, assert_same_arrays, assert_same_state, network, values

EPOCHS = 5


def normalized_network():
    return Network([Dense(5), BatchNorm(), ReLU(), Dropout(0.2), Dense(3)], 6)


def half_frozen():
    net = network(dropout=0.5)
    freeze(net, "0.W", np.s_[:, 1])
    return net


CASES = {
    "sgd": lambda: Trainer(network(), SGD(3.0)),
    "file order, keep last": lambda: Trainer(network(), SGD(3.0), shuffle=False, keep="last"),
    "momentum, one-cycle": lambda: Trainer(network(), Momentum(0.3), schedule=OneCycle()),
    "nesterov, l2, step": lambda: Trainer(
        network(), Nesterov(0.3), regularizers=[L2(0.5)], schedule=StepDecay(every=2)
    ),
    "rmsprop, max-norm": lambda: Trainer(network(), RMSProp(0.01), regularizers=[MaxNorm(0.8)]),
    "adam, dropout, cosine": lambda: Trainer(network(dropout=0.4), Adam(0.02), schedule=Cosine()),
    "adamw, double, frozen": lambda: Trainer(half_frozen(), AdamW(0.05)),
    "halve": lambda: Trainer(network(), SGD(1e-4), schedule=HalveOnPlateau(patience=1)),
    "halve until it stops": lambda: Trainer(network(), SGD(1e-9), schedule=HalveOnPlateau(patience=1, stop_at=4)),
    "early stop": lambda: Trainer(network(), SGD(1e-9), callbacks=[EarlyStopping(2)]),
    "target": lambda: Trainer(network(), SGD(3.0), callbacks=[TargetReached(0.5)]),
    "monitor loss, exponential, l1": lambda: Trainer(
        network(), SGD(2.0), schedule=Exponential(0.7), regularizers=[L1(0.1)], monitor="valid_loss"
    ),
    "batch normalization": lambda: Trainer(normalized_network(), Momentum(0.1), evaluate_train=True),
}


@pytest.mark.parametrize("case", CASES)
def test_a_checkpoint_after_every_epoch(case, tmp_path):
    """Each part is trained by a trainer of its own that knows nothing but the file, as another process would."""
    straight = CASES[case]()
    straight.fit(TRAIN, VALID, epochs=EPOCHS)
    file = tmp_path / "checkpoint.safetensors"
    for last in range(1, EPOCHS + 1):
        part = CASES[case]()
        if last > 1:
            load_checkpoint(part, file)
        # The plan is the same throughout: a schedule over all epochs must not see a shorter training.
        part.callbacks.append(StopAfter(last))
        part.fit(TRAIN, VALID, epochs=EPOCHS)
        save_checkpoint(part, file)
    if part.stop_reason == "enough":
        part.stop_reason = None
    assert_same_state(part, straight)


class StopAfter(TargetReached):
    """Stops after one epoch, as a person or a power cut would."""

    def on_fit_start(self, trainer):
        pass

    def on_epoch_end(self, trainer, row):
        if row["epoch"] == self.target:
            trainer.stop("enough")


@pytest.mark.parametrize("case", CASES)
def test_saving_and_loading_loses_nothing(case, tmp_path):
    t, again = CASES[case](), CASES[case]()
    t.fit(TRAIN, VALID, epochs=2)
    save_checkpoint(t, tmp_path / "a.safetensors")
    load_checkpoint(again, tmp_path / "a.safetensors")
    save_checkpoint(again, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def config(**choices):
    """A small training on nothing in particular; the sets are handed to `fit` by the test."""
    table = describe_network(choices.pop("network", None) or network())
    return RunConfig(network=table, **{"epochs": EPOCHS, "optimizer": SGD(3.0), **choices})


OPTIMIZERS = [SGD(2.0), Momentum(0.2), Nesterov(0.2), RMSProp(0.01), Adam(0.01), AdamW(0.02, weight_decay=0.1)]
SCHEDULES = [StepDecay(2, 0.3), Exponential(0.8), Cosine(0.1), OneCycle(), HalveOnPlateau(patience=1)]


@st.composite
def configs(draw):
    dropout, loss = draw(st.sampled_from([0.0, 0.3])), draw(st.sampled_from(["quadratic", "softmax"]))
    return config(
        network=network(dropout=dropout, loss=loss),
        optimizer=draw(st.sampled_from(OPTIMIZERS)),
        schedule=draw(st.sampled_from(SCHEDULES)),
        regularizers=tuple(draw(st.lists(st.sampled_from([L1(0.1), L2(0.5), MaxNorm(1.0)]), max_size=2))),
        batch_size=draw(st.integers(1, 60)),
        shuffle=draw(st.booleans()),
        keep=draw(st.sampled_from(["best", "last"])),
        monitor=draw(st.sampled_from(["", "valid_loss"])),
        early_stop=draw(st.integers(0, 3)),
        seed=draw(st.integers(0, 2**32)),
    )


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(configs(), st.integers(1, EPOCHS))
def test_any_settings_interrupted_anywhere_through_run_folders(tmp_path_factory, config, epoch):
    folder = tmp_path_factory.mktemp("runs")
    straight = start_run(config, folder / "straight")
    straight.fit(TRAIN, VALID, epochs=config.epochs)
    start_run(config, folder / "parts", [Ctrl_C(epoch)]).fit(TRAIN, VALID, epochs=config.epochs)  # mid-epoch
    read, resumed = resume_run(folder / "parts")
    assert read == config
    resumed.fit(TRAIN, VALID, epochs=config.epochs)
    assert_same_state(resumed, straight)
    for name in ("network.safetensors", "config.toml"):
        assert (folder / "parts" / name).read_bytes() == (folder / "straight" / name).read_bytes()


def test_what_a_run_folder_holds(tmp_path):
    trainer = start_run(config(), tmp_path / "run")
    history = trainer.fit(TRAIN, VALID, epochs=EPOCHS)
    names = ["checkpoint.safetensors", "config.toml", "ending.json", "history.jsonl", "network.safetensors"]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == names
    assert History.load(tmp_path / "run" / "history.jsonl").rows == history.rows
    assert_same_arrays(values(load_network(tmp_path / "run" / "network.safetensors")), values(trainer.network))
    assert RunConfig.load(tmp_path / "run" / "config.toml") == config()


def test_the_best_network_is_on_disk_before_the_training_ends(tmp_path):
    """What a power cut leaves behind."""
    at_each_epoch = []

    class Look(StopAfter):
        def on_epoch_end(self, trainer, row):
            saved = load_network(tmp_path / "run" / "network.safetensors")
            assert_same_arrays(values(saved), trainer.best.arrays)
            at_each_epoch.append(len(History.load(tmp_path / "run" / "history.jsonl")))

    start_run(config(), tmp_path / "run", [Look(0)]).fit(TRAIN, VALID, epochs=EPOCHS)
    assert at_each_epoch == [1, 2, 3, 4, 5]


def test_killed_between_two_files_of_an_epoch(tmp_path, monkeypatch):
    """The checkpoint is written last: with history and network newer than it, resuming repeats that epoch."""
    straight = start_run(config(), tmp_path / "straight")
    straight.fit(TRAIN, VALID, epochs=EPOCHS)
    broken = start_run(config(), tmp_path / "run")

    def power_cut(trainer, path):
        if len(trainer.history) == 3:
            raise OSError("no space left on device")
        save_checkpoint(trainer, path)

    monkeypatch.setattr("digitlab.train.run.save_checkpoint", power_cut)
    with pytest.raises(OSError, match="no space"):
        broken.fit(TRAIN, VALID, epochs=EPOCHS)
    monkeypatch.undo()
    assert len(History.load(tmp_path / "run" / "history.jsonl")) == 3
    _, resumed = resume_run(tmp_path / "run")
    assert len(resumed.history) == 2
    resumed.fit(TRAIN, VALID, epochs=EPOCHS)
    assert_same_state(resumed, straight)
    assert len(History.load(tmp_path / "run" / "history.jsonl")) == EPOCHS


def test_a_run_stopped_before_its_first_epoch_starts_again(tmp_path):
    straight = start_run(config(), tmp_path / "straight")
    straight.fit(TRAIN, VALID, epochs=EPOCHS)
    start_run(config(), tmp_path / "run", [Ctrl_C(1)]).fit(TRAIN, VALID, epochs=EPOCHS)
    _, resumed = resume_run(tmp_path / "run")
    resumed.fit(TRAIN, VALID, epochs=EPOCHS)
    assert_same_state(resumed, straight)


def test_a_goal_that_is_raised(tmp_path):
    start_run(config(), tmp_path / "run").fit(TRAIN, VALID, epochs=EPOCHS)
    raised, trainer = resume_run(tmp_path / "run", epochs=8)
    assert raised.epochs == 8
    assert RunConfig.load(tmp_path / "run" / "config.toml").epochs == 8
    assert len(trainer.fit(TRAIN, VALID, epochs=raised.epochs)) == 8
    straight = start_run(config(epochs=8), tmp_path / "straight")
    straight.fit(TRAIN, VALID, epochs=8)
    assert_same_state(trainer, straight)


@pytest.mark.parametrize("change", [{"batch_size": 5}, {"optimizer": SGD(0.1)}, {"learning_rate": 0.1}, {"seed": 1}])
def test_what_decided_the_epochs_so_far_cannot_change(tmp_path, change):
    start_run(config(), tmp_path / "run").fit(TRAIN, VALID, epochs=1)
    (name,) = change
    with pytest.raises(ConfigError, match=rf"keeps its {name}; it can change epochs, engine, device.*start="):
        resume_run(tmp_path / "run", **change)


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    first = start_run(config(), tmp_path / "run")
    first.fit(TRAIN, VALID, epochs=EPOCHS)
    _, resumed = resume_run(tmp_path / "run")
    assert len(resumed.fit(TRAIN, VALID, epochs=EPOCHS)) == EPOCHS
    assert_same_arrays(values(resumed.network), values(first.network))


def test_an_early_stop_holds_after_a_resume(tmp_path):
    settings = config(optimizer=SGD(1e-9), early_stop=2)
    first = start_run(settings, tmp_path / "run")
    assert len(first.fit(TRAIN, VALID, epochs=EPOCHS)) == 3
    _, resumed = resume_run(tmp_path / "run")
    assert len(resumed.fit(TRAIN, VALID, epochs=EPOCHS)) == 3
    assert resumed.stop_reason == first.stop_reason


def test_runs_do_not_overwrite_each_other(tmp_path):
    start_run(config(), tmp_path / "run").fit(TRAIN, VALID, epochs=1)
    before = (tmp_path / "run" / "config.toml").read_bytes()
    with pytest.raises(ConfigError, match=r"already holds a run; resume it by resume_run\(folder\), or choose"):
        start_run(config(seed=1), tmp_path / "run")
    assert (tmp_path / "run" / "config.toml").read_bytes() == before


def test_settings_that_cannot_be_leave_no_folder_behind(tmp_path):
    with pytest.raises(ConfigError):
        start_run(config(batch_size=0), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "choices, data",
    [({}, (np.zeros((5, 4)), np.zeros(5, int))), ({"monitor": "beauty"}, TRAIN), ({"engine": "x"}, TRAIN)],
)
def test_a_training_that_cannot_begin_leaves_no_folder_behind(tmp_path, choices, data):
    """Or else the same command, mended, would meet a run that is there already."""
    with pytest.raises(DigitlabError):
        start_run(config(**choices), tmp_path / "run").fit(data, epochs=1)
    assert not (tmp_path / "run").exists()


def test_no_run_to_resume(tmp_path):
    with pytest.raises(ConfigError, match="no run to resume; expected a folder that `digitlab train` has written"):
        resume_run(tmp_path)
