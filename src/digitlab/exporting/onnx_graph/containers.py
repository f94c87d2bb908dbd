"""Layers of layers, whole networks and combined outputs as ONNX operators."""

import numpy as np

from digitlab.exporting.onnx_graph.graph import Graph, write_chain, write_layer, writes
from digitlab.nn import Branches, Combine, Layer, Loss, PerNeuron, Residual, Sequential, Subnetwork
from digitlab.nn.per_neuron import neuron_numbers
from digitlab.nn.shapes import Shape


def write_activation(loss: Loss, graph: Graph, logits: str) -> str:
    """What the loss makes of the logits: sigmoid, softmax, or the logits themselves."""
    owned = {"sigmoid": "Sigmoid", "softmax": "Softmax"}.get(loss.owns or "")
    return graph.add(owned, logits, **({"axis": -1} if owned == "Softmax" else {})) if owned else logits


@writes(Sequential)
def write_sequential(layer: Sequential, graph: Graph, x: str, shape: Shape) -> str:
    """The layers one after the other."""
    return write_chain(layer.layers, graph, x, shape)[0]


@writes(Residual)
def write_residual(layer: Residual, graph: Graph, x: str, shape: Shape) -> str:
    """The inner layers, and Add with the input."""
    y, _ = write_chain(layer.layers, graph, x, shape)
    shortcut = x if layer.projection is None else write_layer(layer.projection, graph, x, shape)
    return graph.add("Add", shortcut, y)


@writes(Branches)
def write_branches(layer: Branches, graph: Graph, x: str, shape: Shape) -> str:
    """Every branch from the same input, then Concat, Sum or Mean."""
    parts = [write_layer(chain, graph, x, shape) for chain in layer.chains.values()]
    if layer.merge == "concatenate":
        return graph.add("Concat", *parts, axis=-1)
    return graph.add("Sum" if layer.merge == "sum" else "Mean", *parts)


@writes(PerNeuron)
def write_per_neuron(layer: PerNeuron, graph: Graph, x: str, shape: Shape) -> str:
    """Gather each group of neurons, apply its activation, put the columns back in order."""
    parts = []
    for activation, group in zip(layer.activations, layer.neurons):
        numbers = neuron_numbers(group)
        part = graph.add("Gather", x, graph.constant(numbers), axis=-1)
        parts.append(write_layer(activation, graph, part, (*shape[:-1], len(numbers))))
    joined = graph.add("Concat", *parts, axis=-1)
    return graph.add("Gather", joined, graph.constant(np.argsort(layer.order())), axis=-1)


@writes(Subnetwork)
def write_subnetwork(layer: Subnetwork, graph: Graph, x: str, shape: Shape) -> str:
    """The nodes of the inner network with its loss's activation."""
    inner = layer.inner
    chain: list[Layer] = layer.chain.layers
    y, _ = write_chain(chain, graph, graph.reshape(x, inner.input_shape), inner.input_shape)
    return write_activation(inner.loss, graph, y) if layer.outputs == "activations" else y


@writes(Combine)
def write_combine(layer: Combine, graph: Graph, x: str, shape: Shape) -> str:
    """The mean of the members' outputs, or their votes, for outputs side by side in x."""
    least, one = graph.constant(layer.least), graph.constant([1])
    means, votes, end = [], [], 0
    for matrix, size in zip(layer.matrices(np.zeros((1, shape[0]), np.float32)), layer.sizes):
        part = graph.add("Slice", x, graph.constant([end]), graph.constant([end + size]), one)
        part = graph.add("Max", part, least)  # (N, size)
        p = graph.add("Div", part, graph.add("ReduceSum", part, one))
        weights = graph.constant(matrix)
        means.append(graph.add("MatMul", p, weights))  # (N, classes)
        if layer.rule == "vote":
            first = graph.add("ArgMax", p, axis=1)  # (N, 1)
            most = graph.add("Cast", graph.add("Equal", first, graph.constant(np.arange(size))), to=1)
            votes.append(graph.add("MatMul", most, weights))
        end += size
    mean = graph.add("Sum", *means)
    whole = graph.add("Add", graph.add("ReduceSum", mean, one), least)
    said = graph.add("Div", graph.add("Add", mean, graph.constant(layer.least / layer.classes)), whole)
    if layer.rule == "vote":
        said = graph.add("Sum", *votes, graph.add("Mul", said, graph.constant(layer.tie)))
    return graph.add("Log", said)
