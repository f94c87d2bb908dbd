"""Members that differ, and what together they gain."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from digitlab.data import load
from digitlab.ensemble import KINDS, Snapshots, combine, diversity, gain, member_configs, snapshot_networks
from digitlab.ensemble.making import covers_for, image_parts
from digitlab.errors import ConfigError, DataError
from digitlab.nn import build_network, describe_network, mlp
from digitlab.nn.zoo import build_named
from digitlab.optim import SGD
from digitlab.parallel import train_many
from digitlab.train import RunConfig

DIGITS = load("digits")


def config(epochs=3, **settings):
    return RunConfig(
        describe_network(mlp([64, 12, 10])),
        {"source": "digits"},
        SGD(3.0),
        epochs=epochs,
        engine="reference",
        **settings,
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "snapshots"])
def test_every_kind_trains_and_combines(kind):
    configs = member_configs(config(), kind, 4)
    assert len({c.seed for c in configs}) == 4
    together = train_many(configs, workers=1)
    assert len(together.good) == 4, together.outcomes[0].error
    whole = combine(together.networks(), "mean", covers=covers_for(configs), classes=10)
    found = gain(whole, DIGITS.test.images, DIGITS.test.labels)
    assert found.whole > 0.5
    if kind in ("shares", "parts"):  # members that know little: together they know more than the best of them
        assert found.whole > max(found.members)


def test_bagging_draws_with_replacement_and_shares_share_nothing():
    sets = [load(**c.data).train for c in member_configs(config(), "bagging", 3)]
    assert all(len(s) == len(DIGITS.train) for s in sets)
    unique = [len(np.unique(s.images.reshape(len(s), -1), axis=0)) for s in sets]
    assert all(0.58 < u / len(DIGITS.train) < 0.68 for u in unique), "about 1 − 1/e of the images"
    assert not np.array_equal(sets[0].images, sets[1].images)
    shares = [load(**c.data).train for c in member_configs(config(), "shares", 4)]
    assert sum(map(len, shares)) == len(DIGITS.train)
    assert_array_equal(np.sort(np.concatenate([s.labels for s in shares])), np.sort(DIGITS.train.labels))


def test_specialists_split_the_digits():
    configs = member_configs(config(), "specialists", 4)
    assert covers_for(configs) == [[0, 1, 2], [3, 4, 5], [6, 7], [8, 9]]
    for c, cover in zip(configs, covers_for(configs), strict=True):
        assert build_network(c.network, seed=None).shapes[-1] == (len(cover) + 1,)
        sets = load(**c.data)
        assert sets.train.class_names == (*(str(d) for d in cover), "other")
        for digit, label in zip(DIGITS.test.labels[:50], sets.test.labels[:50]):
            assert label == (cover.index(digit) if digit in cover else len(cover))


@pytest.mark.parametrize("group", [[1, 1], [10], [-1]])
def test_groups_that_are_none(group):
    with pytest.raises(DataError, match="got group"):
        load("digits", group=group)


@pytest.mark.parametrize("share", [[0, 2], [3, 2], [1]])
def test_shares_that_are_none(share):
    with pytest.raises(DataError, match="share: got"):
        load("digits", share=share)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@pytest.mark.parametrize("shape", [(8, 8), (28, 28)])
def test_parts_cover_the_image_and_share_nothing(n, shape):
    places = np.concatenate([part.places(shape).ravel() for part in image_parts(shape, n)])
    assert_array_equal(np.sort(places), np.arange(shape[0] * shape[1]))


def test_parts_of_convolutional_networks():
    base = dataclasses.replace(config(), network=describe_network(build_named("basic-conv")))
    upper, lower = member_configs(base, "parts", 2)
    assert build_network(upper.network).shapes[1] == (14, 28, 1) and upper.network != lower.network


@pytest.mark.parametrize(
    ("kind", "n", "message"),
    [
        ("magic", 3, "there are: seeds"),
        ("seeds", 1, "expected at least 2"),
        ("specialists", 11, "11 specialists for 10 classes"),
        ("snapshots", 9, "3 epochs for 9 snapshots"),
        ("parts", 9, "9 parts for images of 8 rows"),
    ],
)
def test_members_that_cannot_be(kind, n, message):
    with pytest.raises(ConfigError, match=message):
        member_configs(config(), kind, n)


def test_snapshots_are_the_networks_at_the_ends_of_the_cycles(tmp_path):
    (cyclic,) = member_configs(config(epochs=6), "snapshots", 3)
    kept = []

    class Copy(Snapshots):
        def on_epoch_end(self, trainer, row):
            super().on_epoch_end(trainer, row)
            kept.append(trainer.network.predict(DIGITS.test.images))

    trainer = cyclic.trainer([Copy(tmp_path, 3)])
    history = trainer.fit(DIGITS.train, DIGITS.valid, epochs=6)
    networks = snapshot_networks(tmp_path)
    assert len(networks) == 3
    for network, epoch in zip(networks, (2, 4, 6), strict=True):
        assert_array_equal(network.predict(DIGITS.test.images), kept[epoch - 1])
    rates = history.column("learning_rate")
    assert rates[1] < 0.01 * 3 < rates[2], "near 0 at a cycle's end, and up again after it"


# Diversity


def test_diversity_by_hand():
    d = diversity([[1, 1, 1, 0], [1, 1, 0, 1]])
    assert d == (0.5, -1.0, 0.0)
    # N¹¹ = 2, N⁰⁰ = 1, N¹⁰ = 1, N⁰¹ = 1: Q = (2·1 − 1·1)/(2·1 + 1·1) = 1/3
    d = diversity([[1, 1, 1, 0, 0], [1, 1, 0, 1, 0]])
    assert (d.disagreement, d.double_fault) == (0.4, 0.2) and d.q == pytest.approx(1 / 3)


def test_members_that_err_together_and_independently():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 100_000)) < 0.9
    assert abs(diversity([a, b]).q) < 0.05
    assert diversity([a, a]).q == 1 and diversity([a, a]).disagreement == 0
    assert np.isnan(diversity([[1, 1], [1, 1]]).q), "where nobody errs it is not defined"


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=2, max_size=4))
def test_diversity_stays_in_its_bounds_and_knows_no_order(correct):
    d, e = diversity(correct), diversity(correct[::-1])
    assert 0 <= d.disagreement <= 1 and 0 <= d.double_fault <= 1
    assert np.isnan(d.q) or -1 <= d.q <= 1
    assert d.disagreement == e.disagreement


@pytest.mark.parametrize("correct", [[[1, 0]], [1, 0], np.zeros((2, 0))])
def test_diversity_of_too_little(correct):
    with pytest.raises(ConfigError, match="diversity: got an array of shape"):
        diversity(correct)


def test_gain_counts_what_it_says():
    parts = [mlp([64, 9, 10], seed=s, init="large") for s in range(3)]
    whole = combine(train_many(member_configs(config(2), "seeds", 3), workers=1).networks(), "vote")
    x, y = DIGITS.test.images, DIGITS.test.labels
    found = gain(whole, x, y)
    from digitlab.ensemble import members

    right = np.stack([m.predict(x).argmax(axis=1) == y for m in members(whole)])
    together = whole.predict(x).argmax(axis=1) == y
    best = right[right.mean(axis=1).argmax()]
    assert found.members == [float(v) for v in right.mean(axis=1)]
    assert found.whole == together.mean() and found.oracle == right.any(axis=0).mean()
    assert (found.mended, found.spoilt) == ((~best & together).sum(), (best & ~together).sum())
    assert found.shared == (~right.any(axis=0) & ~together).sum()
    assert_array_equal(found.errors, np.flatnonzero(~together))
    with pytest.raises(ConfigError, match="is no ensemble"):
        gain(parts[0], x, y)
