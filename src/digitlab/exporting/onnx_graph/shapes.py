"""Dense, reshaping, slices and normalization as ONNX operators."""

import numpy as np

from digitlab.exporting.onnx_graph.graph import Graph, writes
from digitlab.nn import BatchNorm, Dense, Flatten, LayerNorm, Repeat, Reshape, Slice
from digitlab.nn.shapes import Shape


@writes(Dense)
def write_dense(layer: Dense, graph: Graph, x: str, shape: Shape) -> str:
    """MatMul with W (in, out), and Add of the biases."""
    y = graph.add("MatMul", x, graph.constant(layer.connected(layer.params["W"].value)))
    return graph.add("Add", y, graph.constant(layer.params["b"].value)) if "b" in layer.params else y


@writes(Flatten, Reshape)
def write_reshape(layer: Flatten | Reshape, graph: Graph, x: str, shape: Shape) -> str:
    """Reshape to the layer's output shape."""
    return graph.reshape(x, layer.output_shape(shape))


@writes(Repeat)
def write_repeat(layer: Repeat, graph: Graph, x: str, shape: Shape) -> str:
    """Tile: the input once for every step, along a new axis."""
    return graph.add("Tile", graph.reshape(x, (1, *shape)), graph.constant([1, layer.steps, 1]))


@writes(Slice)
def write_slice(layer: Slice, graph: Graph, x: str, shape: Shape) -> str:
    """Gather of the chosen numbers."""
    places = layer.places(shape)
    flat = graph.reshape(x, (int(np.prod(shape)),))
    return graph.reshape(graph.add("Gather", flat, graph.constant(places.ravel()), axis=1), places.shape)


@writes(BatchNorm)
def write_batch_norm(layer: BatchNorm, graph: Graph, x: str, shape: Shape) -> str:
    """The running mean and variance make it a factor and an offset for each feature."""
    factor = layer.params["gamma"].value / np.sqrt(layer.buffers["running_var"] + layer.epsilon)
    offset = layer.params["beta"].value - layer.buffers["running_mean"] * factor
    return graph.add("Add", graph.add("Mul", x, graph.constant(factor)), graph.constant(offset))


@writes(LayerNorm)
def write_layer_norm(layer: LayerNorm, graph: Graph, x: str, shape: Shape) -> str:
    """LayerNormalization over the layer's axes, with γ and β."""
    gamma, beta = (graph.constant(layer.params[key].value) for key in ("gamma", "beta"))
    axis = 1 if layer.axes is None else -layer.axes
    return graph.add("LayerNormalization", x, gamma, beta, axis=axis, epsilon=float(layer.epsilon))
