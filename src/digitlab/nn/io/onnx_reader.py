"""ONNX files of other programs: dense, convolutional and recurrent networks, also with branches that join again.

ONNX pictures are (N, C, H, W), those here (N, H, W, C): kernels are transposed, and the first dense layer after the
pictures gets its rows in our order. https://onnx.ai/onnx/operators
"""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.errors import ModelFileError, in_brief
from digitlab.nn.activations import ELU, HardSigmoid, LeakyReLU, ReLU, Softplus, Tanh
from digitlab.nn.bias import Bias
from digitlab.nn.combine import Rescale
from digitlab.nn.conv import Conv2D
from digitlab.nn.io.onnx_graphs import RECURRENT, read_batch_norm, read_factor, read_fork, read_recurrent, read_tile
from digitlab.nn.losses import CrossEntropy, LogLikelihood, MeanSquaredError
from digitlab.nn.network import Dense, Layer, Loss, Network, Sigmoid
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.scaling import NAMED, Scaling
from digitlab.nn.shapes import Shape

LARGEST = 256 * 2**20  # bytes of a file, numbers of an input
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
PASSING = ("Identity", "Dropout", "Cast")
PLAIN: dict[str, type[Layer]] = {"Relu": ReLU, "Sigmoid": Sigmoid, "Tanh": Tanh, "Softplus": Softplus}


def read_onnx(path: Path) -> Network:
    """The network in an ONNX file. Raises ModelFileError for another graph, naming the operator, or without onnx."""
    try:
        import onnx
    except ImportError:
        raise ModelFileError("the package onnx is not installed; install it: pip install 'digitlab[onnx]'") from None
    if path.stat().st_size > LARGEST:
        raise ModelFileError(f"it has more than {LARGEST:,} bytes; expected a network of at most that")
    try:
        return _Reader(onnx.load_model(path, load_external_data=False).graph, onnx).network()
    except Exception as error:  # protobuf and onnx raise errors of many kinds for damaged files
        raise ModelFileError(in_brief(error, 600)) from error


