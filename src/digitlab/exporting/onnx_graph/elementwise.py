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
    """The operator of the same name."""
    return graph.add("Relu" if isinstance(layer, ReLU) else type(layer).__name__, x)


@writes(Linear)
def write_linear(layer: Linear, graph: Graph, x: str, shape: Shape) -> str:
    """No node: y = x."""
    return x


@writes(LeakyReLU)
def write_leaky_relu(layer: LeakyReLU, graph: Graph, x: str, shape: Shape) -> str:
    """LeakyRelu with its slope."""
    return graph.add("LeakyRelu", x, alpha=float(layer.slope))


@writes(ELU)
def write_elu(layer: ELU, graph: Graph, x: str, shape: Shape) -> str:
    """Elu with its α."""
    return graph.add("Elu", x, alpha=float(layer.alpha))


@writes(GELU)
def write_gelu(layer: GELU, graph: Graph, x: str, shape: Shape) -> str:
    """Gelu, by the formula with tanh."""
    return graph.add("Gelu", x, approximate="tanh")


@writes(SiLU)
def write_silu(layer: SiLU, graph: Graph, x: str, shape: Shape) -> str:
    """x · Sigmoid(x)."""
    return graph.add("Mul", x, graph.add("Sigmoid", x))


@writes(HardSigmoid)
def write_hard_sigmoid(layer: HardSigmoid, graph: Graph, x: str, shape: Shape) -> str:
    """HardSigmoid: min(max(x/6 + ½, 0), 1)."""
    return graph.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@writes(Step)
def write_step(layer: Step, graph: Graph, x: str, shape: Shape) -> str:
    """GreaterOrEqual and Cast: 1 from 0 on, else 0."""
    return graph.add("Cast", graph.add("GreaterOrEqual", x, graph.constant(0.0)), to=1)  # 1: float32


@writes(Bias)
def write_bias(layer: Bias, graph: Graph, x: str, shape: Shape) -> str:
    """Add, the biases as a constant."""
    return graph.add("Add", x, graph.constant(layer.params["b"].value))


@writes(Rescale)
def write_rescale(layer: Rescale, graph: Graph, x: str, shape: Shape) -> str:
    """Mul and Add with the factor and the offset."""
    return graph.add("Add", graph.add("Mul", x, graph.constant(layer.factor)), graph.constant(layer.offset))


@writes(Dropout)
def write_dropout(layer: Dropout, graph: Graph, x: str, shape: Shape) -> str:
    """No node, since the graph is for inference; Mul with 1 − p where training does not scale."""
    return x if layer.inverted else graph.add("Mul", x, graph.constant(1.0 - layer.rate))
