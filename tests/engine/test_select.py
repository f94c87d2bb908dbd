"""Which engine is chosen, with the reason; and the errors for those that cannot be had."""

import pytest

from digitlab.engine import ReferenceEngine, select_engine
from digitlab.errors import ConfigError
from digitlab.nn import mlp
from digitlab.optim import SGD
from digitlab.optim.regularizers import L2


def test_the_reference_engine_on_demand():
    engine, reason = select_engine("reference", mlp([4, 2]), SGD(0.1), [L2(1.0)], examples=7)
    assert isinstance(engine, ReferenceEngine)
    assert engine.name == "reference"
    assert (engine.examples, engine.regularizers) == (7, (L2(1.0),))
    assert reason and "\n" not in reason


def test_auto_says_why():
    engine, reason = select_engine("auto", mlp([4, 2]), SGD(0.1))
    assert engine.name == "fast"
    assert len(reason.split()) > 2
    assert "\n" not in reason


@pytest.mark.parametrize("name", ["auto", "fast", "reference", "pure"])
def test_another_device_or_precision_needs_an_engine_that_has_it(name):
    with pytest.raises(ConfigError, match=rf"device 'cuda': engine '{name}' .* \(--engine torch\)"):
        select_engine(name, mlp([3, 2]), SGD(0.1), device="cuda")
    with pytest.raises(ConfigError, match=rf"mixed precision: engine '{name}' .* \(--engine torch\)"):
        select_engine(name, mlp([3, 2]), SGD(0.1), mixed_precision=True)


def test_an_unknown_name():
    with pytest.raises(ConfigError, match=r"unknown engine 'quick'; there are: auto, .*reference"):
        select_engine("quick", mlp([4, 2]), SGD(0.1))
