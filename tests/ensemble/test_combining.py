"""Networks combined into one, by hand and against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.data import load
from digitlab.ensemble import combine, members
from digitlab.ensemble.combining import covers_of, targets_for
from digitlab.ensemble.report import rescaled
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import Combine, Conv2D, Dense, Flatten, Network, load_network, mlp
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Quadratic
from digitlab.train import evaluate


def nets(n=3, loss="log-likelihood", out=10, **more):
    return [mlp([64, 6, out], loss=loss, seed=seed, init="large", **more) for seed in range(n)]


IMAGES = load("digits").test.images[:40]
LABELS = load("digits").test.labels[:40]


def said(*outputs, rule="mean", weights=None, covers=None, classes=2):
    """What `Combine` and a softmax make of these outputs, a row for each network."""
    layer = Combine([len(o) for o in outputs], classes, rule, weights, covers)
    logits, _ = layer.forward(np.array([np.concatenate(outputs)]))
    return pytest.approx((np.exp(logits[0]) / np.exp(logits[0]).sum()).tolist(), abs=1e-3)


def test_by_hand():
    assert said([0.8, 0.2], [0.4, 0.6]) == [0.6, 0.4]
    assert said([0.8, 0.2], [0.4, 0.6], weights=[1, 3]) == [0.5, 0.5]
    assert said([0.9, 0.1], [0.4, 0.6], [0.4, 0.6], rule="vote") == [0.333, 0.667]
    logits, _ = Combine([2, 2], 2, "vote").forward(np.array([[0.9, 0.1, 0.4, 0.6]]))
    assert logits[0, 0] > logits[0, 1], "the mean decides between equally many votes"
    assert said([0.8, 0.8], [0.1, 0.3]) == [0.375, 0.625], "outputs are brought to the sum 1 first"


def test_specialists_by_hand():
    # The first knows class 0 and others, the second classes 1 and 2 and others: .6, and .2, .3 (its "other" is .5).
    assert said([0.6, 0.4], [0.2, 0.3, 0.5], covers=[[0], [1, 2]], classes=3) == [0.545, 0.182, 0.273]
    assert said([0.6, 0.4], [0.2, 0.3, 0.5], covers=[[0], [1, 2]], classes=3, rule="vote") == [1, 0, 0], (
        "only one voted"
    )


@pytest.mark.parametrize("loss", ["log-likelihood", "quadratic"])
def test_the_mean_is_that_of_the_members(loss):
    parts = nets(loss=loss)
    p = [n.predict(IMAGES) for n in parts]
    expected = np.mean([q / q.sum(axis=1, keepdims=True) for q in p], axis=0)
    assert_allclose(combine(parts, "mean").predict(IMAGES), expected, atol=2e-5)


def test_the_vote_is_that_of_the_members():
    parts = nets(5)
    votes = np.stack([n.predict(IMAGES).argmax(axis=1) for n in parts])  # (K, N)
    counts = np.stack([(votes == c).sum(axis=0) for c in range(10)], axis=1)  # (N, C)
    got = combine(parts, "vote").predict(IMAGES).argmax(axis=1)
    assert_array_equal(counts[np.arange(40), got], counts.max(axis=1))


def test_the_weights_are_log_odds():
    parts = nets(3, out=10)
    valid = (IMAGES, parts[0].predict(IMAGES).argmax(axis=1))  # the first is always right
    layer = combine(parts, "weighted", valid=valid).layers[1]
    assert layer.weights[0] == pytest.approx(np.log(41)) and layer.weights[0] > layer.weights[1]


def test_the_stack_learns_from_the_validation_set_alone():
    parts = nets(3)
    digits = load("digits")
    whole = combine(parts, "stack", valid=digits.valid)
    alone = max(evaluate(part, digits.test.images, digits.test.labels).accuracy for part in parts)
    assert evaluate(whole, digits.test.images, digits.test.labels).accuracy > alone + 0.1, "of untrained members"
    for part, kept in zip(parts, members(whole), strict=True):
        for name, array in part.state().items():
            assert_array_equal(array, kept.state()[name], err_msg="the members stay as they are")
    assert_array_equal(whole.predict(IMAGES), combine(parts, "stack", valid=digits.valid).predict(IMAGES))


@pytest.mark.parametrize("how", ["vote", "mean", "weighted", "stack"])
def test_one_file_that_is_read_like_any_network(how, tmp_path):
    parts = nets()
    whole = combine(parts, how, valid=(IMAGES, parts[0].predict(IMAGES).argmax(axis=1)))
    whole.save(tmp_path / "whole.safetensors")
    read = load_network(tmp_path / "whole.safetensors")
    assert_array_equal(read.predict(IMAGES), whole.predict(IMAGES))
    assert len(members(read)) == 3
    assert not any(p.trainable for p in read.parameters().values()), "its members are frozen"


def test_members_with_other_scalings_and_shapes():
    conv = Network([Conv2D(2, 3), Flatten(), Dense(10)], (8, 8, 1), LogLikelihood(), scaling="0.01-1", seed=5)
    parts = [nets(1)[0], conv]
    whole = combine(parts, "mean")
    expected = np.mean([n.predict(IMAGES) for n in parts], axis=0)
    assert_allclose(whole.predict(IMAGES), expected, atol=1e-5)
    for mine, alone in zip(parts, rescaled(whole), strict=True):
        assert_allclose(alone.predict(IMAGES), mine.predict(IMAGES), atol=1e-5)


def test_an_ensemble_of_ensembles():
    inner = combine(nets(2), "mean")
    whole = combine([inner, *nets(1)], "mean")
    assert_allclose(whole.predict(IMAGES), np.mean([n.predict(IMAGES) for n in [inner, *nets(1)]], axis=0), atol=1e-5)


def test_networks_that_are_no_ensembles():
    assert members(nets(1)[0]) == []


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.permutations(range(10)), st.integers(1, 4))
@settings(max_examples=50)
def test_what_a_specialist_should_answer(labels, order, size):
    cover = list(order)[:size]
    for label, target in zip(labels, targets_for(labels, cover)):
        assert target == (cover.index(label) if label in cover else size)
    assert_array_equal(targets_for(labels, []), labels)


@pytest.mark.parametrize(
    ("parts", "settings", "message"),
    [
        (nets(1), {}, "got 1 networks"),
        (nets(), {"how": "magic"}, "expected one of vote, mean"),
        (nets(), {"how": "weighted"}, "needs a validation set"),
        ([*nets(1), mlp([64, 4, 5])], {"classes": 10}, "member 1 has 5 outputs for 10 classes"),
        ([*nets(1), mlp([63, 10])], {}, "inputs of .* numbers"),
        ([*nets(1), mlp([64, 10], dtype="float64")], {}, "float64"),
        ([mlp([64, 1])] * 2, {}, "expected one per class"),
        ([mlp([64, 3]), mlp([64, 3])], {"covers": [[0, 1], [3, 4]]}, "no network knows class 2"),
        ([mlp([64, 2]), mlp([64, 3])], {"covers": [[0, 1, 2], [0, 1, 2]]}, "2 outputs cannot stand for"),
    ],
)
def test_what_cannot_be_combined(parts, settings, message):
    with pytest.raises((ConfigError, ShapeError), match=message):
        combine(parts, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "loud"}, "'mean' or 'vote'"),
        ({"weights": [1]}, "expected 2"),
        ({"weights": [-1, 2]}, "not negative"),
        ({"weights": [0, 0]}, "not all 0"),
        ({"covers": [[0]]}, "covers of 1 networks"),
    ],
)
def test_combine_layers_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        Combine([2, 2], 2, **settings)


def test_quadratic_members_are_recognized_by_their_covers():
    parts = [mlp([64, 3], seed=0), mlp([64, 2], seed=1)]
    whole = combine(parts, "mean", covers=[[0, 2], [1]])
    assert covers_of(whole) == [[0, 2], [1]] and whole.shapes[-1] == (3,)
    assert isinstance(parts[0].loss, Quadratic)
