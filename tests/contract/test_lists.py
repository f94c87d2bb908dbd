"""Lists that must name every activation, layer, loss, optimizer or regularizer: leaving out a new one fails here.

The members of a family are found by looking at the package's classes, and the activations among the layers by what
they compute. What a list says of its members (which of them never fall, say) is computed here and compared.
"""

import copy
import inspect
import re

import numpy as np
import pytest

import digitlab
from digitlab import gradients, nn
from digitlab.cli.shared.options import Spec, family_named
from digitlab.cli.train import command as train_command
from digitlab.engine.fast import make_plan
from digitlab.engine.fast.operations import LAYERS as WITH_KERNEL
from digitlab.engine.fast.ops import activation, loss, optimizer
from digitlab.engine.fast.planner import RULES
from digitlab.errors import ShapeError
from digitlab.gradients import Gradient
from digitlab.nn.chains import initial
from digitlab.nn.describe import members, names
from digitlab.nn.initializers import He
from digitlab.nn.network import Activation, Layer, Loss, Network, Sigmoid
from digitlab.optim import SGD, Optimizer, Schedule
from digitlab.optim.regularizers import Regularizer
from digitlab.search.settings import dense_chain
from digitlab.train.config import REGULARIZERS
from digitlab.train.default_rate import default_learning_rate
from digitlab.viz.inverse_query import inverse_query
from engine import test_twins, test_twins_weights

from .examples import LAYERS, LOSSES, public

# What has no compiled kernel, and why. Everything else must have one.
WITHOUT_KERNEL = {
    "Repeat": "a copy of a few rows; its readable code takes a small part of the step",
    "Step": "it cannot be trained by backpropagation",
}


def elementwise(layer):
    """Whether a layer without parameters treats each number by itself: an activation, or what passes all on."""
    x = np.linspace(-4, 4, 12).reshape(1, 12)
    try:
        if layer.output_shape((12,)) != (12,) or layer.output_shape((3, 2, 2)) != (3, 2, 2):
            return False
        layer.init((12,), np.random.default_rng(0))
        if layer.params:
            return False
        y = layer.forward(x)[0]
        order = np.random.default_rng(1).permutation(12)
        alone = [layer.forward(x[:, i : i + 1])[0][0, 0] for i in range(12)]
        return np.array_equal(layer.forward(x[:, order])[0], y[:, order]) and np.array_equal(y[0], alone)
    except (ShapeError, ValueError, IndexError):
        return False


# Outside of training dropout passes all on; `Rescale` stands between networks that were trained apart.
NOT_ACTIVATIONS = (nn.Dropout, nn.Rescale)
# The activations of the package, found by what they compute, whatever list names them; each by its own defaults.
FOUND = {
    type(layer): type(layer)()
    for layer, _ in LAYERS
    if not isinstance(layer, NOT_ACTIVATIONS) and not layer.children() and elementwise(copy.deepcopy(layer))
}


def values(layer, x):
    return layer.forward(np.asarray(x, float)[None])[0][0]


# Activations


def test_all_activations_are_listed():
    assert len(FOUND) >= 11
    assert set(members(Activation)) == set(FOUND)
    assert {cls for cls in public(Layer) if cls.activates is True} == set(FOUND) - {nn.Linear}


def test_every_activation_has_a_kernel_or_is_known_to_have_none():
    assert set(activation.LAYERS) == {cls for cls in FOUND if cls.__name__ not in WITHOUT_KERNEL}


def test_the_twin_tests_try_every_activation():
    assert {type(layer) for layer in test_twins.ACTIVATIONS} == set(activation.LAYERS)


@pytest.mark.parametrize("cls", FOUND, ids=lambda cls: cls.__name__)
def test_an_activation_states_what_it_computes(cls):
    """Its facts, compared with its values: whether it falls, its bounds, and where it is flat."""
    y = values(FOUND[cls], np.linspace(-8, 8, 4001))
    assert cls.is_monotone == (np.diff(y) >= -1e-15).all()
    low, high, beyond = values(FOUND[cls], [-1e3, 1e3, 2e3])
    if np.isfinite(cls.bounds).all():
        np.testing.assert_allclose([low, high, beyond], [*cls.bounds, cls.bounds[1]])
    else:
        assert (high, beyond) == (1e3, 2e3)
        assert cls.bounds[1] == np.inf
    assert cls.bounds[0] <= y.min()
    assert y.max() <= cls.bounds[1]
    assert (cls.flat_at is not None) == (cls.bounds[1] == np.inf and (y[:1000] == y[0]).all())
    assert cls.flat_at in (None, low)


def test_which_activations_are_of_the_relu_family():
    """Large numbers pass, and of their negatives little or nothing: He's first weights make up for that half."""
    for cls, layer in FOUND.items():
        high, low = values(layer, [1e3, -1e3])
        rectifies = abs(high - 1e3) < 1 and abs(low) < 500
        assert isinstance(initial(None, layer)[0], He) == rectifies, cls


def test_the_inverse_query_knows_every_activation_that_rises():
    """The others it refuses; none is passed over."""
    for cls, layer in FOUND.items():
        network = Network([nn.Dense(6), copy.deepcopy(layer), nn.Dense(3)], 16, seed=1)
        try:
            picture = inverse_query(network, 1)
        except ShapeError as error:
            assert "needs activations with an inverse" in str(error)
            assert not (cls.is_monotone and cls.differentiable), cls
            continue
        assert np.isfinite(picture).all()
        assert cls.is_monotone, cls


