"""pytorch: a readable module, and its state dict as safetensors beside it. https://pytorch.org/docs/stable/nn.html"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from digitlab.errors import ConfigError
from digitlab.exporting.format import ExportFormat
from digitlab.files import atomic_write, write_text
from digitlab.nn import (
    ELU,
    GELU,
    GRU,
    LSTM,
    BatchNorm,
    Bias,
    Branches,
    Combine,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    HardSigmoid,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool2D,
    Network,
    ReLU,
    Repeat,
    Rescale,
    Reshape,
    Residual,
    Sequential,
    Sigmoid,
    SiLU,
    SimpleRNN,
    Softplus,
    Subnetwork,
    Tanh,
)
from digitlab.nn.pooling import AveragePool2D
from digitlab.nn.shapes import Shape

SIMPLE = {
    Sigmoid: "torch.sigmoid(x)",
    Tanh: "torch.tanh(x)",
    ReLU: "F.relu(x)",
    SiLU: "F.silu(x)",
    Softplus: "F.softplus(x)",
    HardSigmoid: "F.hardsigmoid(x)",
    GELU: 'F.gelu(x, approximate="tanh")',
    Flatten: "x.flatten(1)",
    GlobalAveragePool: "x.mean((1, 2))",
    Linear: "x",
}
OUTPUTS = {"sigmoid": "torch.sigmoid(logits)", "softmax": "torch.softmax(logits, dim=-1)", "": "logits"}
RECURRENT = {SimpleRNN: "RNN", LSTM: "LSTM", GRU: "GRU"}
MODULE = '''"""A network that digitlab trained, as a PyTorch module: {sizes}. Needs torch and safetensors.

    model = load()                  # weights from {weights}
    model.predict(images)           # {outputs}
    model(images)                   # logits, for a loss such as torch.nn.{loss}

images is a tensor (N, {shape}), channels last. uint8 means pixels, which are scaled; other numbers are not.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


class DigitNetwork(nn.Module):
    def __init__(self):
        super().__init__()
{made}

    def forward(self, images):
        x = images.float() * {factor!r} + {offset!r} if images.dtype == torch.uint8 else images
        x = x.reshape(len(x), {shape})
{lines}
        return x

    def predict(self, images):
        logits = self(images)
        return {end}


def load(path=Path(__file__).with_name({weights!r})):
    model = DigitNetwork()
    model.load_state_dict(load_file(path))
    return model.eval()
