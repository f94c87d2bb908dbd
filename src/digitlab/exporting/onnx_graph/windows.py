"""Convolution and pooling as ONNX operators, which want channels first: each is between two transpositions."""

from typing import Any

from digitlab.exporting.onnx_graph.graph import Graph, writes
from digitlab.nn import AveragePool2D, Conv2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.shapes import Shape
from digitlab.nn.windows import Windows


def between(graph: Graph, operator: str, x: str, *inputs: str, windows: Windows, **attributes: Any) -> str:
    """An operator on pictures (N, C, H, W) in a graph of (N, H, W, C)."""
    first = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    y = graph.add(
        operator,
        first,
        *inputs,
        kernel_shape=windows.kernel,
        strides=windows.stride,
        pads=[*windows.before, *windows.after],
        **attributes,
    )
    return graph.add("Transpose", y, perm=[0, 2, 3, 1])


@writes(Conv2D)
def write_conv(layer: Conv2D, graph: Graph, x: str, shape: Shape) -> str:
    """Conv, between Transposes from NHWC to NCHW and back."""
    windows = layer.windows(shape)
    inputs = [layer.connected(layer.params["W"].value).transpose(3, 2, 0, 1)]  # (F, C, kh, kw)
    inputs += [layer.params["b"].value] if "b" in layer.params else []
    constants = map(graph.constant, inputs)
    return between(graph, "Conv", x, *constants, windows=windows, dilations=windows.dilation)


@writes(MaxPool2D)
def write_max_pool(layer: MaxPool2D, graph: Graph, x: str, shape: Shape) -> str:
    """MaxPool, between Transposes as well."""
    return between(graph, "MaxPool", x, windows=layer.windows(shape))


@writes(AveragePool2D)
def write_average_pool(layer: AveragePool2D, graph: Graph, x: str, shape: Shape) -> str:
    """AveragePool, whose means leave the padding out."""
    return between(graph, "AveragePool", x, windows=layer.windows(shape), count_include_pad=0)


@writes(GlobalAveragePool)
def write_global_average_pool(layer: GlobalAveragePool, graph: Graph, x: str, shape: Shape) -> str:
    """ReduceMean over height and width."""
    return graph.add("ReduceMean", x, graph.constant([1, 2]), keepdims=0)
