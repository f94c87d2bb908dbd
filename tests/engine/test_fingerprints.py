"""Readable code that is changed, in its file or in a running program, trains by itself; the kernels step aside."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest

import digitlab
from digitlab.data.augment import warp
from digitlab.engine import select_engine
from digitlab.engine.fast import FastEngine, Predictor, parts_of
from digitlab.engine.fast.operations import LAYERS
from digitlab.engine.fast.twins import every_part
from digitlab.engine.reference import ReferenceEngine
from digitlab.engine.select import make_predictor
from digitlab.errors import EngineError
from digitlab.fingerprints import check, source, what_changed
from digitlab.fingerprints.module import file_name
from digitlab.gradients import Backpropagation
from digitlab.gradients.rashid import RashidRule
from digitlab.nn import activations as act
from digitlab.nn import losses, mlp, network
from digitlab.nn.bias import Bias
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.network import Dense, Layer, Loss, Network, Parameter, Quadratic, Sigmoid
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.optim import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp
from digitlab.optim.regularizers import L1, L2, MaxNorm
from digitlab.train import Trainer

from .renew_fingerprints import table

PACKAGE = Path(digitlab.__file__).parent
RENEW = "python tests/engine/renew_fingerprints.py"
FUNCTIONS = [(module, name) for module, entries in check.table().items() for name in entries if name != "text"]


def where(module, name):
    """What holds a function of the table, and the function's name there."""
    owner, _, last = name.rpartition(".")
    return getattr(sys.modules[module], owner) if owner else sys.modules[module], last


# The table


def differences(kind):
    """Entries of the table that are not those of the code now: "text", or "functions"."""
    now, committed = table(), check.table()
    return [
        f"{file_name(module)} ({name})"
        for module in sorted({*now, *committed})
        for name in sorted({*now.get(module, {}), *committed.get(module, {})})
        if now.get(module, {}).get(name) != committed.get(module, {}).get(name) and (name == "text") == (kind == "text")
    ]


def test_the_table_is_that_of_the_code():
    changed = differences("functions")
    assert not changed, f"changed since the kernels were tested against it: {', '.join(changed)}; run {RENEW}"


@pytest.mark.slow  # which is when it matters: what is older is slower to compare, and no more
def test_the_table_knows_the_files_as_they_are():
    changed = differences("text")
    assert not changed, f"comments changed in {', '.join(changed)}; run {RENEW}, which takes a moment then"


def test_every_layer_that_has_a_kernel_is_in_the_table():
    for cls in LAYERS:
        names = check.table()[cls.__module__]
        assert any(name.startswith(f"{cls.__name__}.") for name in names), cls


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_fingerprints_are_the_same_for_every_python(version):
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"no Python {version} here")
    code = (
        "import json, pathlib, runpy, sys\n"
        "source = runpy.run_path(sys.argv[1])\n"
        "texts = {path: pathlib.Path(path).read_text(encoding='utf-8') for path in sys.argv[2:]}\n"
        "found = {path: source['functions'](text) for path, text in texts.items()}\n"
        "print(json.dumps([[source['fingerprint'](f[name]) for name in f] for f in found.values()]))"
    )
    files = [PACKAGE.parent / file_name(module) for module in check.table()]
    command = [python, "-c", code, PACKAGE / "fingerprints" / "source.py", *files]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout)
    for path, fingerprints in zip(files, found, strict=True):
        expected = [source.fingerprint(tree) for tree in source.functions(path.read_text(encoding="utf-8")).values()]
        assert fingerprints == expected, path


# What a fingerprint tells apart

ORIGINAL = """
def f(x, rate=0.5):
    if x < 0:
        raise ValueError(f"got {x}, expected 0 or more")
    return [rate * (x + 1), x[0:2], f"{x}.W"]
"""
SAME = {
    "comments": ORIGINAL.replace("    return", "    # the answer\n\n    return"),
    "a docstring": ORIGINAL.replace("    if x", '    """What it does."""\n    if x'),
    "layout": "def f(x,rate = .5):\n  if x<0: raise Error\n  return [(rate*(x+1)), x[0 : 2],\n   f'{x}.W',]",
    "types": "def f(x: Array, rate: float = 0.5) -> list:\n    y: int" + ORIGINAL.partition(":")[2],
    "a message": ORIGINAL.replace("got {x}, expected 0 or more", "x is negative: {x!r}"),
    "line ends": ORIGINAL.replace("\n", "\r\n"),
}
OTHER = {
    "a sign": ORIGINAL.replace("x + 1", "x - 1"),
    "a number": ORIGINAL.replace("x + 1", "x + 1.5"),
    "a default": ORIGINAL.replace("0.5", "0.6"),
    "an order": ORIGINAL.replace("rate * (x + 1)", "rate * x + 1"),
    "a comparison": ORIGINAL.replace("x < 0", "x <= 0"),
    "a slice": ORIGINAL.replace("x[0:2]", "x[0:3]"),
    "a text": ORIGINAL.replace(".W", ".b"),
    "a name": ORIGINAL.replace("rate * ", "pace * "),
    "no error": ORIGINAL.replace("raise ValueError", "print"),
    "a decorator": ORIGINAL.replace("def f", "@cached\ndef f"),
    "whole numbers": ORIGINAL.replace("x + 1", "x + 1.0"),
}


