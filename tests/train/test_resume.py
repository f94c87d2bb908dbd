"""Interrupted after any epoch and resumed equals never interrupted, bit for bit."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitlab.errors import ConfigError, DigitlabError, ModelFileError
from digitlab.nn import BatchNorm, Dense, Dropout, Network, ReLU, describe_network, freeze, load_network, mlp
from digitlab.nn.regularizers import L1, L2, MaxNorm
from digitlab.optimizers import (
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

from .helpers import TRAIN, VALID, Ctrl_C, assert_same_arrays, assert_same_state, network, values, without_clock

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
}  # fmt: skip


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
    names = ["checkpoint.safetensors", "config.toml", "history.jsonl", "network.safetensors"]
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

    monkeypatch.setattr("digitlab.train.checkpoint.save_checkpoint", power_cut)
    with pytest.raises(OSError, match="no space"):
        broken.fit(TRAIN, VALID, epochs=EPOCHS)
    monkeypatch.undo()
    assert len(History.load(tmp_path / "run" / "history.jsonl")) == 3
    _, resumed = resume_run(tmp_path / "run")
    assert len(resumed.history) == 2
    resumed.fit(TRAIN, VALID, epochs=EPOCHS)
    assert_same_state(resumed, straight)
    assert len(History.load(tmp_path / "run" / "history.jsonl")) == EPOCHS


def test_a_run_stopped_before_its_first_epoch_begins_anew(tmp_path):
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
    with pytest.raises(ConfigError, match="holds a run already; go on with it by --resume, or choose another folder"):
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
    with pytest.raises(ConfigError, match="no run to resume; expected the folder of an earlier"):
        resume_run(tmp_path)


# Files that cannot be resumed from


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint of two epochs."""
    trainer = Trainer(network(), Momentum(0.3))
    trainer.fit(TRAIN, VALID, epochs=2)
    save_checkpoint(trainer, tmp_path / "checkpoint.safetensors")
    return tmp_path / "checkpoint.safetensors"


def refused(file, trainer=None):
    """The one line with which a file is refused."""
    trainer = trainer or Trainer(network(), Momentum(0.3))
    with pytest.raises(ModelFileError) as raised:
        load_checkpoint(trainer, file)
    message = str(raised.value)
    assert str(file) in message
    assert "\n" not in message
    return message


def test_a_missing_checkpoint(tmp_path):
    assert "no such file" in refused(tmp_path / "checkpoint.safetensors")


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.99])
def test_a_checkpoint_cut_short(checkpoint, share):
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: int(share * len(whole))])
    assert "not a safetensors file" in refused(checkpoint)


def test_a_file_of_another_kind(checkpoint):
    checkpoint.write_text("<!DOCTYPE html><html>not found</html>")
    assert "not a safetensors file" in refused(checkpoint)


def test_a_network_is_no_checkpoint(tmp_path):
    network().save(tmp_path / "network.safetensors")
    assert "is no checkpoint (it lacks 'history')" in refused(tmp_path / "network.safetensors")


@pytest.mark.parametrize(
    "other, words",
    [
        (lambda: mlp([6, 7, 3]), "layers is"),
        (lambda: mlp([6, 5, 3], loss="cross-entropy"), "loss is {'type': 'Quadratic'} there and"),
        (lambda: mlp([6, 5, 3], dtype="float64"), "dtype is 'float32' there and 'float64' here"),
        (lambda: mlp([6, 5, 3], scaling="/256"), "scaling is '/255' there"),
    ],
)
def test_a_checkpoint_of_another_network(checkpoint, other, words):
    message = refused(checkpoint, Trainer(other(), Momentum(0.3)))
    assert "was written for another network" in message
    assert words in message


def test_a_checkpoint_of_a_network_with_other_frozen_parts(checkpoint):
    frozen = network()
    freeze(frozen, "0")
    assert "frozen is None there" in refused(checkpoint, Trainer(frozen, Momentum(0.3)))


def test_a_checkpoint_of_a_frozen_network_for_a_free_one(tmp_path):
    frozen = network()
    freeze(frozen, "0")
    trainer = Trainer(frozen, Momentum(0.3))
    trainer.fit(TRAIN, VALID, epochs=1)
    save_checkpoint(trainer, tmp_path / "c.safetensors")
    assert "was written for another network: frozen" in refused(tmp_path / "c.safetensors")


def test_a_checkpoint_of_another_optimizer(checkpoint):
    trainer = Trainer(network(), Adam())
    message = refused(checkpoint, trainer)
    assert "another optimizer" in message


def rewritten(file, change):
    """The same checkpoint with its metadata changed."""
    from digitlab.nn.files import read_arrays, read_metadata, write_arrays

    metadata, arrays = read_metadata(file), read_arrays(file)
    change(metadata, arrays)
    write_arrays(file, arrays, metadata)


@pytest.mark.parametrize(
    "change",
    [
        lambda m, a: m.update(best={"epoch": 1}),
        lambda m, a: m.update(history=5),
        lambda m, a: m.update(history=[{}]),
        lambda m, a: m.update(optimizer_counts=[]),
        lambda m, a: m.update(optimizer_counts={}),
        lambda m, a: m.update(trainer_rng={"bit_generator": "Dice"}),
        lambda m, a: m.update(trainer_rng=6),
        lambda m, a: m.update(network=7),
        lambda m, a: a.pop("network/0.W"),
        lambda m, a: a.pop("best/0.W"),
        lambda m, a: a.update({"network/0.W": np.zeros((2, 2), np.float32)}),
        lambda m, a: a.pop("optimizer/0.W/velocity"),
        lambda m, a: a.update({"optimizer/0.W/velocity": np.zeros((2, 2), np.float32)}),
    ],
)
def test_a_damaged_checkpoint_is_told_and_changes_nothing(checkpoint, change):
    rewritten(checkpoint, change)
    trainer = Trainer(network(), Momentum(0.3))
    before = values(trainer.network), json.dumps(trainer.rng.bit_generator.state)
    refused(checkpoint, trainer)
    assert len(trainer.history) == 0
    assert trainer.best is None
    assert trainer.optimizer_state is None
    assert_same_arrays(values(trainer.network), before[0])
    assert json.dumps(trainer.rng.bit_generator.state) == before[1]


def test_a_checkpoint_of_a_later_format(checkpoint):
    rewritten(checkpoint, lambda m, a: m.update(format=2))
    assert "written in format 2, this version reads 1; update digitlab" in refused(checkpoint)


def test_a_kill_while_a_checkpoint_is_written_leaves_the_old_one(checkpoint, monkeypatch):
    old, files = checkpoint.read_bytes(), sorted(checkpoint.parent.iterdir())
    trainer = Trainer(network(), Momentum(0.3))
    load_checkpoint(trainer, checkpoint)
    trainer.fit(TRAIN, VALID, epochs=3)

    def half(tensors, path, metadata):
        path.write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr("digitlab.nn.files.save_file", half)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(trainer, checkpoint)
    assert checkpoint.read_bytes() == old
    assert sorted(checkpoint.parent.iterdir()) == files, "nothing may be left lying about"


def test_a_checkpoint_before_any_training(tmp_path):
    save_checkpoint(Trainer(network(), SGD(3.0)), tmp_path / "c.safetensors")
    begun, fresh = (Trainer(network(), SGD(3.0)) for _ in range(2))
    load_checkpoint(begun, tmp_path / "c.safetensors")
    begun.fit(TRAIN, VALID, epochs=2)
    fresh.fit(TRAIN, VALID, epochs=2)
    assert without_clock(begun.history) == without_clock(fresh.history)
    assert_same_state(begun, fresh)
