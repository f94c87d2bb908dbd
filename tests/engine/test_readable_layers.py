"""Layers without kernels between layers that have them: the same training, predictions, state and errors."""

import traceback
from dataclasses import dataclass

import numpy as np
import pytest

from digitlab.engine import ReferenceEngine, select_engine
from digitlab.engine.fast import FastEngine, Predictor, make_plan
from digitlab.engine.select import make_predictor
from digitlab.errors import ShapeError
from digitlab.nn import activations as act
from digitlab.nn.containers import Branches, Residual
from digitlab.nn.conv import Conv2D
from digitlab.nn.initializers import Normal
from digitlab.nn.io.freezing import freeze
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Layer, Network, Parameter, Sigmoid
from digitlab.nn.pooling import MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD, Adam
from digitlab.optim.regularizers import L1, L2, MaxNorm

from .twins import assert_twins, pixels


@dataclass(eq=False, repr=False)
class Bend(Layer):
    """y = x A + s x², with a matrix that is regularized and a factor that is not: a layer of one's own."""

    def init(self, input_shape, rng, *, dtype="float32"):
        n = input_shape[-1]
        self.params["A"] = Parameter(Normal()((n, n), n, n, rng, dtype) / 4)
        self.params["s"] = Parameter(np.full((n,), 0.1, dtype), regularized=False)

    def forward(self, x, *, training=False):
        return x @ self.params["A"].value + self.params["s"].value * x * x, x

    def backward(self, grad_y, cache):
        axes = tuple(range(grad_y.ndim - 1))
        self.params["A"].grad = np.tensordot(cache, grad_y, (axes, axes))
        self.params["s"].grad = (grad_y * cache * cache).sum(axes)
        return grad_y @ self.params["A"].value.T + 2 * self.params["s"].value * cache * grad_y


@pytest.fixture(autouse=True, scope="module")
def forget():
    yield
    for name in [name for name, cls in Layer.registry.items() if cls.__module__ == __name__]:
        del Layer.registry[name]


def flat(*layers):
    return Network([*layers, Dense(4)], 30, LogLikelihood(), seed=1)


NETWORKS = {
    "in the middle": lambda: flat(Dense(9), Bend(), act.ReLU()),
    "first": lambda: flat(Bend(), Dense(9), Sigmoid()),
    "in branches": lambda: flat(Dense(9), Branches([[Bend(), act.ReLU()], [], [Residual([Bend()])]])),
    "twice": lambda: flat(Dense(9), Bend(), Bend()),
    "on pictures": lambda: Network(
        [Conv2D(3, 3), Bend(), act.ReLU(), MaxPool2D(2), Bend(), Flatten(), Dense(4)], (8, 8, 1), LogLikelihood()
    ),
}


