"""Activations, Bias, Rescale and Dropout as ONNX operators."""

from digitlab.exporting.onnx_graph.graph import Graph, writes
from digitlab.nn import (
    ELU,
    GELU,
    Bias,
    Dropout,
    HardSigmoid,
    LeakyReLU,
    Linear,
    ReLU,
    Rescale,
    Sigmoid,
    SiLU,
    Softplus,
    Step,
    Tanh,
)
from digitlab.nn.shapes import Shape


@writes(ReLU, Sigmoid, Softplus, Tanh)
def write_plain(layer: ReLU | Sigmoid | Softplus | Tanh, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("Relu" if isinstance(layer, ReLU) else type(layer).__name__, x)


@writes(Linear)
def write_linear(layer: Linear, graph: Graph, x: str, shape: Shape) -> str:
    return x


@writes(LeakyReLU)
def write_leaky_relu(layer: LeakyReLU, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("LeakyRelu", x, alpha=float(layer.slope))


@writes(ELU)
def write_elu(layer: ELU, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("Elu", x, alpha=float(layer.alpha))


@writes(GELU)
def write_gelu(layer: GELU, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("Gelu", x, approximate="tanh")


@writes(SiLU)
def write_silu(layer: SiLU, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("Mul", x, graph.add("Sigmoid", x))


@writes(HardSigmoid)
def write_hard_sigmoid(layer: HardSigmoid, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@writes(Step)
def write_step(layer: Step, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("Cast", graph.add("GreaterOrEqual", x, graph.constant(0.0)), to=1)  # 1: float32


@writes(Bias)
def write_bias(layer: Bias, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("Add", x, graph.constant(layer.params["b"].value))


@writes(Rescale)
def write_rescale(layer: Rescale, graph: Graph, x: str, shape: Shape) -> str:
    return graph.add("Add", graph.add("Mul", x, graph.constant(layer.factor)), graph.constant(layer.offset))


@writes(Dropout)
def write_dropout(layer: Dropout, graph: Graph, x: str, shape: Shape) -> str:
    return x if layer.inverted else graph.add("Mul", x, graph.constant(1.0 - layer.rate))
