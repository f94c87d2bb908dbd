"""json: the file of Nielsen's network2.py, which its `load` and digitlab read."""

import json
from pathlib import Path

import numpy as np

from digitlab.errors import ConfigError
from digitlab.exporting.format import ExportFormat
from digitlab.files import write_text
from digitlab.nn import CrossEntropy, Dense, Dropout, Network, Quadratic, Sigmoid

COSTS = {Quadratic: "QuadraticCost", CrossEntropy: "CrossEntropyCost"}


def write(network: Network, path: Path) -> list[Path]:
    """Sizes, weights (out, in), biases (out, 1) and the cost.

    network2's pixels are byte/256. Another scaling, byte · f + o, goes into the first layer, which gives the same
    outputs: W ← 256 f W and b ← b + o Σ W. A layer without biases gets zeros.
    """
    layers = [layer for layer in network.layers if not isinstance(layer, Dropout)]
    dense, between = layers[::2], layers[1::2]
    fits = all(type(layer) is Dense for layer in dense) and all(type(layer) is Sigmoid for layer in between)
    if not fits or len(layers) % 2 == 0 or type(network.loss) not in COSTS or len(network.input_shape) != 1:
        others = [layer for layer in layers if type(layer) not in (Dense, Sigmoid)]
        raise ConfigError(
            "json: Nielsen's network2.py has only dense layers with sigmoids and the quadratic or cross-entropy cost; "
            f"got {others[0] if others else f'{layers} with {network.loss!r}'}. Export to onnx, npz or pytorch instead"
        )
    weights = [layer.connected(layer.params["W"].value).astype(np.float64) for layer in dense]  # type: ignore[attr-defined]
    biases = [
        layer.params["b"].value.astype(np.float64) if "b" in layer.params else np.zeros(w.shape[1])
        for layer, w in zip(dense, weights)
    ]
    if network.scaling.factor != 1:
        biases[0] = biases[0] + network.scaling.offset * weights[0].sum(axis=0)
        weights[0] = weights[0] * (256 * network.scaling.factor)
    table = {
        "sizes": [weights[0].shape[0], *(w.shape[1] for w in weights)],
        "weights": [w.T.tolist() for w in weights],
        "biases": [b[:, None].tolist() for b in biases],
        "cost": COSTS[type(network.loss)],
    }
    write_text(path, json.dumps(table))
    return [path]


FORMAT = ExportFormat("json", ".json", "the file of Nielsen's network2.py", write)
