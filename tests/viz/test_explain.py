"""One example under the microscope: the arrays are the network's own, the formulas the docstrings'."""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.engine import ReferenceEngine
from digitlab.errors import ShapeError
from digitlab.nn import (
    ZOO,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    LogLikelihood,
    MaxPool2D,
    Network,
    ReLU,
    Residual,
    Sigmoid,
    build_named,
    mlp,
)
from digitlab.nn.formulas import Formulas
from digitlab.optim import SGD
from digitlab.viz.explain import about, check_label, shape_text, shorten, walk, walk_text
from digitlab.viz.explain_page import explain_page, pictures_in
from digitlab.viz.explain_step import step_text, take_step

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 8)).astype(np.uint8)
NAMES = ("0", "1", "<2>")


def conv():
    layers = [Conv2D(4, 3), ReLU(), MaxPool2D(2), Flatten(), Residual([Dense(36), ReLU()]), Dense(3)]
    return Network(layers, (8, 8, 1), LogLikelihood(), seed=4)


@pytest.mark.parametrize("net", [mlp([64, 5, 3]), conv()], ids=["dense", "conv"])
def test_every_gradient_is_the_networks(net):
    found = walk(net, IMAGE, np.int64(2))
    loss = net.gradient(IMAGE[None], np.array([2]))
    assert found.loss == pytest.approx(float(loss))
    seen = 0
    for i, layer in enumerate(net.layers):
        for key, p in layer.params.items():
            assert_array_equal(found.steps[i].backward[f"∂L/∂{key}"], p.grad)
            assert_array_equal(found.steps[i].forward[key], p.value)
            seen += 1
        for name, child in layer.children().items():
            for key, p in child.params.items():
                assert_array_equal(found.steps[i].backward[f"∂L/∂{name}.{key}"], p.grad)
                seen += 1
    assert seen == len(net.parameters())
    logits, caches = net.forward(IMAGE[None])
    _, cache = net.loss.forward(logits, np.array([2]))
    assert_array_equal(found.steps[0].backward["∂L/∂x"], net.backward(net.loss.backward(cache), caches))
    assert_allclose(found.outputs, net.predict(IMAGE[None])[0])


def test_one_steps_output_is_the_nexts_input_both_ways():
    steps = walk(conv(), IMAGE, np.int64(0)).steps
    for step, after in pairwise(steps[:-1]):
        assert_array_equal(step.forward["y"], after.forward["x"])
        assert_array_equal(after.backward["∂L/∂x"], step.backward["g = ∂L/∂y"])
    assert_array_equal(steps[-2].forward["y"], steps[-1].forward["z"])
    assert_array_equal(steps[-1].backward["δ = ∂L/∂z"], steps[-2].backward["g = ∂L/∂y"])
    assert_array_equal(steps[-1].forward["t"], [[1, 0, 0]])
    assert [step.name.split(":")[0] for step in steps] == [f"layer {i}" for i in range(6)] + ["loss"]


def test_the_network_stays_as_it_is():
    net = mlp([64, 5, 3])
    walk(net, IMAGE, np.int64(1))
    assert all(p.grad is None for p in net.parameters().values())


def test_a_class_has_its_formulas():
    forward, backward = Dense.formulas
    assert forward == "y = x W + b"
    assert backward == "∂L/∂W = xᵀ g    ∂L/∂b = Σₙ gₙ    ∂L/∂x = g Wᵀ,   g = ∂L/∂y"
    assert about(Dense(3)) == "Fully connected layer: every output sees every input"
    assert MaxPool2D.formulas.backward.split("\n")[1].startswith("where windows overlap"), "a line that goes on"


def test_help_shows_the_formulas():
    assert Dense.__doc__.split("\n\n", 1)[1].startswith(
        f"Forward    y = x W + b\nBackward   {Dense.formulas.backward}\n"
    )
    assert "Backward   " in MaxPool2D.__doc__ and "\n           where windows overlap" in MaxPool2D.__doc__
    assert ReLU.__doc__.startswith("Rectified linear unit.\n\nForward    y = max(x, 0)\nBackward   g where x > 0")


def test_a_new_layer_explains_itself():
    @dataclass(eq=False, repr=False)
    class Tripled(Layer):
        """Three times its input; `Tripled()`."""

        formulas = Formulas("y = 3 x", "∂L/∂x = 3 g")

        def forward(self, x, *, training=False):
            return 3 * x, None

        def backward(self, grad_y, cache):
            return 3 * grad_y

    text = walk_text(walk(Network([Tripled(), Dense(3)], 64), IMAGE, np.int64(1)), NAMES, label=1)
    assert "layer 0: Tripled()\n  Three times its input\n  formula  y = 3 x\n" in text
    assert "formula  ∂L/∂x = 3 g" in text


@pytest.mark.parametrize("name", ["chapter1", "basic-conv", "lenet5", "rows-gru", "rashid"])
def test_every_layer_of_the_zoo_has_a_formula_each_way(name):
    network = build_named(name)
    for step in walk(network, np.zeros((28, 28), np.uint8), np.int64(0)).steps:
        assert step.forward_formula, step.name
        assert step.backward_formula, step.name
    assert name in ZOO


