"""Pixel bytes become numbers as the named scalings say, inside the network and nowhere else."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError
from digitlab.nn import load_network, mlp
from digitlab.nn.scaling import NAMED, Scaling, as_scaling, describe_scaling

BYTES = np.array([[0, 128, 255]], dtype=np.uint8)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("/255", [0, 128 / 255, 1]),
        ("/256", [0, 0.5, 255 / 256]),
        ("0.01-1", [0.01, 0.01 + 0.99 * 128 / 255, 1]),
        ("none", [0, 128, 255]),
        ((2.0, -1.0), [-1, 255, 509]),
    ],
)
def test_by_hand(name, expected):
    prepared = mlp([3, 2], scaling=name).prepare(BYTES)
    assert prepared.dtype == np.float32
    assert_allclose(prepared, [expected], rtol=1e-6)


@pytest.mark.parametrize("name", NAMED)
def test_floating_point_input_is_taken_as_it_is(name):
    x = np.array([[0.25, 0.5, 7.0]], dtype=np.float32)
    assert mlp([3, 2], scaling=name).prepare(x) is x
    assert_array_equal(mlp([3, 2], scaling=name).prepare(x.astype(np.float64)), x)


@pytest.mark.parametrize("choice", [*NAMED, [0.5, 0.25]], ids=str)
def test_a_saved_network_keeps_its_scaling(choice, tmp_path):
    network = mlp([3, 2], scaling=choice)
    network.save(tmp_path / "net.safetensors")
    again = load_network(tmp_path / "net.safetensors")
    assert again.scaling == network.scaling
    assert_array_equal(again.predict(BYTES), network.predict(BYTES))


def test_there_and_back():
    for choice in (*NAMED, [0.5, 0.25]):
        assert describe_scaling(as_scaling(choice)) == choice
    assert as_scaling(Scaling(2.0)) == Scaling(2.0)


@pytest.mark.parametrize("wrong", ["/254", (1.0,), [1, 2, 3], None, 255, "", [1.0, "x"], ["a", "b"]], ids=str)
def test_an_unknown_scaling_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"unknown scaling .*there are: /255, /256"):
        as_scaling(wrong)
