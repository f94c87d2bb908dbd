"""ONNX: the whole network, from pixel bytes to probabilities. https://onnx.ai"""

from pathlib import Path
from typing import Any

from digitlab.errors import ConfigError
from digitlab.exporting.format import ExportFormat
from digitlab.files import atomic_write
from digitlab.nn import Network

OPSET, IR_VERSION = 20, 9  # ONNX 1.15 of 2023 and later read them


def onnx_model(network: Network) -> Any:
    """The network as an ONNX ModelProto, checked by ONNX's checker.

    Input "images": (N, *input_shape) pixel bytes (uint8), which the graph scales; for a network that was trained on
    numbers, or scales nothing, those numbers (float32). Output "outputs": the outputs of the network, after softmax or
    sigmoid, (N, classes). Weights are float32. Raises ConfigError for a layer without ONNX operators, or without onnx.
    """
    try:
        from onnx import TensorProto, checker, helper
    except ImportError:
        raise ConfigError("onnx: the package onnx is not installed; install it: pip install 'digitlab[onnx]'") from None
    from digitlab.exporting.onnx_graph import Graph
    from digitlab.exporting.onnx_graph.containers import write_activation
    from digitlab.exporting.onnx_graph.graph import write_chain

    graph, x = Graph(), "images"
    pixels = takes_pixels(network)
    if pixels:
        x = graph.add("Mul", graph.add("Cast", x, to=TensorProto.FLOAT), graph.constant(network.scaling.factor))
        if network.scaling.offset:
            x = graph.add("Add", x, graph.constant(network.scaling.offset))
    logits, shape = write_chain(network.layers, graph, x, network.input_shape)
    graph.nodes.append(helper.make_node("Identity", [write_activation(network.loss, graph, logits)], ["outputs"]))
    kind = TensorProto.UINT8 if pixels else TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("images", kind, ["N", *network.input_shape])]
    outputs = [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["N", *shape])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "digitlab", inputs, outputs, graph.constants),
        producer_name="digitlab",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    if network.class_names:
        helper.set_model_props(model, {"class_names": "\n".join(network.class_names)})
    checker.check_model(model, full_check=True)
    return model


def takes_pixels(network: Network) -> bool:
    """Whether the exported graph takes pixel bytes and scales them."""
    known = network.input_range
    return network.scaling.factor != 1 and (known is None or known.pixels)


def write(network: Network, path: Path) -> list[Path]:
    """Write one .onnx file, with the scaling and the output activation in it; return its path."""
    model = onnx_model(network)
    with atomic_write(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return [path]


FORMAT = ExportFormat("onnx", ".onnx", "the whole network, from pixel bytes to probabilities, for ONNX Runtime", write)
