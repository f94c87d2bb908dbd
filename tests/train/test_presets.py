"""The recipes: complete, of networks that exist, and taken by the fast engine."""

import pytest

from digitlab.engine.fast import make_plan
from digitlab.errors import ConfigError
from digitlab.nn.zoo import build_named
from digitlab.optim import Adam
from digitlab.train.presets import PRESETS, preset


@pytest.mark.parametrize("name", PRESETS)
def test_every_recipe_has_a_network_with_kernels(name):
    network = build_named(PRESETS[name].net)
    assert not isinstance(make_plan(network, Adam()), str)
    assert PRESETS[name].settings["keep"] == "last", "no validation images are left to choose an epoch by"
    assert PRESETS[name].data == {"source": "mnist", "split": "60k/10k"}


def test_an_unknown_recipe():
    with pytest.raises(ConfigError, match="'fastest'; there are: sprint, minute, best"):
        preset("fastest")
