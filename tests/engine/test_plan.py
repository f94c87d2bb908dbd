"""What the fast engine takes, what it leaves to the reference engine, and the sentence it gives then."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlab.engine import fast, select_engine
from digitlab.engine.fast import FastEngine, make_plan
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.operations import OPERATIONS
from digitlab.engine.fast.packing import read_only_plan
from digitlab.engine.fast.workspace import kernels_of
from digitlab.errors import EngineError
from digitlab.gradients import CentralDifferences
from digitlab.nn import freeze, mlp
from digitlab.nn.activations import GELU, ReLU
from digitlab.nn.conv import Conv2D
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network
from digitlab.nn.normalization import BatchNorm
from digitlab.nn.per_neuron import PerNeuron
from digitlab.nn.pooling import AveragePool2D, MaxPool2D
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.step import Step
from digitlab.optim import SGD, Adam
from digitlab.optim.regularizers import L2


def picture_network(*layers, shape=(12, 12, 1)):
    return Network([*layers, Flatten(), Dense(10)], shape, LogLikelihood())


def kinds(plan):
    """The names of a plan's operations."""
    return [OPERATIONS[row[at.KIND]].__name__.rpartition(".")[2] for row in plan.operations]


def test_a_chain_of_dense_layers():
    plan = make_plan(mlp([784, 30, 10]), SGD(3.0), [L2(5.0)], examples=50_000)
    assert not isinstance(plan, str)
    assert kinds(plan) == ["dense", "activation", "dense"]
    assert [(slot.name, slot.rows, slot.columns, slot.stride) for slot in plan.slots] == [
        ("0.W", 784, 30, 32),
        ("0.b", 1, 30, 32),
        ("2.W", 30, 10, 16),
        ("2.b", 1, 10, 16),
    ]
    assert plan.hyper[at.L2_SHARE] == 5.0 / 50_000


def test_convolution_activation_and_pool_are_one_operation():
    plan = make_plan(picture_network(Conv2D(20, 5), ReLU(), MaxPool2D(2)), Adam())
    assert not isinstance(plan, str)
    assert kinds(plan) == ["pooled_conv", "activation", "dense"]


def test_a_picture_as_a_row():
    network = Network([Reshape((28, 28, 1)), Conv2D(3, 5), MaxPool2D(2), Flatten(), Dense(10)], 784, LogLikelihood())
    assert not isinstance(make_plan(network, SGD(0.1)), str)


def doubles():
    return mlp([3, 2], dtype="float64")


REFUSED = {
    "no kernel for Step, layer 1": lambda: Network([Dense(3), Step(), Dense(2)], 3),
    "float64 networks are for checking mathematics": doubles,
}


def test_what_runs_as_readable_code():
    groups = PerNeuron(["relu", "step"], [[0, 1], [2]])
    plan = make_plan(Network([Dense(3), groups, Dense(2)], 3), SGD(0.1), learning=False)
    assert [one.reason for one in plan.readable] == ["no kernel for PerNeuron with Step, layer 1"]


@pytest.mark.parametrize(("reason", "network"), REFUSED.items(), ids=REFUSED.keys())
def test_what_has_no_kernel(reason, network):
    plan = make_plan(network(), SGD(0.1))
    assert isinstance(plan, str)
    assert plan.startswith(reason)
    assert "\n" not in plan


def test_other_gradients():
    assert "CentralDifferences" in make_plan(mlp([3, 2]), SGD(0.1), gradient=CentralDifferences())


def test_what_is_frozen_or_not_connected_is_marked():
    network = Network([Dense(2, connections=[[1, 0], [1, 1], [0, 1]]), Dense(4), Dense(2)], 3)
    freeze(network, "1.b")
    freeze(network, "2.W", np.s_[0])
    plan = make_plan(network, SGD(0.1))
    assert not isinstance(plan, str)
    assert [slot.name for slot in plan.slots if slot.mask is not None] == ["0.W", "2.W"]
    assert plan.slots[0].mask.tolist() == [[1, -1], [1, 1], [-1, 1]]
    assert plan.slots[4].mask.tolist() == [[0, 0], [1, 1], [1, 1], [1, 1]]
    assert [(row[at.W_NUMBER], row[at.B_NUMBER], row[at.MASKED]) for row in plan.operations] == [
        (1, 2, 1),
        (3, -1, 0),
        (5, 6, 1),
    ]


