"""What a network says of an image: the classes, and none of them."""

import numpy as np
import pytest
from scipy.special import softmax

from digitlab.errors import ConfigError
from digitlab.judging import judge
from digitlab.nn import Dense, Network, load_network
from digitlab.nn.io.building import build_network, in_full, in_short
from digitlab.nn.io.description import describe_network

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 4, 4), np.uint8)


def network(open_set=True, loss="log-likelihood"):
    return Network([Dense(3)], 16, loss, seed=1, open_set=open_set)


def test_none_of_them_is_one_more_class_of_a_softmax():
    judged = judge(network(), IMAGES)
    logits = network().forward(IMAGES)[0].astype(np.float64)  # (7, 3)
    four = softmax(np.concatenate([logits, np.zeros((7, 1))], axis=1), axis=1)  # (7, 4)
    np.testing.assert_allclose(judged.not_digit, four[:, 3], rtol=1e-5)
    np.testing.assert_allclose(judged.probabilities, four[:, :3] / four[:, :3].sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(judged.confidence, four[:, :3].max(axis=1), rtol=1e-5)


@pytest.mark.parametrize("loss", ["log-likelihood", "cross-entropy", "quadratic"])
def test_a_network_that_knows_only_its_classes(loss):
    judged = judge(network(False, loss), IMAGES)
    assert not judged.not_digit.any()
    np.testing.assert_allclose(judged.probabilities.sum(axis=1), 1)


def test_the_setting_is_saved_copied_and_described(tmp_path):
    network().save(tmp_path / "n.safetensors")
    assert load_network(tmp_path / "n.safetensors").open_set
    assert network().copy().open_set
    table = describe_network(network())
    assert table["open_set"] is True and in_short(in_full(table)) == table
    assert build_network(table).open_set and not build_network(describe_network(network(False))).open_set
    assert network()[:1].open_set


def test_wrong_settings():
    with pytest.raises(ConfigError, match="open_set: got the loss Quadratic"):
        network(loss="quadratic")
    with pytest.raises(ConfigError, match="open_set: got 'yes', expected true or false"):
        build_network(describe_network(network()) | {"open_set": "yes"})
