"""Averages of weights: by hand, against PyTorch, and over an interruption."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError
from digitlab.nn import BatchNorm, Dense, Dropout, Network, ReLU, describe_network
from digitlab.nn.describe import build
from digitlab.optim import SGD
from digitlab.train import (
    Averaging,
    Callback,
    ExponentialMovingAverage,
    NoAveraging,
    RunConfig,
    StochasticWeightAveraging,
    Trainer,
    evaluate,
    load_checkpoint,
    save_checkpoint,
)
from digitlab.train.averaging import measure_batch_norm

from .helpers import TRAIN, VALID, network, values


class Recorder(Callback):
    """Copies of the parameters whenever they can be seen."""

    def __init__(self):
        self.epochs, self.batches = [], []

    def on_epoch_end(self, trainer, row):
        self.epochs.append(values(trainer.network))

    def on_batches(self, trainer, done, total):
        self.batches.append(values(trainer.network))


def trained(averaging, net=None, epochs=8, **settings):
    recorder = Recorder()
    trainer = Trainer(
        net or network(), SGD(2.0), engine="reference", callbacks=[averaging, recorder], keep="last", **settings
    )
    history = trainer.fit(TRAIN, VALID, epochs=epochs)
    return trainer, history, recorder


@pytest.mark.parametrize(("start", "last"), [(0.75, 2), (0.5, 4), (0.0, 8)])
def test_swa_is_the_mean_of_the_last_epochs(start, last):
    trainer, history, seen = trained(StochasticWeightAveraging(start))
    for name, array in trainer.network.state().items():
        assert_allclose(array, np.mean([w[name] for w in seen.epochs[-last:]], axis=0), rtol=1e-5, atol=1e-6)
    assert ["average_valid_loss" in row for row in history] == [False] * (8 - last) + [True] * last
    assert history[-1]["average_valid_accuracy"] == evaluate(trainer.network, *VALID).accuracy


def test_ema_by_hand():
    averaging = ExponentialMovingAverage(0.5)
    trainer = Trainer(Network([Dense(1, biases=None)], 1), SGD(1.0))
    got = []
    for weight in (1.0, 3.0, 7.0):
        trainer.network.layers[0].params["W"].value = np.array([[weight]], np.float32)
        averaging.on_batches(trainer, 1, 1)
        got.append(float(averaging.average["0.W"][0, 0]))
    assert got == [1, 2, 4.5]


def test_ema_reaches_back_as_far_as_its_decay_says():
    trainer, _, seen = trained(ExponentialMovingAverage(0.9))
    for name, array in trainer.network.state().items():
        average = seen.batches[0][name].astype(float)
        for n, weights in enumerate(seen.batches[1:], 1):
            share = max(0.1, 1 / (n + 1))
            average = (1 - share) * average + share * weights[name]
        assert_allclose(array, average, rtol=1e-5, atol=1e-6)


def test_weights_agree_with_pytorch():
    torch = pytest.importorskip("torch")
    swa_utils = torch.optim.swa_utils
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(6, 2, 3)).astype(np.float32)
    model = torch.nn.Linear(2, 3, bias=False)
    theirs = {
        StochasticWeightAveraging(0.0): swa_utils.AveragedModel(model),
        # From the first weights on with a constant decay; ours is a mean until 1/(1 − β) weights are there.
        ExponentialMovingAverage(0.5): swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5)),
    }
    trainer = Trainer(Network([Dense(3, biases=None)], 2), SGD(1.0))
    trainer.epochs = 6
    for epoch, step in enumerate(steps, 1):
        trainer.network.layers[0].params["W"].value = step
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(step.T.copy()))
        for ours, averaged in theirs.items():
            averaged.update_parameters(model)
            if isinstance(ours, StochasticWeightAveraging):
                ours.on_epoch_end(trainer, {"epoch": epoch})
            else:
                ours.on_batches(trainer, 1, 1)
            assert_allclose(ours.average["0.W"], averaged.module.weight.detach().numpy().T, rtol=1e-5)


def test_swa_with_a_goal_that_is_raised():
    """The last part of all epochs counts, not that of the first goal as well."""
    straight, _, _ = trained(StochasticWeightAveraging(0.5), epochs=12)
    raised, _, _ = trained(StochasticWeightAveraging(0.5), epochs=4)
    raised.fit(TRAIN, VALID, epochs=12)
    for name, array in straight.network.state().items():
        assert_array_equal(raised.network.state()[name], array)


def normalized():
    return Network([Dense(5), BatchNorm(), ReLU(), Dropout(0.2), Dense(3)], 6)


def test_batch_norm_is_measured_again_for_the_average():
    trainer, _, _ = trained(StochasticWeightAveraging(), normalized())
    x = np.asarray(TRAIN[0])
    hidden = x @ trainer.network.layers[0].params["W"].value + trainer.network.layers[0].params["b"].value
    norm = trainer.network.layers[1]
    assert_allclose(norm.buffers["running_mean"], hidden.mean(axis=0), rtol=1e-4, atol=1e-5)  # 53 examples: one batch
    assert_allclose(norm.buffers["running_var"], hidden.var(axis=0, ddof=1), rtol=1e-4)
    assert norm.momentum == 0.1, "put back"


@pytest.mark.parametrize("batch_size", [7, 10, 26, 52, 53, 99])
def test_measuring_agrees_with_pytorch(batch_size):
    torch = pytest.importorskip("torch")
    net, x = Network([BatchNorm(), Dense(3)], 6), np.asarray(TRAIN[0])
    measure_batch_norm(net, x, batch_size)
    model = torch.nn.BatchNorm1d(6)
    starts = list(range(0, len(x) - 1, batch_size))
    batches = [torch.from_numpy(x[s : s + batch_size if s != starts[-1] else len(x)]) for s in starts]
    torch.optim.swa_utils.update_bn(batches, model)
    for name in ("running_mean", "running_var"):
        assert_allclose(net.layers[0].buffers[name], getattr(model, name).numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("averaging", [StochasticWeightAveraging(0.3), ExponentialMovingAverage(0.9)])
@pytest.mark.parametrize("make", [network, normalized])
@pytest.mark.parametrize("keep", ["best", "last"])
def test_resumed_equals_never_stopped(averaging, make, keep, tmp_path):
    config = RunConfig(
        describe_network(make()), optimizer=SGD(0.5), averaging=averaging, epochs=6, keep=keep, engine="reference"
    )
    whole = config.trainer()
    whole.fit(TRAIN, VALID, epochs=6)
    for stop in (1, 3, 5):

        class Stop(Callback):
            def on_epoch_end(self, trainer, row, stop=stop):
                save_checkpoint(trainer, tmp_path / "c.safetensors")
                if row["epoch"] == stop:
                    raise KeyboardInterrupt

        config.trainer([Stop()]).fit(TRAIN, VALID, epochs=6)
        resumed = config.trainer()
        load_checkpoint(resumed, tmp_path / "c.safetensors")
        resumed.fit(TRAIN, VALID, epochs=6)
        for name, array in whole.network.state().items():
            assert_array_equal(array, resumed.network.state()[name])


def test_going_on_goes_on_from_the_weights_and_not_from_the_average():
    trainer, _, _ = trained(ExponentialMovingAverage(0.9), epochs=3)
    trainer.fit(TRAIN, VALID, epochs=5)
    whole, _, _ = trained(ExponentialMovingAverage(0.9), epochs=5)
    for name, array in whole.network.state().items():
        assert_array_equal(array, trainer.network.state()[name])


def test_settings():
    config = RunConfig(describe_network(network()), averaging=StochasticWeightAveraging(0.5))
    assert RunConfig.from_table(config.table()) == config
    assert RunConfig.from_table({**config.table(), "averaging": "ema"}).averaging == ExponentialMovingAverage()
    assert RunConfig(describe_network(network())) == RunConfig(describe_network(network()))
    assert isinstance(build(Averaging, "none"), NoAveraging)
    assert config.trainer().callbacks[0] is not config.averaging, "each training has its own"
    assert hash(config.averaging) == hash(dataclasses.replace(config).averaging)


@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        ("swa", {"start": 1.0}, "got start 1.0"),
        ("ema", {"decay": 1.0}, "got decay 1.0"),
        ("ema", {"decay": -0.1}, "decay"),
    ],
)
def test_settings_that_cannot_be(name, setting, message):
    with pytest.raises(ConfigError, match=message):
        build(Averaging, {"type": name, **setting})


def test_what_the_readable_engine_says_does_not_depend_on_what_is_compiled(monkeypatch):
    """Figures of a training are its engine's own, average and all, whatever kernels there are."""
    monkeypatch.setattr("digitlab.train.evaluation.make_predictor", lambda *_, **__: pytest.fail("kernels asked for"))
    monkeypatch.setattr("digitlab.train.trainer.make_predictor", lambda *_, **__: pytest.fail("kernels asked for"))
    _, history, _ = trained(ExponentialMovingAverage())
    assert "average_valid_loss" in history[-1] and "valid_loss" in history[-1]