def fingerprint(text):
    return source.fingerprint(source.functions(text)["f"])


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_how_it_is_written_does_not_count(text):
    assert text != ORIGINAL and fingerprint(text) == fingerprint(ORIGINAL)


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_what_it_computes_counts(text):
    assert text != ORIGINAL and fingerprint(text) != fingerprint(ORIGINAL)


# Functions that are replaced while a program runs


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
        same_name = types.FunctionType(
            code.replace(co_consts=(*code.co_consts, 7)), original.__globals__, last, None, original.__closure__
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
    assert reason == f"the reference engine: {cls.__name__}.{method} was replaced"
    expected, _ = end("reference")
    for name, array in expected.items():
        np.testing.assert_array_equal(followed[name], array)
    same = all(np.allclose(followed[name], array, rtol=1e-3, atol=1e-4) for name, array in original.items())
    assert same == (cls is Layer), "what layers that have a `backward_params` of their own inherit does not show"
    with pytest.raises(EngineError, match=rf"cannot train this: {cls.__name__}.{method} was replaced; the reference"):
        select_engine("fast", network.copy(), optimizer, regularizers, gradient=gradient)


def test_all_classes_with_kernels_are_tried_above():
    tried = {cls for cls, *_ in READERS.values()}
    guarded = {part.of for part in every_part() if isinstance(part.of, type)}
    assert guarded <= tried, guarded - tried


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
    assert reason == f"the reference engine: {type(thing).__name__}.{name} was replaced in an object"
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
        "the reference engine: no kernel for Steep, layer 1"
    )
    reason = select_engine("auto", Doubled([Dense(3)], 4), SGD(0.1))[1]
    assert re.fullmatch(r"the reference engine: .*Doubled\.forward has no kernel", reason)
    assert select_engine("auto", Named([Dense(3)], 4), SGD(0.1))[0].name == "fast"
    for name in ("steep", "Steep"):
        Layer.registry.pop(name.lower(), None)


def test_a_method_where_there_was_none(monkeypatch):
    """Sigmoid inherits `backward_params`; one of its own would train its first layer in another way."""
    monkeypatch.setattr(Sigmoid, "backward_params", lambda self, grad_y, cache: None, raising=False)
    assert what_changed(parts_of(mlp([4, 3, 2]), SGD(0.1))) == "Sigmoid.backward_params has no kernel"


@pytest.mark.parametrize("module", [network, act, losses])
def test_a_helper_replaced_in_one_module(module, monkeypatch):
    monkeypatch.setattr(module, "sigmoid", lambda x: x)
    nets = {network: mlp([4, 3]), act: mlp([4, 3, 2], activation="silu"), losses: mlp([4, 3], loss="cross-entropy")}
    assert what_changed(parts_of(nets[module], SGD(0.1))).startswith("sigmoid was replaced")
    assert what_changed(parts_of(mlp([4, 3, 2], activation="tanh", loss="mse"), SGD(0.1))) is None


def test_only_what_a_training_needs_counts(monkeypatch):
    monkeypatch.setattr(act.Tanh, "backward", flipped(act.Tanh.backward))
    monkeypatch.setattr(Adam, "update", flipped(Adam.update))
    assert select_engine("auto", mlp([4, 3, 2]), SGD(0.1))[0].name == "fast"
    assert select_engine("auto", mlp([4, 3, 2], activation="tanh"), SGD(0.1))[0].name == "reference"
    assert select_engine("auto", mlp([4, 3, 2]), Adam(0.1))[0].name == "reference"


def test_how_a_layer_is_made_does_not_count(monkeypatch):
    """Kernels are given the parameters as they were made."""
    monkeypatch.setattr(Dense, "init", flipped(Dense.init))
    assert what_changed(every_part()) is None