'''


class Module:
    """The text of a module and its state dict, layer by layer."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.lines: list[str] = []
        self.state: dict[str, Any] = {}

    def layer(self, name: str, constructor: str, arrays: dict[str, Any]) -> str:
        """Add a submodule with its arrays and return how forward calls it."""
        attribute = "layer" + name.replace(".", "_")
        self.made.append(f"self.{attribute} = {constructor}")
        self.state |= {f"{attribute}.{key}": np.ascontiguousarray(value) for key, value in arrays.items()}
        return f"self.{attribute}"

    def chain(self, named: Iterator[tuple[str, Layer]], shape: Shape) -> Shape:
        """Add layers one after the other; `shape` is the first one's input. Returns the last one's output shape."""
        for name, layer in named:
            self.add(name, layer, shape)
            shape = layer.output_shape(shape)
        return shape

    def add(self, name: str, layer: Layer, shape: Shape) -> None:
        """Add a layer. Raises ConfigError for a layer without a counterpart here."""
        values = {key: p.value for key, p in layer.params.items()}
        if type(layer) in SIMPLE:
            if type(layer) is not Linear:
                self.lines.append(f"x = {SIMPLE[type(layer)]}")
        elif type(layer) is Residual:
            kept = f"before{name.replace('.', '_')}"
            self.lines.append(f"{kept} = x")
            self.chain(((f"{name}.{i}", inner) for i, inner in enumerate(layer.layers)), shape)
            after = f"after{name.replace('.', '_')}"
            if layer.projection is not None:
                self.lines += [f"{after} = x", f"x = {kept}"]
                self.add(f"{name}.projection", layer.projection, shape)
                self.lines.append(f"x = x + {after}")
            else:
                self.lines.append(f"x = {kept} + x")
        elif type(layer) is Sequential:
            self.chain(((f"{name}.{i}", inner) for i, inner in enumerate(layer.layers)), shape)
        elif type(layer) is Branches:
            self.branches(name, layer, shape)
        elif type(layer) is Subnetwork:
            inner = layer.inner
            self.lines.append(f"x = x.reshape(len(x), {', '.join(map(str, inner.input_shape))})")
            self.chain(((f"{name}.{i}", one) for i, one in enumerate(layer.chain.layers)), inner.input_shape)
            if layer.outputs == "activations" and inner.loss.owns:
                self.lines.append(f"x = {OUTPUTS[inner.loss.owns].replace('logits', 'x')}")
        elif type(layer) is Combine:
            self.combine(name, layer, shape)
        else:
            self.lines.append(f"x = {self.call(name, layer, values, shape)}")

    def branches(self, name: str, layer: Branches, shape: Shape) -> None:
        """Every branch from the same input, and their outputs merged."""
        own = name.replace(".", "_")
        parts = [f"part{own}_{j}" for j in range(len(layer.chains))]
        self.lines.append(f"before{own} = x")
        for j, chain in enumerate(layer.chains.values()):
            self.lines.append(f"x = before{own}")
            self.chain(((f"{name}.{j}.{i}", inner) for i, inner in enumerate(chain.layers)), shape)
            self.lines.append(f"{parts[j]} = x")
        merged = f"torch.cat(({', '.join(parts)},), dim=-1)" if layer.merge == "concatenate" else " + ".join(parts)
        self.lines.append(f"x = ({merged}) / {len(parts)}" if layer.merge == "mean" else f"x = {merged}")

    def combine(self, name: str, layer: Combine, shape: Shape) -> None:
        """The probabilities of several networks as those of one."""
        own, end = name.replace(".", "_"), 0
        self.lines.append("mean = votes = 0")
        for j, (matrix, size) in enumerate(zip(layer.matrices(np.zeros((1, shape[0]), np.float32)), layer.sizes)):
            matrix_name = f"layer{own}_{j}"
            self.made.append(f"self.{matrix_name} = nn.Parameter(torch.zeros{matrix.shape}, requires_grad=False)")
            self.state[matrix_name] = matrix
            self.lines.append(f"p = x[:, {end}:{end + size}].clamp(min={layer.least!r})")
            self.lines.append(f"mean = mean + p / p.sum(1, keepdim=True) @ self.{matrix_name}")
            if layer.rule == "vote":
                self.lines.append(f"votes = votes + F.one_hot(p.argmax(1), {size}).float() @ self.{matrix_name}")
            end += size
        least, share = layer.least, layer.least / layer.classes
        self.lines.append(f"mean = (mean + {share!r}) / (mean.sum(1, keepdim=True) + {least!r})")
        self.lines.append(
            f"x = torch.log(votes + {layer.tie!r} * mean)" if layer.rule == "vote" else "x = torch.log(mean)"
        )

    def call(self, name: str, layer: Layer, values: dict[str, Any], shape: Shape) -> str:
        """The expression in `forward` for a layer's output; its modules and arrays are added.

        Raises ConfigError for a layer without a counterpart here.
        """
        match layer:
            case Dense():
                arrays = {"weight": layer.connected(values["W"]).T}
                made = f"nn.Linear({shape[0]}, {layer.out_features}{_with_bias(arrays, values)})"
                return f"{self.layer(name, made, arrays)}(x)"
            case Bias():
                self.made.append(f"self.layer{name.replace('.', '_')} = nn.Parameter(torch.zeros({len(values['b'])}))")
                self.state[f"layer{name.replace('.', '_')}"] = values["b"]
                return f"x + self.layer{name.replace('.', '_')}"
            case Conv2D():
                windows = layer.windows(shape)
                arrays = {"weight": layer.connected(values["W"]).transpose(3, 2, 0, 1)}
                rest = _with_bias(arrays, values)
                if windows.before != windows.after:
                    raise ConfigError(f"pytorch: {layer!r} pads one side more than the other; export to onnx instead")
                made = (
                    f"nn.Conv2d({shape[2]}, {layer.filters}, {windows.kernel}, stride={windows.stride}, "
                    f"padding={windows.before}, dilation={windows.dilation}{rest})"
                )
                return f"{self.layer(name, made, arrays)}(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)"
            case MaxPool2D() | AveragePool2D() if (w := layer.windows(shape)).before == w.after:
                kind, more = ("max", "") if isinstance(layer, MaxPool2D) else ("avg", ", count_include_pad=False")
                settings = f"{w.kernel}, {w.stride}, {w.before}{more}"
                return f"F.{kind}_pool2d(x.permute(0, 3, 1, 2), {settings}).permute(0, 2, 3, 1)"
            case BatchNorm():
                arrays = {"weight": values["gamma"], "bias": values["beta"], **layer.buffers}
                arrays["num_batches_tracked"] = np.zeros((), np.int64)
                if len(shape) == 1:
                    made = f"nn.BatchNorm1d({shape[0]}, eps={layer.epsilon!r}, momentum={layer.momentum!r})"
                    return f"{self.layer(name, made, arrays)}(x)"
                made = f"nn.BatchNorm2d({shape[-1]}, eps={layer.epsilon!r}, momentum={layer.momentum!r})"
                return f"{self.layer(name, made, arrays)}(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)"
            case LayerNorm():
                arrays = {"weight": values["gamma"], "bias": values["beta"]}
                made = f"nn.LayerNorm({tuple(values['gamma'].shape)}, eps={layer.epsilon!r})"
                return f"{self.layer(name, made, arrays)}(x)"
            case Dropout() if layer.inverted:
                return f"F.dropout(x, {layer.rate!r}, self.training)"
            case Reshape():
                return f"x.reshape(len(x), {', '.join(map(str, layer.shape))})"
            case Repeat():
                return f"x.unsqueeze(1).expand(-1, {layer.steps}, -1)"
            case Rescale():
                return f"x * {layer.factor!r} + {layer.offset!r}"
            case LeakyReLU():
                return f"F.leaky_relu(x, {layer.slope!r})"
            case ELU():
                return f"F.elu(x, {layer.alpha!r})"
            case SimpleRNN() | LSTM() | GRU() if not layer.reverse and getattr(layer, "reset", "after") == "after":
                hidden = np.zeros_like(values["b"])
                if "v" in values:
                    hidden[-layer.units :] = values["v"]
                arrays = {"weight_ih_l0": values["W"].T, "weight_hh_l0": values["U"].T}
                arrays |= {"bias_ih_l0": values["b"], "bias_hh_l0": hidden}
                made = f"nn.{RECURRENT[type(layer)]}({shape[1]}, {layer.units}, batch_first=True)"
                return f"{self.layer(name, made, arrays)}(x)[0]" + ("[:, -1]" if layer.returns == "last" else "")
        raise ConfigError(f"pytorch: cannot write the layer {layer!r}; export to onnx instead")


def _with_bias(arrays: dict[str, Any], values: dict[str, Any]) -> str:
    """Add the bias, if there is one; else what the constructor must be told."""
    if "b" not in values:
        return ", bias=False"
    arrays["bias"] = values["b"]
    return ""


def write(network: Network, path: Path) -> list[Path]:
    """Write the weights as safetensors and a PyTorch module that loads them; return the paths."""
    module = Module()
    module.chain(((str(i), layer) for i, layer in enumerate(network.layers)), network.input_shape)
    weights = path.with_name(f"{path.stem}-weights.safetensors")  # STEM.safetensors is the network itself
    owned = network.loss.owns or ""
    text = MODULE.format(
        sizes=" → ".join("×".join(map(str, shape)) for shape in (network.shapes[0], network.shapes[-1])),
        weights=weights.name,
        outputs={"sigmoid": "sigmoid outputs", "softmax": "probabilities"}.get(owned, "outputs"),
        loss={"sigmoid": "BCEWithLogitsLoss", "softmax": "CrossEntropyLoss"}.get(owned, "MSELoss"),
        shape=", ".join(map(str, network.input_shape)),
        made="\n".join(f"        {line}" for line in module.made or ["pass"]),
        factor=network.scaling.factor,
        offset=network.scaling.offset,
        lines="\n".join(f"        {line}" for line in module.lines),
        end=OUTPUTS[owned],
    )
    with atomic_write(weights) as temporary:
        save_file(module.state, temporary)
    write_text(path, text)
    return [path, weights]


FORMAT = ExportFormat("pytorch", ".py", "a readable PyTorch module, and its state dict as safetensors", write)