def test_which_convolutions_are_fused_with_their_pool():
    def fused(*layers):
        return kinds(make_plan(picture_network(*layers), SGD(0.1)))[:-1]

    assert fused(Conv2D(3, 3, padding=1), MaxPool2D(2)) == ["padding", "pooled_conv"]
    assert fused(Conv2D(3, 3, stride=2), MaxPool2D(2)) == ["conv", "pool"]
    assert fused(Conv2D(3, 3), GELU(), MaxPool2D(2)) == ["conv", "activation", "pool"]
    assert fused(Conv2D(3, 3), MaxPool2D(3, stride=2)) == ["conv", "pool"]
    assert fused(Conv2D(3, 3), ReLU(), AveragePool2D(2)) == ["conv", "activation", "pool"]
    assert fused(Conv2D(3, 3), BatchNorm(), ReLU(), MaxPool2D(2)) == ["conv", "pooled_norm", "activation"]
    assert fused(Conv2D(3, 3), BatchNorm(), GELU(), MaxPool2D(2)) == ["conv", "batch_norm", "activation", "pool"]
    assert fused(Conv2D(3, 3), BatchNorm(), MaxPool2D(3, stride=1)) == ["conv", "batch_norm", "pool"]


def test_auto_falls_back_and_says_why():
    engine, reason = select_engine("auto", doubles(), SGD(0.1))
    assert engine.name == "reference"
    assert reason == "the reference engine: float64 networks are for checking mathematics; the kernels are float32"
    engine, reason = select_engine("auto", mlp([3, 2]), SGD(0.1))
    assert engine.name == "fast"
    with pytest.raises(EngineError, match="the kernels are float32; the reference engine can"):
        select_engine("fast", doubles(), SGD(0.1))


def test_the_switch(monkeypatch):
    monkeypatch.setenv("DIGITLAB_FAST", "off")
    engine, reason = select_engine("auto", mlp([3, 2]), SGD(0.1))
    assert engine.name == "reference"
    assert "DIGITLAB_FAST" in reason


def test_bounds_are_checked_before_compiled_code_runs():
    engine = FastEngine(mlp([3, 2]), SGD(0.1))
    x = np.zeros((5, 3), np.uint8)
    for y, order in (
        (np.array([0, 1, 0, 1, 2]), [0]),
        (np.array([0, 1, 0, 1, -1]), [0]),
        (np.zeros(4, int), [0]),
        (np.zeros(5, int), [5]),
        (np.zeros(5, int), [-1]),
        (np.zeros((5, 3)), [0]),
    ):
        with pytest.raises(EngineError, match="got"):
            engine.train_batches(x, y, np.array(order), 1, [0.1])


def test_planning_needs_no_compiler():
    code = (
        "import sys, digitlab.engine.fast as fast; from digitlab.nn import mlp; from digitlab.optim import SGD; "
        "assert not isinstance(fast.make_plan(mlp([4, 2]), SGD(0.1)), str); "
        "assert 'numba' not in sys.modules and 'llvmlite' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_operations_that_are_compiled():
    """The same for training and for predictions, so that one compilation serves both."""
    pictures, large = {"sparse_dense", "dense", "activation"}, {"large_dense", "activation", "dense"}
    for names, network in (
        (pictures, mlp([784, 100, 10], activation="relu")),
        (pictures | large, mlp([784, 100, 100, 10], activation="relu")),
        ({"pooled_conv", "dense"}, picture_network(Conv2D(2, 5), MaxPool2D(2))),
    ):
        training, reading = make_plan(network, SGD(0.1)), read_only_plan(network)
        assert not isinstance(training, str) and not isinstance(reading, str)
        assert kernels_of(training) == kernels_of(reading) == names
    training = make_plan(mlp([784, 500, 10]), SGD(0.1))
    assert kernels_of(training) == {"sparse_dense", "turned_dense", *large}


def test_decay_that_is_set_by_hand_has_no_kernel():
    network = mlp([5, 4, 3])
    network.parameters()["0.b"].regularized = True
    (one,) = make_plan(network, SGD(0.1), [L2(1.0)]).readable
    assert one.name == "0" and "here `regularized` says otherwise" in one.reason
    assert not make_plan(network, SGD(0.1)).readable, "without a regularizer nothing decays"


def test_no_two_files_of_simd_define_the_same_name():
    """The package exports all of them together: the later one would replace the other, as a STRIP of 32 one of 24."""
    seen: dict[str, str] = {}
    for path in sorted((Path(fast.__file__).parent / "simd").glob("[a-z]*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [node]
            names = [name for target in targets for name in getattr(target, "elts", [target])]
            for name in (getattr(name, "id", getattr(name, "name", "_")) for name in names):
                assert name.startswith("_") or seen.setdefault(name, path.name) == path.name, f"{name}: {path.name}"
