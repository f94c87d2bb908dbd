"""What every loss must do: one test a clause of the contract."""

import copy
import json

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.arrays import to_numpy
from digitlab.errors import ShapeError
from digitlab.gradients import ComplexStep, check_gradients
from digitlab.nn import Linear, Loss, Network
from digitlab.nn.describe import build, describe

from .examples import LOSSES, batch, public

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=map(repr, LOSSES))
LABELS = np.array([1, 0, 3, 3])
KINDS = ["labels", "one-hot", "soft", "arbitrary"]
each_kind = pytest.mark.parametrize("kind", KINDS)


def targets_of(kind, dtype="float64"):
    rng = np.random.default_rng(7)
    return {
        "labels": LABELS,
        "one-hot": np.eye(4)[LABELS].astype(dtype),
        "soft": rng.dirichlet(np.ones(4), 4).astype(dtype),
        "arbitrary": rng.random((4, 4)).astype(dtype),  # rows that do not sum to 1: no probabilities, but allowed
    }[kind]


def logits(dtype="float64"):
    return 2 * batch((4,), n=4, dtype=dtype)


def test_everything_has_an_example():
    missing = {cls.__name__ for cls in public(Loss)} - {type(loss).__name__ for loss in LOSSES}
    assert not missing, f"add an example of {sorted(missing)} to tests/contract/examples.py"


@each_loss
@each_kind
@pytest.mark.parametrize("way, tolerance", [(None, 1e-6), (ComplexStep(), 1e-11)], ids=["central", "complex"])
def test_delta_agrees_with_differences(loss, kind, way, tolerance):
    net = Network([Linear()], 4, copy.deepcopy(loss), dtype="float64")
    report = check_gradients(net, logits(), targets_of(kind), method=way, tolerance=tolerance)
    assert report.passed, f"\n{report}"


@each_loss
@each_kind
def test_value_is_the_mean_over_the_batch(loss, kind):
    z, t = logits(), targets_of(kind)
    alone = [loss.forward(z[i : i + 1], t[i : i + 1])[0] for i in range(4)]
    assert_allclose(loss.forward(z, t)[0], np.mean(alone), rtol=1e-13)
    deltas = [loss.backward(loss.forward(z[i : i + 1], t[i : i + 1])[1]) for i in range(4)]
    assert_allclose(loss.backward(loss.forward(z, t)[1]), np.concatenate(deltas) / 4, rtol=1e-13, atol=1e-16)


@each_loss
@each_kind
def test_weights_count_each_example_so_much(loss, kind):
    z, t, weights = logits(), targets_of(kind), np.array([0.0, 2.0, 0.5, 1.0])
    alone = [loss.forward(z[i : i + 1], t[i : i + 1])[0] for i in range(4)]
    value, cache = loss.forward(z, t, weights)
    assert_allclose(value, np.mean(weights * alone), rtol=1e-13)
    plain = loss.backward(loss.forward(z, t)[1])
    assert_allclose(loss.backward(cache), weights[:, None] * plain, rtol=1e-13, atol=1e-16)
    ones = loss.forward(z, t, np.ones(4))
    assert ones[0] == loss.forward(z, t)[0]
    assert_array_equal(loss.backward(ones[1]), plain)


@each_loss
def test_labels_are_one_hot_rows_between_low_and_high_with_smoothing(loss):
    s = loss.label_smoothing
    written_out = np.where(np.eye(4)[LABELS] == 1, loss.high, loss.low) * (1 - s) + s / 4
    assert_allclose(loss.forward(logits(), LABELS)[0], loss.forward(logits(), written_out)[0], rtol=1e-14)


@each_loss
@each_kind
def test_inputs_stay_as_they_are(loss, kind):
    z, t = logits(), targets_of(kind).copy()
    kept_z, kept_t = z.copy(), t.copy()
    _, cache = loss.forward(z, t)
    loss.backward(cache)
    loss.activation(z)
    assert_array_equal(z, kept_z)
    assert_array_equal(t, kept_t)


@each_loss
@each_kind
def test_float32_stays_float32(loss, kind):
    z, t = logits("float32"), targets_of(kind, "float32")
    for weights in ([], [np.ones(4)]):
        value, cache = loss.forward(z, t, *weights)
        assert value.dtype == np.float32
        assert value.shape == ()
        assert loss.backward(cache).dtype == np.float32
    assert loss.activation(z).dtype == np.float32


@each_loss
@each_kind
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_extreme_logits_overflow_nowhere(loss, kind, dtype, size):
    z = (size * np.array([[-1, 1, -1, 1], [1, 1, 1, 1], [-1, -1, -1, -1], [1, -1, 0, 0]])).astype(dtype)
    with np.errstate(all="raise", under="ignore"):
        value, cache = loss.forward(z, targets_of(kind, dtype))
        assert np.isfinite(value)
        assert np.isfinite(loss.backward(cache)).all()
        assert np.isfinite(loss.activation(z)).all()


@each_loss
def test_describes_itself_and_is_built_again(loss):
    again = build(Loss, json.loads(json.dumps(describe(loss))))
    assert type(again) is type(loss)
    assert repr(again) == repr(loss)
    assert (again.label_smoothing, again.low, again.high) == (loss.label_smoothing, loss.low, loss.high)


@each_loss
@pytest.mark.parametrize("shape", [(3,), (4, 3), (4, 4, 1)])
def test_targets_of_another_shape_are_refused(loss, shape):
    with pytest.raises(ShapeError, match=r"targets of shape .* expected"):
        loss.forward(logits(), np.zeros(shape))


@each_loss
@each_kind
def test_runs_on_any_array_library_that_keeps_the_standard(loss, kind):
    agrees_on(loss, kind, array_api_strict.asarray, 1e-13)


@each_loss
@each_kind
def test_runs_on_torch_whose_own_derivative_agrees(loss, kind):
    torch = pytest.importorskip("torch")
    agrees_on(loss, kind, torch.asarray, 1e-12)
    z = torch.asarray(logits()).requires_grad_()
    value, cache = loss.forward(z, torch.asarray(targets_of(kind)))
    value.backward()
    with torch.no_grad():
        assert_allclose(loss.backward(cache), z.grad, rtol=1e-12, atol=1e-14)


def agrees_on(loss, kind, convert, tolerance):
    """Forward, backward and activation on another array library against NumPy's."""
    z, t, weights = logits(), targets_of(kind), np.array([0.0, 2.0, 0.5, 1.0])
    for more in ([], [weights]):
        value, cache = loss.forward(z, t, *more)
        other_value, other_cache = loss.forward(convert(z), convert(t), *map(convert, more))
        assert_allclose(float(other_value), float(value), rtol=tolerance)
        assert_allclose(to_numpy(loss.backward(other_cache)), loss.backward(cache), rtol=tolerance, atol=1e-15)
    assert_allclose(to_numpy(loss.activation(convert(z))), loss.activation(z), rtol=tolerance, atol=1e-15)