def test_a_search_varies_chains_with_any_activation():
    for cls in FOUND:
        table = {
            "layers": [
                {"type": "Dense", "out_features": 4},
                {"type": cls.__name__},
                {"type": "Dense", "out_features": 2},
            ]
        }
        layers = dense_chain(table, {"width": 7})["layers"]
        assert [layer["type"] for layer in layers] == ["Dense", cls.__name__, "Dense"]


# Layers


def test_every_layer_has_a_kernel_or_is_known_to_have_none():
    named = {cls.__name__ for cls in WITH_KERNEL}
    assert named | set(WITHOUT_KERNEL) == {cls.__name__ for cls in public(Layer)}
    assert not named & set(WITHOUT_KERNEL)


def test_a_layer_that_has_none_runs_as_readable_code():
    tried = set()
    for layer, shape in LAYERS:
        if type(layer).__name__ in WITHOUT_KERNEL:
            network = Network([copy.deepcopy(layer), nn.Flatten(), nn.Dense(2)], shape)
            plan, reason = make_plan(network, SGD(0.1)), f"no kernel for {type(layer).__name__}, layer 0"
            assert (plan if isinstance(plan, str) else plan.readable[0].reason) == reason
            tried.add(type(layer).__name__)
    assert tried == set(WITHOUT_KERNEL)


@pytest.mark.parametrize("family", [Layer, Loss, nn.Initializer], ids=lambda family: family.__name__)
def test_the_package_hands_out_all_of_a_family(family):
    missing = {cls.__name__ for cls in public(family)} - set(nn.__all__)
    assert not missing, f"add {sorted(missing)} to the __all__ of their files"
    for cls in public(family):
        assert getattr(digitlab, cls.__name__) is cls


@pytest.mark.parametrize("family", [Optimizer, Schedule], ids=lambda family: family.__name__)
def test_the_package_hands_out_all_optimizers_and_schedules(family):
    for cls in public(family):
        assert cls.__name__ in digitlab.optim.__all__
        assert getattr(digitlab, cls.__name__) is cls


def test_the_package_hands_out_all_gradients():
    assert {cls.__name__ for cls in public(Gradient)} <= set(gradients.__all__)


# Losses


def test_every_loss_has_a_kernel():
    assert set(loss.CODES) == public(Loss)


def test_the_twin_tests_try_every_loss_optimizer_and_regularizer():
    for losses in (test_twins.LOSSES, test_twins_weights.LOSSES, LOSSES):
        assert {type(loss) for loss in losses} == public(Loss)
    assert {type(optimizer) for optimizer in test_twins.OPTIMIZERS} == public(Optimizer)
    text = inspect.getsource(test_twins)
    assert all(f"{cls.__name__}(" in text for cls in public(Regularizer))


def test_losses_by_their_output_activation():
    z = np.random.default_rng(0).normal(size=(3, 4))
    sigmoid = values(Sigmoid(), z.ravel()).reshape(3, 4)
    softmax = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    for cls in public(Loss):
        a = cls().activation(z)
        assert (cls.owns == "sigmoid") == np.allclose(a, sigmoid)
        assert (cls.owns == "softmax") == np.allclose(a, softmax)
        assert (cls.owns == "") == np.array_equal(a, z)
        assert (cls.output_range is None) == (cls.owns == "")


def test_the_inverse_query_knows_every_loss():
    for cls in public(Loss):
        assert np.isfinite(inverse_query(Network([nn.Dense(4), Sigmoid(), nn.Dense(3)], 16, cls()), 1)).all()


# Optimizers, regularizers, gradients


def test_every_optimizer_has_a_kernel():
    assert set(optimizer.CODES) == public(Optimizer)


def test_every_regularizer_has_a_kernel_and_an_option():
    assert set(optimizer.REGULARIZERS) == public(Regularizer)
    assert {kind for kind, _ in REGULARIZERS.values()} == {cls.__name__ for cls in public(Regularizer)}
    assert set(REGULARIZERS) <= {parameter.name for parameter in train_command.params}


def test_every_optimizer_has_a_default_rate():
    """The book's η = 3 is for plain gradient descent; momentum and adaptive optimizers take smaller rates."""
    network = nn.mlp([784, 30, 10])
    for cls in public(Optimizer):
        rate = default_learning_rate(cls(), network)
        assert rate == 3.0 if cls is SGD else 0 < rate < 0.5, cls


def test_which_gradients_have_a_kernel():
    others = {
        "PerExample",
        "CentralDifferences",
        "ForwardDifferences",
        "ComplexStep",
        "SPSA",
        "ForwardGradient",
        "EvolutionStrategies",
    }
    assert {cls.__name__ for cls in RULES} | others == {cls.__name__ for cls in public(Gradient)}


# Words


@pytest.mark.parametrize(
    "option", [p for p in train_command.params if isinstance(p.type, Spec)], ids=lambda option: option.name
)
def test_a_help_that_lists_names_lists_all(option):
    """A help that begins to list the names of a family lists them all, or says with "..." that there are more."""
    known = names(family_named(getattr(option.type, "before", option.type).family))
    words = set(re.findall(r"[\w-]+", option.help))
    shown = [name for name in known if {name, name.partition("-")[0]} & words]
    if len(shown) > 1 and "..." not in option.help:
        missing = set(known) - set(shown)
        assert not missing, f"--{option.name}: add {sorted(missing)} to its help"
