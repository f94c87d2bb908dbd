"""Readable code that is replaced in a running program trains by itself; the kernels step aside."""

import functools
import re
import sys
import types

import numpy as np
import pytest

from digitlab.arguments import unchecked
from digitlab.data.augment import warp
from digitlab.engine import select_engine
from digitlab.engine.fast import FastEngine, Predictor, edited, parts_of
from digitlab.engine.fast.twins import every_part
from digitlab.engine.reference import ReferenceEngine
from digitlab.engine.select import make_predictor
from digitlab.errors import EngineError
from digitlab.fingerprints import check, what_changed
from digitlab.gradients import Backpropagation
from digitlab.gradients.rashid import RashidRule
from digitlab.nn import activations as act
from digitlab.nn import losses, mlp, network
from digitlab.nn.bias import Bias
from digitlab.nn.bidirectional import Bidirectional
from digitlab.nn.combine import Combine, Rescale
from digitlab.nn.containers import Branches, Residual, Sequential
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.network import Dense, Layer, Loss, Network, Parameter, Quadratic, Sigmoid
from digitlab.nn.normalization import BatchNorm, LayerNorm
from digitlab.nn.per_neuron import PerNeuron
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.recurrent import GRU, LSTM, SimpleRNN
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.slices import Slice
from digitlab.nn.subnetwork import Subnetwork
from digitlab.optim import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp
from digitlab.optim.regularizers import L1, L2, MaxNorm
from digitlab.train import Trainer

FUNCTIONS = [(module, name) for module, entries in check.table().items() for name in entries if name != "text"]


def where(module, name):
    """What holds a function of the table, and the function's name there."""
    owner, _, last = name.rpartition(".")
    return getattr(sys.modules[module], owner) if owner else sys.modules[module], last


def test_nothing_was_changed():
    assert what_changed(every_part()) is None
    assert select_engine("auto", mlp([4, 2]), SGD(0.1))[0].name == "fast"


@pytest.mark.parametrize(("module", "name"), FUNCTIONS, ids=[f"{m.split('.')[-1]}.{n}" for m, n in FUNCTIONS])
def test_every_function_is_guarded(module, name, monkeypatch):
    """Another function in its place, its code with another constant, and none at all."""
    place, last = where(module, name)
    original = vars(place)[last]
    code = check.code_of(original)
    others = [lambda *arguments, **more: None, functools.partial(print), None]
    if isinstance(original, types.FunctionType):
        inner = unchecked(original)
        same_name = types.FunctionType(
            code.replace(co_consts=(*code.co_consts, 7)), inner.__globals__, last, None, inner.__closure__
        )
        same_name.__qualname__ = original.__qualname__
        others.append(same_name)
    for other in others:
        with monkeypatch.context() as patched:
            patched.setattr(place, last, other)
            clause = what_changed(every_part())
        assert clause is not None and re.search(rf"\b{last}( was| has|\))|no fingerprint", clause), (other, clause)
    assert what_changed(every_part()) is None


def flipped(function):
    """The function with the sign turned of every number that it gives back, and of what it does to parameters."""

    def turned(value):
        if isinstance(value, tuple):
            return (turned(value[0]), *value[1:])
        return -value if isinstance(value, np.ndarray | np.floating) else value

    def other(self, *arguments, **more):
        got = function(self, *arguments, **more)
        for thing in (self, *arguments):
            if isinstance(thing, Parameter):
                thing.value = -thing.value
            for p in (thing.parameters() if isinstance(thing, Network) else getattr(thing, "params", {})).values():
                p.grad = None if p.grad is None else -p.grad
        return turned(got)

    return other


def dense(*layers, loss=None):
    return Network([Dense(8), *layers, Dense(3)], 6, loss or losses.LogLikelihood(), seed=1)


def picture(*layers):
    return Network([*layers, Flatten(), Dense(3)], (6, 6, 1), losses.LogLikelihood(), seed=1)


HIDDEN = [
    act.Linear,
    Sigmoid,
    act.Tanh,
    act.ReLU,
    act.LeakyReLU,
    act.ELU,
    act.GELU,
    act.Softplus,
    act.SiLU,
    act.HardSigmoid,
]


# Each class with a kernel: a method of it, and a network, optimizer, regularizers and gradient that need it.
def rows(*layers):
    return Network([*layers, Dense(3)], (5, 4), losses.LogLikelihood(), seed=1)