def test_code_put_into_the_same_function(monkeypatch):
    """As IPython's autoreload does."""
    monkeypatch.setattr(Sigmoid.backward, "__code__", (lambda self, grad_y, cache: grad_y).__code__)
    assert what_changed(parts_of(mlp([4, 3, 2]), SGD(0.1))) == "Sigmoid.backward was replaced"


def test_predictions_follow(monkeypatch):
    net = mlp([4, 3, 2], seed=1)
    x = np.random.default_rng(0).random((50, 4), dtype=np.float32)
    Predictor(net)  # compiled
    before = make_predictor(net)(x)
    monkeypatch.setattr(Sigmoid, "forward", lambda self, x, training=False: (0 * x, x))
    after = make_predictor(net)(x)
    np.testing.assert_array_equal(after, net.predict(x))
    assert np.abs(after - before).max() > 0.01


def test_augmentation_follows(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    maps = np.tile(np.eye(3, dtype=np.float32), (3, 1, 1))
    np.testing.assert_array_equal(warp.warp(images, maps, None), images)

    def inverted(images, maps, field, out):
        out[...] = 255 - images

    monkeypatch.setattr(warp, "warp_numpy", inverted)
    np.testing.assert_array_equal(warp.warp(images, maps, None), 255 - images)


def test_it_is_told_once(monkeypatch, caplog):
    monkeypatch.setattr(Sigmoid, "backward", flipped(Sigmoid.backward))
    check.tell.cache_clear()
    for _ in range(3):
        select_engine("auto", mlp([4, 3, 2]), SGD(0.1))
    assert [record.message for record in caplog.records] == [
        "Sigmoid.backward was replaced; the reference engine trains by the code as it is now"
    ]


def test_asking_again_reads_no_file(monkeypatch):
    assert what_changed(every_part()) is None
    monkeypatch.setattr(check, "Module", None)
    assert what_changed(every_part()) is None


def test_the_kernels_themselves_are_not_held_to_it(monkeypatch):
    """The twin tests, which renew the fingerprints, need both."""
    monkeypatch.setattr(Sigmoid, "backward", flipped(Sigmoid.backward))
    FastEngine(mlp([4, 3, 2]), SGD(0.1))


# Files that are changed, in a copy of the package and a process of its own


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """A copy of the package's folder whose files a test may change; `run(code)` gives what a program prints."""
    place = tmp_path_factory.mktemp("package")
    shutil.copytree(PACKAGE, place / "digitlab", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    return place


def run(place, code, *options):
    environment = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run(
        [sys.executable, *options, "-c", code], env=environment, capture_output=True, text=True, cwd=place.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


CHECK = (
    "from digitlab.engine.fast.twins import every_part\nfrom digitlab.fingerprints import what_changed\n"
    "print(what_changed(every_part()))\n"
)
TRAIN = """
import numpy as np
from digitlab import Net
from digitlab.data import load
train, _, test = load("digits")
net = Net([64, 30, 10], loss="cross-entropy")
from digitlab.train import Trainer
from digitlab.optim import SGD
trainer = Trainer(net.network, SGD(0.5), keep="last")
trainer.fit(train, epochs=5)
print(round(100 * np.mean(net.predict(test) == test.labels), 2))
print(trainer.engine_reason)
"""


def edited(place, module, old, new):
    """The module's text with a change, and a function that takes it back."""
    path = place / file_name(module)
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (module, old)
    path.write_text(text.replace(old, new), encoding="utf-8")
    return lambda: path.write_text(text, encoding="utf-8")


def test_a_sign_in_a_file(package):
    accuracy, reason = run(package, TRAIN).splitlines()
    assert float(accuracy) > 80 and reason.startswith("the fast engine")
    restore = edited(package, "digitlab.nn.network", "self.connected(x.T @ grad_y)", "-self.connected(x.T @ grad_y)")
    try:
        accuracy, reason = run(package, TRAIN).splitlines()
    finally:
        restore()
    assert float(accuracy) < 30
    assert reason == "the reference engine: digitlab/nn/network.py was changed (Dense.backward_params)"


EDITS = {
    "Sigmoid.backward": ("digitlab.nn.network", "return grad_y * y * (1 - y)", "return grad_y * y"),
    "Quadratic.backward": ("digitlab.nn.network", "return error * a * (1 - a) / a", "return error * a / a"),
    "Network.gradient": (
        "digitlab.nn.network",
        "self.layers[0].backward_params(grad, caches[0])",
        "self.backward(grad, caches)",
    ),
    "Tanh.backward": ("digitlab.nn.activations", "return grad_y * (1 - y * y)", "return grad_y * (1 - y)"),
    "softplus": ("digitlab.nn.activations", "+ xp.log1p(xp.exp(", "- xp.log1p(xp.exp("),
    "log_softmax": ("digitlab.nn.losses", "z = z - xp.max(", "z = z + xp.max("),
    "Conv2D.backward_params": ("digitlab.nn.conv", "rows_of(padded, windows).T @ g", "-rows_of(padded, windows).T @ g"),
    "MaxPool2D.backward": ("digitlab.nn.pooling", "waiting = waiting & ~here", "waiting = waiting"),
    "SGD.update": (
        "digitlab.optim.sgd",
        "return value - learning_rate * grad, state",
        "return value + learning_rate * grad, state",
    ),
    "Adam.update": ("digitlab.optim.adaptive", "(1 - self.beta1) * grad", "(2 - self.beta1) * grad"),
    "L1.gradient": (
        "digitlab.optim.regularizers",
        "self.strength / examples * array_namespace(value).sign(value)",
        "self.strength * array_namespace(value).sign(value)",
    ),
    "RashidRule.compute": ("digitlab.gradients.rashid", "error @ layer", "-error @ layer"),
    "ReferenceEngine.update": ("digitlab.engine.reference", "grad + extra", "grad - extra"),
    "warp_numpy": ("digitlab.data.augment.warp", "np.float32(0.5)  # to", "np.float32(0.7)  # to"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "edit"), EDITS.items(), ids=EDITS)
def test_a_formula_in_a_file(name, edit, package):
    restore = edited(package, *edit)
    try:
        assert run(package, CHECK) == f"{file_name(edit[0])} was changed ({name})"
    finally:
        restore()


@pytest.mark.slow
def test_comments_and_layout_in_a_file(package):
    path = package / "digitlab/nn/network.py"
    text = path.read_text(encoding="utf-8")
    changed = re.sub(r"  # \(N, out\)$", "  # one row each\n", text, flags=re.M).replace("σ(x), elementwise", "Sigmoid")
    assert changed != text
    for other in (
        changed,
        text.replace("\n", "\r\n"),
        text.replace("def forward(self, x: Array,", "def forward(self, x,"),
    ):
        path.write_bytes(other.encode())
        try:
            assert run(package, CHECK) == "None"
        finally:
            path.write_text(text, encoding="utf-8")


def test_a_file_changed_after_it_was_read(package):
    """What the file says now does not train; that it was read before is told."""
    code = (
        "import digitlab.nn.network as network\nfrom pathlib import Path\npath = Path(network.__file__)\n"
        "text = path.read_text(encoding='utf-8')\n"
        "path.write_text(text.replace('x.T @ grad_y', '-x.T @ grad_y'), encoding='utf-8')\n"
        "try:\n    exec(CHECK)\nfinally:\n    path.write_text(text, encoding='utf-8')\n"
    )
    found = run(package, f"CHECK = {CHECK!r}\n{code}")
    assert found == "digitlab/nn/network.py was changed (Dense.backward_params) after this program had read it"


@pytest.mark.slow
def test_a_package_in_an_archive(package, tmp_path):
    archive = tmp_path / "digitlab.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in (package / "digitlab").rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                zipped.write(path, path.relative_to(package))
    assert run(archive, CHECK) == "None"
    assert run(archive, f"import digitlab.nn.network as n\nn.Sigmoid.backward = n.Dense.backward\n{CHECK}") == (
        "Sigmoid.backward was replaced"
    )


@pytest.mark.slow
def test_a_package_without_its_text(package, tmp_path):
    """A frozen program holds bytecode alone, which is trusted; what is assigned is noticed all the same."""
    place = tmp_path / "frozen"
    shutil.copytree(package / "digitlab", place / "digitlab")
    subprocess.run([sys.executable, "-m", "compileall", "-b", "-q", str(place)], check=True)
    for path in place.rglob("*.py"):
        path.unlink()
    assert run(place, CHECK) == "None"
    assert run(place, f"import digitlab.nn.network as n\nn.sigmoid = lambda x: x\n{CHECK}").startswith("sigmoid was")


@pytest.mark.slow
def test_python_without_docstrings(package):
    assert run(package, CHECK, "-OO") == "None"


def test_a_lost_table_is_no_reason_to_mistrust(package):
    path = package / "digitlab/fingerprints/table.json"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    try:
        assert run(package, CHECK) == "None"
    finally:
        path.write_text(text, encoding="utf-8")