class _Reader:
    """Follows the nodes of a graph from its input to its output."""

    def __init__(self, graph: Any, onnx: Any) -> None:
        self.graph, self.onnx = graph, onnx
        self.constants = {tensor.name: self.array(tensor) for tensor in graph.initializer}
        self.layers: list[Layer] = []
        self.arrays: dict[str, Any] = {}
        self.scaling: tuple[float, float] | None = None
        self.loss: Loss | None = None
        self.first, self.sizes = self.input()
        self.end = str(graph.output[0].name)
        self.readers: dict[str, list[Any]] = {}  # the nodes that read each value
        self.value = ""  # how far the graph is read
        self.seen: set[int] = set()  # nodes that are read
        self.inside = False  # whether this is a branch
        self.steps_first = False  # whether ONNX has sequences (T, N, F) at this place
        self.channels_first = False  # whether ONNX has pictures (N, C, H, W) at this place
        self.shape: Shape = ()
        self.order: Any = None  # the order of ONNX's flat numbers in ours, where they differ

    def array(self, tensor: Any) -> Any:
        if tensor.data_location == self.onnx.TensorProto.EXTERNAL:
            raise ValueError("its weights are in another file; save the model in one file")
        array = self.onnx.numpy_helper.to_array(tensor)
        if array.dtype.kind not in "fi":
            raise ValueError(f"{tensor.name} holds {array.dtype}; expected numbers")
        if not np.isfinite(array).all():
            raise ValueError(f"{tensor.name} contains NaN or infinity")
        return array

    def input(self) -> tuple[str, list[int]]:
        inputs = [found for found in self.graph.input if found.name not in self.constants]
        if len(inputs) != 1 or len(self.graph.output) != 1:
            raise ValueError(f"it has {len(inputs)} inputs and {len(self.graph.output)} outputs; expected one of each")
        sizes = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim][1:]
        if not 1 <= len(sizes) <= 3 or min(sizes) < 1 or math.prod(sizes) > LARGEST:
            raise ValueError(f"its input has the shape {sizes}; expected one to three known sizes after the batch")
        return inputs[0].name, sizes

    def network(self) -> Network:
        nodes = list(self.graph.node)
        for node in nodes:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = self.array(self.attributes(node)["value"])
        spatial = next((n for n in nodes if n.op_type in ("Transpose", "Conv", "MaxPool", "AveragePool")), None)
        self.channels_first = len(self.sizes) == 3 and spatial is not None and spatial.op_type != "Transpose"
        c, *rest = self.sizes
        self.shape = (*rest, c) if self.channels_first else tuple(self.sizes)
        first_shape = self.shape
        for node in nodes:
            for name in dict.fromkeys(node.input):
                self.readers.setdefault(name, []).append(node)
        self.follow(self.first)
        if self.value != self.end:
            raise ValueError(f"the graph ends in {self.value}, which is not its output {self.end}")
        loss = self.loss or (LogLikelihood() if self.shape[-1] > 1 else MeanSquaredError())
        if isinstance(self.layers[-1], Sigmoid):
            self.layers.pop()
            loss = CrossEntropy()
        scaling = named_scaling(*self.scaling) if self.scaling is not None else NAMED["/255"]
        network = Network(self.layers, first_shape, loss, scaling=scaling, seed=None)
        network.load_state(self.arrays)
        return network

    def follow(self, value: str, first: Any = None) -> Any:
        """Read from a value on, up to the output (returns None) or to a node that joins branches (returns it).

        `first` is the node to begin with, where several read the value.
        """
        while True:
            self.value = value
            nodes = [first] if first is not None else self.readers.get(value, [])
            first = None
            if not nodes:
                return None
            if len(nodes) > 1:
                value = read_fork(self, value)
                continue
            (node,) = nodes
            if len({name for name in node.input if name and name not in self.constants}) > 1:
                if not self.inside:
                    raise ValueError(f"{node.op_type} {node.name} joins values that do not come from one fork")
                return node
            if self.loss is not None and node.op_type != "Identity":
                raise ValueError(f"{node.op_type} {node.name} follows the output's activation")
            if id(node) in self.seen:
                raise ValueError(f"{node.op_type} {node.name} reads its own output; expected a graph without circles")
            self.seen.add(id(node))
            if node.op_type in RECURRENT:
                value = read_recurrent(self, node, self.attributes(node))
            else:
                self.read(node, value)
                value = node.output[0]

    def branch(self) -> "_Reader":
        """A reader of what follows from here, with layers of its own."""
        part = copy.copy(self)
        part.layers, part.arrays, part.inside = [], {}, True
        return part

    def add(self, layer: Layer, **arrays: Any) -> None:
        shape = layer.output_shape(self.shape)
        if math.prod(shape) > LARGEST:
            raise ValueError(f"{layer!r} makes {math.prod(shape):,} numbers; expected at most {LARGEST:,}")
        self.arrays |= {f"{len(self.layers)}.{key}": np.asarray(a, np.float32) for key, a in arrays.items()}
        self.layers.append(layer)
        self.shape = shape

    def attributes(self, node: Any) -> dict[str, Any]:
        return {a.name: self.onnx.helper.get_attribute_value(a) for a in node.attribute}

    def averages_places(self, node: Any, given: dict[str, Any]) -> bool:
        """Whether a reduction is over the rows and columns of pictures (N, H, W, C), and drops these axes."""
        axes = self.constants[node.input[1]].reshape(-1) if len(node.input) > 1 else given.get("axes", [])
        return len(self.shape) == 3 and not given.get("keepdims", 1) and sorted(int(a) % 4 for a in axes) == [1, 2]

    def constant(self, node: Any, value: str) -> Any:
        """The one constant of an operator with two inputs."""
        others = [name for name in node.input if name != value]
        if len(others) != 1 or others[0] not in self.constants:
            raise ValueError(f"{node.op_type} {node.name}: expected one constant beside its input")
        return self.constants[others[0]]

    def read(self, node: Any, value: str) -> None:
        kind, given = node.op_type, self.attributes(node)
        if kind in PASSING:
            return
        if kind in PLAIN:
            self.add(PLAIN[kind]())
        elif kind == "LeakyRelu":
            self.add(LeakyReLU(float(given.get("alpha", 0.01))))
        elif kind == "Elu":
            self.add(ELU(float(given.get("alpha", 1.0))))
        elif kind == "HardSigmoid" and abs(given.get("alpha", 0.2) - 1 / 6) < 1e-6:
            self.add(HardSigmoid())
        elif kind == "Softmax" and given.get("axis", -1) in (-1, len(self.shape)):
            self.loss = LogLikelihood()
        elif kind in ("MatMul", "Gemm"):
            self.dense(node, value, given)
        elif kind in ("Add", "Mul"):
            self.elementwise(node, self.constant(node, value), kind)
        elif kind in ("Conv", "MaxPool", "AveragePool"):
            self.windows(node, given)
        elif kind == "GlobalAveragePool" and self.channels_first:
            self.add(GlobalAveragePool())
        elif kind == "Transpose" and len(self.shape) == 3:
            wanted = TO_CHANNELS_LAST if self.channels_first else TO_CHANNELS_FIRST
            if list(given.get("perm", [])) != wanted:
                raise ValueError(f"Transpose {node.name} with {given.get('perm')}; expected {wanted}")
            self.channels_first = not self.channels_first
        elif kind == "Transpose" and len(self.shape) == 2 and list(given.get("perm", [])) == [1, 0, 2]:
            self.steps_first = not self.steps_first
        elif kind == "Squeeze" and (self.steps_first or len(self.shape) == 1):  # the directions of a recurrent layer
            return
        elif kind == "ReduceMean" and not self.channels_first and self.averages_places(node, given):
            self.add(GlobalAveragePool())
        elif kind == "Tile" and len(self.shape) == 2:
            read_tile(self, node)
        elif kind == "BatchNormalization" and not given.get("training_mode", 0):
            read_batch_norm(self, node, given)
        elif kind in ("Flatten", "Reshape"):
            self.flatten(node, kind, given)
        else:
            raise ValueError(f"the operator {kind} {node.name} has no layer here, or not with these settings")

    def dense(self, node: Any, value: str, given: dict[str, Any]) -> None:
        weights = self.constants.get(node.input[1])
        plain = given.get("alpha", 1.0) == 1 and given.get("beta", 1.0) == 1 and not given.get("transA", 0)
        if node.input[0] != value or weights is None or weights.ndim != 2 or not plain:
            raise ValueError(f"{node.op_type} {node.name}: expected an input times a constant matrix")
        weights = weights.T if given.get("transB", 0) else weights  # (in, out)
        if self.shape != weights.shape[:1]:
            raise ValueError(f"{node.op_type} {node.name}: got weights {weights.shape} for inputs {self.shape}")
        if self.order is not None:
            weights, self.order = weights[self.order], None
        arrays = {"W": weights}
        if len(node.input) > 2 and node.input[2]:
            arrays["b"] = np.broadcast_to(self.constants[node.input[2]].reshape(-1), weights.shape[1:])
        self.add(Dense(weights.shape[1]) if "b" in arrays else Dense(weights.shape[1], biases=None), **arrays)

    def elementwise(self, node: Any, constant: Any, kind: str) -> None:
        if (
            not self.layers and not self.inside and constant.size == 1
        ):  # before the first layer: how pixels become numbers
            factor, offset = self.scaling or (1.0, 0.0)
            number = float(constant.reshape(-1)[0])
            self.scaling = (factor * number, offset * number) if kind == "Mul" else (factor, offset + number)
        elif constant.size == 1:
            number = float(constant.reshape(-1)[0])
            self.add(Rescale(number) if kind == "Mul" else Rescale(1.0, number))
        elif kind == "Mul" and not self.channels_first and constant.size == self.shape[-1]:
            read_factor(self, constant)
        elif kind == "Add" and not self.channels_first and constant.size == self.shape[-1] and self.order is None:
            last = self.layers[-1] if self.layers else None
            if isinstance(last, Dense) and last.biases is None:
                self.layers.pop()
                self.shape = (self.arrays[f"{len(self.layers)}.W"].shape[0],)
                self.add(Dense(constant.size), W=self.arrays[f"{len(self.layers)}.W"], b=constant.reshape(-1))
            else:
                self.add(Bias(), b=constant.reshape(-1))
        else:
            raise ValueError(f"{kind} {node.name}: expected one number, or one for each feature")

    def windows(self, node: Any, given: dict[str, Any]) -> None:
        if not self.channels_first:
            raise ValueError(f"{node.op_type} {node.name}: expected pictures (N, C, H, W)")
        top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
        auto = given.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
        if not auto or (top, left) != (bottom, right) or given.get("ceil_mode", 0) or given.get("group", 1) != 1:
            raise ValueError(f"{node.op_type} {node.name}: padding on one side, rounding up or groups are not read")
        stride, padding = tuple(given.get("strides", [1, 1])), (top, left)
        dilation = tuple(given.get("dilations", [1, 1]))
        if node.op_type == "Conv":
            kernels = self.constants[node.input[1]]  # (F, C, kh, kw)
            if kernels.ndim != 4 or kernels.shape[1] != self.shape[2]:
                raise ValueError(f"Conv {node.name}: got kernels {kernels.shape} for pictures {self.shape}")
            arrays = {"W": kernels.transpose(2, 3, 1, 0)}
            layer = Conv2D(kernels.shape[0], (kernels.shape[2], kernels.shape[3]), stride, padding, dilation)
            if len(node.input) > 2:
                arrays["b"] = self.constants[node.input[2]]
            else:
                layer.biases = None
            self.add(layer, **arrays)
            return
        if dilation != (1, 1) or (given.get("count_include_pad", 0) and padding != (0, 0)):
            raise ValueError(f"{node.op_type} {node.name}: dilation and counted padding are not read")
        pool = MaxPool2D if node.op_type == "MaxPool" else AveragePool2D
        self.add(pool(tuple(given["kernel_shape"]), stride, padding))

    def flatten(self, node: Any, kind: str, given: dict[str, Any]) -> None:
        wanted = [int(n) for n in self.constants[node.input[1]].reshape(-1)][1:] if kind == "Reshape" else [-1]
        if wanted in ([-1], [math.prod(self.shape)]):
            if self.channels_first:
                places = np.arange(math.prod(self.shape)).reshape(self.shape[2], *self.shape[:2])  # ONNX's order
                self.order, self.channels_first = places.transpose(1, 2, 0).ravel(), False
            if len(self.shape) > 1:
                self.add(Flatten())
        elif self.channels_first or self.order is not None or min(wanted) < 1:
            raise ValueError(f"{kind} {node.name}: to {wanted} is not read here")
        else:
            self.add(Reshape(tuple(wanted)))


def named_scaling(factor: float, offset: float) -> Scaling:
    """The scaling of a graph, whose numbers are float32, as the named one that it rounds."""
    for known in NAMED.values():
        if np.allclose((factor, offset), (known.factor, known.offset), rtol=1e-6, atol=1e-9):
            return known
    return Scaling(factor, offset)
