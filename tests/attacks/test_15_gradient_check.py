"""The gradient check finds every layer whose backward pass is wrong by a hundredth."""

import numpy as np
import pytest

from contract.examples import LAYERS, batch, layer_network
from digitlab.gradients import check_gradients

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("at", range(len(LAYERS)))
def test_a_broken_layer(at, attempts):
    if at % 9 and not attempts.long:
        pytest.skip("every ninth layer; all with --long")
    layer, shape = LAYERS[at]
    if type(layer).__name__ == "Step":
        pytest.skip("has no derivative, which is said")
    network = layer_network(layer, shape)
    layer, x = network.layers[0], batch(shape)
    y = np.random.default_rng(at).normal(size=(len(x), *network.shapes[-1]))
    assert check_gradients(network, x, y).passed

    class _Broken(type(layer)):
        def backward(self, grad_y, cache):
            return super().backward(grad_y, cache) * 1.01

    layer.__class__ = _Broken
    assert not check_gradients(network, x, y).passed
    attempts.count()