READERS = {
    **{f"{cls.__name__}.{method}": (cls, method, dense(cls())) for cls in HIDDEN for method in ("forward", "backward")},
    **{
        f"{loss.__name__}.{method}": (loss, method, dense(Sigmoid(), loss=loss()))
        for loss in (Quadratic, losses.CrossEntropy, losses.LogLikelihood, losses.MeanSquaredError)
        for method in ("forward", "backward")
    },
    **{
        f"{rule.__name__}.update": (rule, "update", dense(Sigmoid()), rule())
        for rule in (SGD, Momentum, Nesterov, RMSProp, Adam, AdamW)
    },
    "L1": (L1, "gradient", dense(Sigmoid()), SGD(0.1), (L1(1.0),)),
    "L2": (L2, "gradient", dense(Sigmoid()), SGD(0.1), (L2(1.0),)),
    "MaxNorm": (MaxNorm, "project", dense(Sigmoid()), SGD(0.1), (MaxNorm(0.5),)),
    "RashidRule": (RashidRule, "compute", dense(Sigmoid(), loss=Quadratic()), SGD(0.1), (), RashidRule()),
    "Backpropagation": (Backpropagation, "compute", dense(Sigmoid())),
    "Dense.backward_params": (Dense, "backward_params", dense(Sigmoid())),
    "Dense.forward": (Dense, "forward", dense(Sigmoid())),
    "Dense.backward": (Dense, "backward", dense(Sigmoid())),
    "Layer.backward_params": (Layer, "backward_params", dense(Sigmoid())),
    "Loss.targets": (Loss, "targets", dense(Sigmoid())),
    "Network.gradient": (Network, "gradient", dense(Sigmoid())),
    "Network.prepare": (Network, "prepare", dense(Sigmoid())),
    "ReferenceEngine.update": (ReferenceEngine, "update", dense(Sigmoid())),
    "Dropout": (Dropout, "forward", dense(Dropout(0.5))),
    "Reshape": (Reshape, "forward", Network([Reshape((6, 6, 1)), Conv2D(2, 3), Flatten(), Dense(3)], 36, seed=1)),
    "Flatten": (Flatten, "backward", picture(Conv2D(2, 3))),
    "Conv2D.forward": (Conv2D, "forward", picture(Conv2D(2, 3), act.GELU())),
    "Conv2D.backward_params": (Conv2D, "backward_params", picture(Conv2D(2, 3), MaxPool2D(2))),
    "MaxPool2D": (MaxPool2D, "backward", picture(Conv2D(2, 3), MaxPool2D(2))),
    "AveragePool2D": (AveragePool2D, "forward", picture(Conv2D(2, 3), AveragePool2D(2))),
    "GlobalAveragePool": (GlobalAveragePool, "backward", Network([Conv2D(3, 3), GlobalAveragePool()], (6, 6, 1))),
    "Bias": (Bias, "backward", picture(Conv2D(2, 3, biases=None), MaxPool2D(2), Bias())),
    "Sequential": (Sequential, "backward", dense(Sequential([Sigmoid(), Dense(4)]), Sigmoid())),
    "Residual": (Residual, "backward", dense(Residual([Sigmoid(), Dense(8)]), Sigmoid())),
    "Branches": (Branches, "forward", dense(Branches([[Sigmoid()], []]))),
    "PerNeuron": (PerNeuron, "backward", dense(PerNeuron(["relu", "tanh"], [range(4), range(4, 8)]))),
    "Slice": (Slice, "forward", dense(Slice(indices=[7, 0, 1]))),
    "SimpleRNN": (SimpleRNN, "step_back", rows(SimpleRNN(4))),
    "LSTM": (LSTM, "step", rows(LSTM(4))),
    "GRU": (GRU, "step_back", rows(GRU(4))),
    "Bidirectional": (Bidirectional, "backward", rows(LSTM(5, "all"), Bidirectional(GRU(4)))),
    "Rescale": (Rescale, "backward", dense(Rescale(2.0))),
    "Combine": (Combine, "backward", dense(Branches([[Dense(3), Sigmoid()], [Sigmoid()]]), Combine([3, 8], 3))),
    "Subnetwork": (Subnetwork, "backward", dense(Subnetwork(mlp([8, 5, 4]), outputs="activations"))),
    "BatchNorm": (BatchNorm, "backward", dense(BatchNorm(), Sigmoid())),
    "LayerNorm": (LayerNorm, "forward", dense(LayerNorm(), Sigmoid())),
}