def test_the_text_says_what_it_comes_to():
    net = mlp([64, 5, 3])
    found = walk(net, IMAGE, np.int64(2))
    guess = int(found.outputs.argmax())
    text = walk_text(found, NAMES, label=guess)
    assert f"The largest output is that of {NAMES[guess]}" in text
    assert "correct." in text
    assert "but the label is" in walk_text(found, NAMES, label=(guess + 1) % 3)
    assert text.index("FORWARD") < text.index("layer 0") < text.index("BACKWARD") < text.rindex("layer 0")
    assert re.search(r"W +64×5 ", text)


def test_numbers_in_few_words():
    assert shorten(np.array(0.5)) == "0.5"
    assert shorten(np.array([[1.0, -0.25, 0.0]])) == "[1 −0.25 0]"
    assert shorten(np.zeros((4, 50))) == "all 200 are 0"
    many = np.zeros(1000)
    many[500:] = np.arange(500)
    assert shorten(many, most=2) == "[…, 1 2, …]; min 0, mean 125, max 499; 50 % are 0"
    assert shorten(np.array([-0.0, 1e-5])) == "[0 1e−5]"
    assert shape_text(np.zeros((1, 8, 8, 4))) == "1×8×8×4"
    assert shape_text(np.float32(3)) == "number"


def test_what_is_shown_as_a_picture():
    assert [p.shape for p in pictures_in(np.zeros((1, 6, 5, 3)))] == [(6, 5)] * 3
    kernels = np.arange(24).reshape(2, 2, 3, 2)
    assert_array_equal(pictures_in(kernels)[1], kernels[:, :, 1, 0])
    assert [p.shape for p in pictures_in(np.zeros((1, 784)))] == [(28, 28)]
    assert [p.shape for p in pictures_in(np.zeros((784, 30)))] == [(28, 28)] * 30
    assert pictures_in(np.zeros(10)) == []
    assert pictures_in(np.zeros((1, 1, 1, 120))) == []


def test_the_page_stands_by_itself_and_holds_every_array():
    net = conv()
    found = walk(net, IMAGE, np.int64(2))
    text = explain_page(found, NAMES, label=2, title="Image 0 & <co>")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"base64,[^\"]*", "", text))
    assert "Image 0 &amp; &lt;co&gt;" in text
    assert text.count("<section") == 2 * len(found.steps)
    assert text.count('<th scope="row">') == sum(len(step.forward) + len(step.backward) for step in found.steps)
    assert "y[p] = Σ over places k" in text
    sources = re.findall(r'<img [^>]*src="([^"]*)"', text)
    assert sources and all(src.startswith("data:image/png;base64,") for src in sources)
    assert len([alt for alt in re.findall(r'<img [^>]*alt="([^"]*)"', text) if alt]) == len(sources)


@pytest.mark.parametrize("net", [mlp([64, 5, 3]), conv()], ids=["dense", "conv"])
def test_the_step_is_that_of_the_optimizer(net):
    step = take_step(net, IMAGE, np.int64(2), 0.1)
    twin = net.copy()
    ReferenceEngine(twin, SGD(0.1)).train_batches(IMAGE[None], np.array([2]), np.arange(1), 1, [0.1])
    after, before = twin.parameters(), net.parameters()
    assert [change.name for change in step.changes] == list(after)
    for change in step.changes:
        difference = after[change.name].value - before[change.name].value
        assert change.after == after[change.name].value[change.place]
        assert change.before == before[change.name].value[change.place]
        assert abs(change.after - change.before) == pytest.approx(np.abs(difference).max(), rel=1e-3)
        assert change.before - 0.1 * change.gradient == pytest.approx(change.after, abs=1e-6)
        assert change.changed <= change.size == difference.size
    assert step.loss_before == pytest.approx(walk(net, IMAGE, np.int64(2)).loss)
    assert step.loss_after == pytest.approx(walk(twin, IMAGE, np.int64(2)).loss) and step.loss_after < step.loss_before
    text = step_text(step)
    assert text.startswith("STEP\n\nw ← w − η ∂L/∂w with η = 0.1, for this image alone")
    assert text.count(" change\n") == len(step.changes)


def test_frozen_weights_take_no_step():
    net = mlp([64, 5, 3])
    net.parameters()["0.W"].trainable = False
    assert [change.changed == 0 for change in take_step(net, IMAGE, np.int64(1), 1.0).changes][:2] == [True, False]


def test_the_page_leaves_out_blank_pictures_and_says_so():
    net = Network([Conv2D(4, 3), ReLU(), Flatten(), Dense(3)], (8, 8, 1), LogLikelihood(), seed=4)
    net.parameters()["0.b"].value[:3] = -100  # three maps are 0 after ReLU
    text = explain_page(walk(net, IMAGE, np.int64(2)), NAMES, label=2, title="", step=take_step(net, IMAGE, 2, 0.1))
    assert "3 blank pictures are left out: every number in them is 0." in text
    assert "The step: w ← w − η ∂L/∂w" in text and "0.W[" in text


def test_labels_that_the_network_has_no_output_for():
    check_label(mlp([64, 3]), 2)
    with pytest.raises(ShapeError, match="got label 3 for a network with outputs"):
        check_label(mlp([64, 3]), 3)
    assert isinstance(Sigmoid(), Layer)