def data(network, examples=40):
    rng = np.random.default_rng(0)
    return pixels(rng, examples, *network.input_shape), rng.integers(0, network.shapes[-1][0], examples)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_they_train_and_predict_alike(make):
    network = make()
    assert make_plan(network, SGD(0.1)).readable
    x, y = data(network)
    np.testing.assert_allclose(Predictor(network)(x), network.predict(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(Predictor(network)(x[:1]), network.predict(x[:1]), rtol=1e-4, atol=1e-6)
    assert_twins(network, SGD(0.05), (L2(0.1),), x, y, 7, steps=50, threads=2)


@pytest.mark.parametrize("regularizers", [(L1(0.01),), (MaxNorm(0.5),)])
def test_regularizers_act_on_their_parameters(regularizers):
    network = NETWORKS["in the middle"]()
    assert_twins(network, Adam(0.003), regularizers, *data(network), 7, steps=20, threads=2)


def test_the_same_bits_on_any_number_of_threads():
    for name in ("in branches", "on pictures"):
        ends = []
        for threads in (1, 2, 3):
            network = NETWORKS[name]()
            engine = FastEngine(network, Adam(0.01), threads=threads)
            losses = engine.train_batches(*data(network), np.arange(40), 8, np.full(5, 0.01))
            ends.append(network.state() | {"losses": losses})
        for end in ends[1:]:
            assert all(np.array_equal(end[key], ends[0][key]) for key in end)


def test_learning_goes_on_from_the_other_engines_state():
    optimizer, make = Adam(0.01), NETWORKS["in branches"]
    x, y = data(make())
    order, rates = np.random.default_rng(2).integers(0, 40, 120), np.full(20, 0.01)
    expected = ReferenceEngine(make(), optimizer).train_batches(x, y, order, 6, rates)
    for first, second in ((ReferenceEngine, FastEngine), (FastEngine, ReferenceEngine)):
        network = make()
        one = first(network, optimizer)
        one.train_batches(x, y, order[:60], 6, rates[:10])
        other = second(network, optimizer)
        other.load_state(one.state())
        np.testing.assert_allclose(other.train_batches(x, y, order[60:], 6, rates[10:]), expected[10:], rtol=1e-3)


def test_what_is_frozen_stays():
    network = NETWORKS["in the middle"]()
    freeze(network, "1.s")
    freeze(network, "1.A", np.s_[0])
    assert_twins(network, SGD(0.05), (), *data(network), 7, steps=20, threads=2)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("method", ["forward", "backward"])
def test_an_error_in_a_layer_ends_the_training_with_its_traceback(method, threads):
    """The network is then as it was after the last whole step, as the readable engine leaves it."""
    calls = []

    class Failing(Bend):
        def forward(self, x, *, training=False):
            self.count("forward")
            return super().forward(x, training=training)

        def backward(self, grad_y, cache):
            self.count("backward")
            return super().backward(grad_y, cache)

        def count(self, name):
            calls.append(name)
            if calls.count(method) == 3 and name == method:
                raise ZeroDivisionError("as a user's layer may")

    ends = []
    for engine in (FastEngine, ReferenceEngine):
        calls.clear()
        network = flat(Dense(9), Failing(), act.ReLU())
        options = {"threads": threads} if engine is FastEngine else {}
        with pytest.raises(ZeroDivisionError, match="as a user's layer may") as caught:
            made = engine(network, SGD(0.1), **options)
            made.train_batches(*data(network), np.arange(40), 8, np.full(5, 0.1))
        assert "in count" in "".join(traceback.format_tb(caught.tb))
        ends.append(network.state())
        calls.clear()
        assert np.isfinite(made.train_batches(*data(network), np.arange(16), 8, np.full(2, 0.1))).all()
    for name, array in ends[1].items():
        np.testing.assert_allclose(ends[0][name], array, rtol=1e-4, atol=1e-6)


def test_an_error_in_a_prediction():
    class Refusing(Bend):
        def forward(self, x, *, training=False):
            if len(x) != 2:
                raise ValueError("not two")
            return super().forward(x, training=training)

    network = flat(Dense(9), Refusing())
    predictor = Predictor(network)
    for examples in (1, 100):
        with pytest.raises(ValueError, match="not two"):
            predictor(data(network, examples)[0])
    np.testing.assert_allclose(predictor(data(network, 2)[0]), network.predict(data(network, 2)[0]), rtol=1e-4)


def test_a_layer_of_the_wrong_shape():
    class Short(Layer):
        def forward(self, x, *, training=False):
            return x[:, :-1], None

    network = Network([Dense(5), Short(), Dense(5)], 30)
    with pytest.raises(ShapeError, match=r"layer 1, Short\(\): forward returned an array of shape \(8, 4\), expected"):
        FastEngine(network, SGD(0.1)).train_batches(*data(network), np.arange(8), 8, np.ones(1))


def test_a_layer_may_keep_and_change_its_arrays():
    class Keeping(Layer):
        def forward(self, x, *, training=False):
            self.seen = [*getattr(self, "seen", []), x]
            return x * 1, None

        def backward(self, grad_y, cache):
            grad_y *= 1.0
            return grad_y

    network = flat(Dense(9), Keeping(), act.ReLU())
    FastEngine(network, SGD(0.1)).train_batches(*data(network), np.arange(16), 8, np.full(2, 0.1))
    first, second = network.layers[1].seen
    assert first.shape == (8, 9) and not np.array_equal(first, second)


def test_the_reason_names_them():
    engine, reason = select_engine("auto", NETWORKS["twice"](), SGD(0.1))
    assert engine.name == "fast"
    assert reason == "the fast engine, with readable code for layers 1 (no kernel for Bend), 2 (no kernel for Bend)"
    engine, reason = select_engine("auto", Network([Bend(), Bend()], 4), SGD(0.1))
    assert engine.name == "reference" and reason == "the reference engine: no kernel for Bend, layer 0"


def test_an_edited_layer_runs_as_it_is_now(monkeypatch):
    """Only that layer; and nothing is fused with it."""
    monkeypatch.setattr(Sigmoid, "forward", lambda self, x, training=False: (0 * x + 0.25, 0 * x + 0.25))
    network = flat(Dense(9), Sigmoid(), Dense(7), act.Tanh())
    engine, reason = select_engine("auto", network, SGD(0.1))
    assert reason == "the fast engine, with readable code for layer 1 (Sigmoid.forward was replaced)"
    twin, (x, y) = network.copy(), data(network)
    losses = engine.train_batches(x, y, np.arange(40), 8, np.full(5, 0.1))
    expected = ReferenceEngine(twin, SGD(0.1)).train_batches(x, y, np.arange(40), 8, np.full(5, 0.1))
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    np.testing.assert_allclose(make_predictor(network)(x), network.predict(x), rtol=1e-4)