@pytest.mark.parametrize(("cls", "method", "given"), [(v[0], v[1], v[2:]) for v in READERS.values()], ids=READERS)
def test_what_a_reader_changes_acts(cls, method, given, monkeypatch):
    """Training by "auto" then ends where the reference engine's ends, and not where the original's does."""
    network, *more = given
    optimizer, regularizers, gradient = [*more, *[SGD(0.1), (), None][len(more) :]]
    rng = np.random.default_rng(0)
    x, y = rng.random((12, *network.input_shape), dtype=np.float32), rng.integers(0, 3, 12)

    def end(engine):
        own = network.copy()
        trainer = Trainer(own, optimizer, regularizers=regularizers, gradient=gradient, engine=engine, keep="last")
        trainer.fit((x, y), epochs=3)
        return own.state() | {"losses": np.array(trainer.history.column("train_loss"))}, trainer.engine_reason

    original, reason = end("auto")
    assert reason.startswith("the fast engine"), reason
    monkeypatch.setattr(cls, method, flipped(vars(cls)[method]))
    followed, reason = end("auto")
    mixed = reason.startswith("the fast engine, with readable code for layer")
    clause = f"{cls.__name__}.{method} was replaced"
    assert f"({clause})" in reason if mixed else reason == f"the reference engine: {clause}"
    assert mixed <= issubclass(cls, Layer)
    expected, _ = end("reference")
    for name, array in expected.items():
        np.testing.assert_allclose(followed[name], array, rtol=1e-3 if mixed else 0, atol=1e-5 if mixed else 0)
    same = all(np.allclose(followed[name], array, rtol=1e-3, atol=1e-4) for name, array in original.items())
    assert same == (cls is Layer), "what layers that have a `backward_params` of their own inherit does not show"
    if not mixed:
        with pytest.raises(EngineError, match=rf"cannot train this: {clause}; the reference"):
            select_engine("fast", network.copy(), optimizer, regularizers, gradient=gradient)


def test_all_classes_with_kernels_are_tried_above():
    tried = {cls for cls, *_ in READERS.values()}
    guarded = {part.of for part in every_part() if isinstance(part.of, type)}
    assert guarded <= tried, guarded - tried


def changed(net):
    """What was changed in a network's training by SGD, the layers included."""
    return what_changed(parts_of(net, SGD(0.1))) or next(filter(None, map(edited, net.layers)), None)


def replaced_in(thing, name):
    object.__setattr__(thing, name, types.MethodType(flipped(getattr(type(thing), name)), thing))


@pytest.mark.parametrize("what", ["layer", "loss", "optimizer", "regularizer", "network", "gradient"])
def test_a_method_of_one_object(what):
    net, optimizer, regularizer, gradient = mlp([4, 3, 2]), SGD(0.1), L2(1.0), Backpropagation()
    thing, name = {
        "layer": (net.layers[1], "backward"),
        "loss": (net.loss, "forward"),
        "optimizer": (optimizer, "update"),
        "regularizer": (regularizer, "gradient"),
        "network": (net, "prepare"),
        "gradient": (gradient, "compute"),
    }[what]
    others = mlp([4, 3, 2])
    replaced_in(thing, name)
    reason = select_engine("auto", net, optimizer, [regularizer], gradient=gradient)[1]
    clause = f"{type(thing).__name__}.{name} was replaced in an object"
    whole = f"the reference engine: {clause}"
    assert reason == (f"the fast engine, with readable code for layer 1 ({clause})" if what == "layer" else whole)
    assert select_engine("auto", others, SGD(0.1))[0].name == "fast"


def test_subclasses():
    class Steep(Sigmoid):
        def forward(self, x, *, training=False):
            return super().forward(4 * x, training=training)

    class Doubled(Network):
        def forward(self, x, *, training=False):
            logits, caches = super().forward(x, training=training)
            return 2 * logits, caches

    class Named(Network):
        """Nothing that trains is another."""

        def title(self):
            return "named"

    assert select_engine("auto", Network([Dense(3), Steep(), Dense(2)], 4), SGD(0.1))[1] == (
        "the fast engine, with readable code for layer 1 (no kernel for Steep)"
    )
    reason = select_engine("auto", Doubled([Dense(3)], 4), SGD(0.1))[1]
    assert re.fullmatch(r"the reference engine: .*Doubled\.forward has no kernel", reason)
    assert select_engine("auto", Named([Dense(3)], 4), SGD(0.1))[0].name == "fast"
    for name in ("steep", "Steep"):
        Layer.registry.pop(name.lower(), None)


