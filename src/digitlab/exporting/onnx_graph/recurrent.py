"""Recurrent layers as ONNX operators, which want the steps first and the gates in an order of their own."""

import numpy as np

from digitlab.exporting.onnx_graph.graph import Graph, write_layer, writes
from digitlab.nn import GRU, LSTM, Bidirectional, SimpleRNN
from digitlab.nn.shapes import Shape

ORDER = {SimpleRNN: [0], LSTM: [0, 3, 1, 2], GRU: [1, 0, 2]}  # ONNX has i o f c and z r h; here: i f g o and r z n


@writes(SimpleRNN, LSTM, GRU)
def write_recurrent(layer: SimpleRNN | LSTM | GRU, graph: Graph, x: str, shape: Shape) -> str:
    """RNN, LSTM or GRU, with the weights in ONNX's order of gates."""
    units, order = layer.units, ORDER[type(layer)]

    def gates(values: np.ndarray) -> list[np.ndarray]:
        return [values[..., g * units : (g + 1) * units] for g in order]

    weights = [np.concatenate(gates(layer.params[key].value), axis=-1).T[None] for key in ("W", "U")]  # (1, gates·H, ·)
    inner = np.zeros(len(order) * units, np.float32)
    if "v" in layer.params:
        inner[-units:] = layer.params["v"].value
    bias = np.concatenate([*gates(layer.params["b"].value), inner])[None]  # (1, 2·gates·H)
    steps = graph.add("Transpose", x, perm=[1, 0, 2])  # (T, N, F)
    y = graph.add(
        "RNN" if isinstance(layer, SimpleRNN) else type(layer).__name__,
        steps,
        *map(graph.constant, (*weights, bias)),
        outputs=2,
        hidden_size=units,
        direction="reverse" if layer.reverse else "forward",
        **({"linear_before_reset": int(layer.reset == "after")} if isinstance(layer, GRU) else {}),
    )  # (T, 1, N, H), and the last state (1, N, H)
    if layer.returns == "last":
        return graph.reshape(f"{y}_1", (units,))
    states = graph.add("Squeeze", y, graph.constant([1]))
    return graph.add("Transpose", states, perm=[1, 0, 2])  # (N, T, H)


@writes(Bidirectional)
def write_bidirectional(layer: Bidirectional, graph: Graph, x: str, shape: Shape) -> str:
    """Both directions, then Concat along the features."""
    return graph.add("Concat", *(write_layer(child, graph, x, shape) for child in layer.children().values()), axis=-1)
