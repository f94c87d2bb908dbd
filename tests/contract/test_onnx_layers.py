"""Every layer as ONNX operators computes what it computes here, by ONNX Runtime."""

import copy

import numpy as np
import pytest

from digitlab import nn
from digitlab.exporting import export_network

from .examples import LAYERS


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[repr(layer)[:60] for layer, _ in LAYERS])
def test_onnx_of_every_layer(layer, shape, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    network = nn.Network([copy.deepcopy(layer)], shape, nn.MeanSquaredError(), scaling="none", seed=1)
    rng = np.random.default_rng(2)
    for p in network.parameters().values():
        p.value = p.value + rng.normal(0, 0.2, p.value.shape).astype(p.value.dtype)  # biases and β, too
    x = rng.uniform(0.1, 1, (6, *shape)).astype(np.float32) * (1 if "Combine" in repr(layer) else 3)
    export_network(network, tmp_path / "net.onnx", "onnx")
    found = runtime.InferenceSession(tmp_path / "net.onnx").run(None, {"images": x})[0]
    np.testing.assert_allclose(found, network.predict(x), rtol=1e-5, atol=1e-5)
