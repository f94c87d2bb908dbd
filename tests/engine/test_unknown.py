"""A code that a kernel does not know ends the training with an error: nothing is trained, nothing is answered."""

from dataclasses import dataclass

import numpy as np
import pytest

from digitlab.engine.fast import FastEngine, Predictor, make_plan
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.operations import CODES
from digitlab.engine.fast.ops import activation, loss, optimizer
from digitlab.engine.fast.ops.skipping import CHOICE, MAY_SKIP
from digitlab.errors import EngineError
from digitlab.gradients.rashid import RashidRule
from digitlab.nn import mlp
from digitlab.nn.activations import ReLU
from digitlab.nn.conv import Conv2D
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network, Quadratic
from digitlab.nn.pooling import AveragePool2D, MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD, Adam
from digitlab.optim.regularizers import L1, L2

from .twins import pixels

NOBODY = 99  # a code that no kernel has


def dense():
    return mlp([40, 20, 5], activation="relu", seed=1)


def convolutional():
    layers = [
        Conv2D(3, 3),
        ReLU(),
        MaxPool2D(2),
        Conv2D(4, 3, padding=1, stride=2),
        AveragePool2D(2),
        Flatten(),
        Dense(5),
    ]
    return Network(layers, (14, 14, 1), LogLikelihood(), seed=1)


def stops(network, spoil, what, *, optimizer=None, regularizers=(), gradient=None, threads=2, x=None):
    """Training by a plan that `spoil` changed raises an error that names what is unknown, and trains nothing."""
    rng = np.random.default_rng(0)
    x = pixels(rng, 30, *network.input_shape) if x is None else x
    before = network.state()
    engine = FastEngine(network, optimizer or SGD(0.1), regularizers, examples=30, threads=threads, gradient=gradient)
    spoil(engine.plan)
    for _ in range(2):  # an engine that has failed once does not train afterwards
        with pytest.raises(EngineError, match=f"do not know {what} {NOBODY}, and stopped"):
            engine.train_batches(x, rng.integers(0, 5, 30), np.arange(30), 6, np.full(5, 0.1))
    for name, array in network.state().items():
        assert array is before[name], name


def operation(k, column=at.KIND, code=NOBODY):
    """Another code in operation k of a plan."""

    def spoil(plan):
        plan.operations[k][column] = code

    return spoil


def choice(name, code=NOBODY):
    """Another code for the plan's loss, optimizer or rule."""
    return lambda plan: setattr(plan, name, code)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("make", [dense, convolutional])
def test_an_unknown_operation(make, threads):
    for k in range(len(FastEngine(make(), SGD(0.1)).plan.operations)):
        stops(make(), operation(k), "operation", threads=threads)


def test_an_operation_that_was_not_loaded():
    """A convolution among the kernels of a dense network is as unknown as any other code."""
    engine = FastEngine(mlp([40, 20, 5], activation="relu", seed=1), SGD(0.1))
    for kind in map(CODES.get, ("pooled_conv", "padding", "conv", "pool")):
        engine.plan.operations[1][at.KIND] = kind
        engine.workspace = None
        with pytest.raises(EngineError, match=f"do not know operation {kind}"):
            engine.train_batches(pixels(np.random.default_rng(0), 9, 40), np.zeros(9, int), np.arange(9), 3, np.ones(3))


@pytest.mark.parametrize("make", [dense, convolutional])
def test_an_unknown_activation(make):
    stops(make(), operation(1, activation.FUNCTION), "activation")


def test_an_unknown_activation_under_rashids_rule():
    network = mlp([40, 20, 5], seed=1)
    stops(network, operation(1, activation.FUNCTION), "activation", gradient=RashidRule())


def test_an_unknown_choice_of_a_dense_layer():
    def spoil(plan):
        plan.operations[2] |= {CHOICE: NOBODY, MAY_SKIP: 0}

    stops(mlp([40, 200, 100, 5], activation="relu", seed=1), spoil, "choice of a dense layer")


@pytest.mark.parametrize("make", [dense, convolutional])
def test_an_unknown_loss(make):
    stops(make(), choice("loss"), "loss")


@pytest.mark.parametrize("make", [dense, convolutional, lambda: mlp([40, 300, 300, 5], activation="relu", seed=1)])
@pytest.mark.parametrize("regularizers", [(), (L2(1.0),), (L1(1.0),)])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam()])
def test_an_unknown_optimizer(make, regularizers, optimizer):
    stops(make(), choice("optimizer"), "optimizer", optimizer=optimizer, regularizers=regularizers)


@pytest.mark.parametrize("gradient", [None, RashidRule()])
def test_an_unknown_rule(gradient):
    stops(mlp([40, 20, 5], seed=1), choice("rule"), "backward rule", gradient=gradient)


def test_an_unknown_kind_of_input(monkeypatch):
    monkeypatch.setattr(at, "FLOAT_ROWS", NOBODY)
    stops(dense(), lambda plan: None, "kind of input", x=np.ones((30, 40), np.float32))


@pytest.mark.parametrize("spoil", [operation(0), operation(1), operation(1, activation.FUNCTION), choice("loss")])
@pytest.mark.parametrize("examples", [1, 2, 300])
def test_predictions(spoil, examples, monkeypatch):
    monkeypatch.setattr("digitlab.engine.fast.predictor.WORK_PER_THREAD", 1)  # on several threads
    predictor = Predictor(dense())
    spoil(predictor.plan)
    for _ in range(2):
        with pytest.raises(EngineError, match=f"do not know .* {NOBODY}, and stopped"):
            predictor(np.ones((examples, 40), np.float32))


@dataclass(frozen=True, repr=False)
class _Drifting(SGD):
    """An optimizer with a setting that no kernel knows."""

    drift: float = 0.5


@dataclass(eq=False, repr=False)
class _Tilted(ReLU):
    """An activation with such a setting."""

    tilt: float = 0.5


@dataclass(eq=False, repr=False)
class _Sharpened(Quadratic):
    """A loss with such a setting."""

    sharpness: float = 2.0


def test_a_setting_that_no_kernel_knows(monkeypatch):
    """A class that was given a code, and one of whose settings was forgotten, has no kernel."""
    monkeypatch.setitem(optimizer.CODES, _Drifting, optimizer.PLAIN)
    monkeypatch.setattr(activation, "LAYERS", (*activation.LAYERS, _Tilted))
    monkeypatch.setitem(loss.CODES, _Sharpened, loss.CODES[Quadratic])
    assert make_plan(dense(), _Drifting(0.1)) == "no kernel for _Drifting with a setting 'drift'"
    network = Network([Dense(3), _Tilted(), Dense(2)], 4)
    assert make_plan(network, SGD(0.1)).readable[0].reason == "no kernel for _Tilted with a setting 'tilt'"
    network = Network([Dense(3)], 4, _Sharpened())
    assert make_plan(network, SGD(0.1)) == "no kernel for _Sharpened with a setting 'sharpness'"