def test_a_method_where_there_was_none(monkeypatch):
    """Sigmoid inherits `backward_params`; one of its own would train its first layer in another way."""
    monkeypatch.setattr(Sigmoid, "backward_params", lambda self, grad_y, cache: None, raising=False)
    assert changed(mlp([4, 3, 2])) == "Sigmoid.backward_params has no kernel"


@pytest.mark.parametrize("module", [network, act, losses])
def test_a_helper_replaced_in_one_module(module, monkeypatch):
    monkeypatch.setattr(module, "sigmoid", lambda x: x)
    nets = {network: mlp([4, 3]), act: mlp([4, 3, 2], activation="silu"), losses: mlp([4, 3], loss="cross-entropy")}
    assert changed(nets[module]).startswith("sigmoid was replaced")
    assert changed(mlp([4, 3, 2], activation="tanh", loss="mse")) is None


def test_only_what_a_training_needs_counts(monkeypatch):
    monkeypatch.setattr(act.Tanh, "backward", flipped(act.Tanh.backward))
    monkeypatch.setattr(Adam, "update", flipped(Adam.update))
    assert select_engine("auto", mlp([4, 3, 2]), SGD(0.1))[0].name == "fast"
    _, reason = select_engine("auto", mlp([4, 3, 2], activation="tanh"), SGD(0.1))
    assert reason.endswith("(Tanh.backward was replaced)")
    assert select_engine("auto", mlp([4, 3, 2]), Adam(0.1))[0].name == "reference"


def test_how_a_layer_is_made_does_not_count(monkeypatch):
    """Kernels are given the parameters as they were made."""
    monkeypatch.setattr(Dense, "init", flipped(Dense.init))
    assert what_changed(every_part()) is None


def test_code_put_into_the_same_function(monkeypatch):
    """As IPython's autoreload does."""
    monkeypatch.setattr(Sigmoid.backward, "__code__", (lambda self, grad_y, cache: grad_y).__code__)
    assert changed(mlp([4, 3, 2])) == "Sigmoid.backward was replaced"


def test_predictions_follow(monkeypatch):
    net = mlp([4, 3, 2], seed=1)
    x = np.random.default_rng(0).random((50, 4), dtype=np.float32)
    Predictor(net)  # compiled
    before = make_predictor(net)(x)
    monkeypatch.setattr(Sigmoid, "forward", lambda self, x, training=False: (0 * x, x))
    after = make_predictor(net)(x)
    np.testing.assert_allclose(after, net.predict(x), rtol=1e-6)
    assert np.abs(after - before).max() > 0.01


def test_augmentation_follows(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    maps = np.tile(np.eye(3, dtype=np.float32), (3, 1, 1))
    np.testing.assert_array_equal(warp.warp(images, maps, None), images)

    def inverted(images, maps, field, out):
        out[...] = 255 - images

    monkeypatch.setattr(warp, "warp_numpy", inverted)
    np.testing.assert_array_equal(warp.warp(images, maps, None), 255 - images)


def test_it_is_reported_once(monkeypatch, caplog):
    monkeypatch.setattr(Sigmoid, "backward", flipped(Sigmoid.backward))
    check.tell.cache_clear()
    for _ in range(3):
        select_engine("auto", mlp([4, 3, 2]), SGD(0.1))
    assert [record.message for record in caplog.records] == [
        "Sigmoid.backward was replaced; the layer trains by the code as it is now"
    ]


def test_asking_again_reads_no_file(monkeypatch):
    assert what_changed(every_part()) is None
    monkeypatch.setattr(check, "Module", None)
    assert what_changed(every_part()) is None


def test_the_kernels_themselves_are_not_held_to_it(monkeypatch):
    """The twin tests, which renew the fingerprints, need both: the engine asked for itself computes what it did."""
    x, y = np.random.default_rng(0).random((20, 4), dtype=np.float32), np.arange(20) % 2

    def trained():
        network = mlp([4, 3, 2], seed=1)
        FastEngine(network, SGD(0.1)).train_batches(x, y, np.arange(20), 5, np.full(4, 0.1))
        return network.parameters()["0.W"].value

    before = trained()
    monkeypatch.setattr(Sigmoid, "backward", flipped(Sigmoid.backward))
    np.testing.assert_array_equal(trained(), before)
