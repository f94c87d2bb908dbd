"""keras: a readable file that builds the model with Keras's functional API, and its weights by layer name.

https://keras.io/api/layers/
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.errors import ConfigError
from digitlab.exporting.format import ExportFormat
from digitlab.files import atomic_write, write_text
from digitlab.nn import (
    ELU,
    GELU,
    GRU,
    LSTM,
    AveragePool2D,
    BatchNorm,
    Bidirectional,
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
from digitlab.nn.shapes import Shape
from digitlab.nn.windows import pair

SIMPLE: dict[type[Layer], str] = {
    Sigmoid: 'layers.Activation("sigmoid")',
    Tanh: 'layers.Activation("tanh")',
    ReLU: 'layers.Activation("relu")',
    SiLU: 'layers.Activation("silu")',
    Softplus: 'layers.Activation("softplus")',
    HardSigmoid: 'layers.Activation("hard_sigmoid")',
    GELU: "keras.ops.gelu",  # with Keras's default, the tanh formula
    Flatten: "layers.Flatten()",
    GlobalAveragePool: "layers.GlobalAveragePooling2D()",
}
MERGES = {"concatenate": "Concatenate", "sum": "Add", "mean": "Average"}
SCRIPT = '''"""A network that digitlab trained, as a Keras model: {sizes}. Needs Keras 3.

    model = load()                  # weights from {weights}
    model.predict(images)           # {outputs}; images are pixels from 0 to 255, an array (N, {shape})
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers


def load(path=Path(__file__).with_suffix(".npz")):
    images = x = keras.Input({input_shape})
{lines}
    model = keras.Model(images, x)
    weights = np.load(path)
    for layer in model.layers:
        layer.set_weights([weights[name] for name in weights.files if name.split("/")[0] == layer.name])
    return model
'''


class Model:
    """The lines that build a model, and the arrays of its layers in Keras's order, as "layer0/1"."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.arrays: dict[str, Any] = {}

    def then(self, function: str) -> None:
        """Add the line x = function(x)."""
        self.lines.append(f"x = {function}(x)")

    def learned(self, name: str, constructor: str, arrays: list[Any]) -> str:
        """The text of a layer that has weights, under a name by which the file finds them."""
        own = "layer" + name.replace(".", "_")
        self.arrays |= {f"{own}/{i}": array for i, array in enumerate(arrays)}
        return f'layers.{constructor}, name="{own}")'

    def chain(self, name: str, layers: Iterable[Layer], shape: Shape) -> None:
        """Add layers one after the other; `shape` is the first one's input."""
        for i, layer in enumerate(layers):
            self.add(f"{name}{i}", layer, shape)
            shape = layer.output_shape(shape)

    def add(self, name: str, layer: Layer, shape: Shape) -> None:
        """Add a layer. Raises ConfigError for a layer without a counterpart here."""
        if type(layer) is Residual:
            self.residual(name, layer, shape)
        elif type(layer) is Sequential:
            self.chain(f"{name}.", layer.layers, shape)
        elif type(layer) is Branches:
            self.branches(name, layer, shape)
        elif type(layer) is Subnetwork:
            inner = layer.inner
            if inner.input_shape != shape:
                self.then(f"layers.Reshape({inner.input_shape})")
            self.chain(f"{name}.", layer.chain.layers, inner.input_shape)
            if layer.outputs == "activations" and inner.loss.owns:
                self.then(f'layers.Activation("{inner.loss.owns}")')
        elif type(layer) is Combine:
            self.combine(name, layer)
        elif type(layer) is not Linear:
            self.then(SIMPLE.get(type(layer)) or self.function(name, layer))

    def residual(self, name: str, layer: Residual, shape: Shape) -> None:
        """Add the layers and the sum of their output and the input, which passes the projection if there is one."""
        own = name.replace(".", "_")
        self.lines.append(f"before{own} = x")
        self.chain(f"{name}.", layer.layers, shape)
        if layer.projection is not None:
            self.lines += [f"after{own} = x", f"x = before{own}"]
            self.add(f"{name}.projection", layer.projection, shape)
        self.lines.append(f"x = layers.Add()([x, {'before' if layer.projection is None else 'after'}{own}])")

    def branches(self, name: str, layer: Branches, shape: Shape) -> None:
        """Every branch from the same input, and their outputs merged."""
        own, parts = name.replace(".", "_"), []
        self.lines.append(f"before{own} = x")
        for j, chain in enumerate(layer.chains.values()):
            self.lines += [f"x = before{own}"] if j else []
            self.chain(f"{name}.{j}.", chain.layers, shape)
            parts.append(f"part{own}_{j}")
            self.lines.append(f"{parts[-1]} = x")
        if len(parts) > 1:
            self.lines.append(f"x = layers.{MERGES[layer.merge]}()([{', '.join(parts)}])")

    def combine(self, name: str, layer: Combine) -> None:
        """The probabilities of several networks as those of one."""
        means, votes, end = [], [], 0
        inputs = np.zeros((1, sum(layer.sizes)), np.float32)
        for j, (matrix, size) in enumerate(zip(layer.matrices(inputs), layer.sizes)):
            share = self.learned(f"{name}.{j}", f"Dense({layer.classes}, use_bias=False, trainable=False", [matrix])
            self.lines += [
                f"share = {share}",
                f"p = keras.ops.maximum(x[:, {end}:{end + size}], {layer.least!r})",
                f"mean{j} = share(p / keras.ops.sum(p, axis=1, keepdims=True))",
            ]
            means.append(f"mean{j}")
            if layer.rule == "vote":
                votes.append(f"vote{j}")
                self.lines.append(f"vote{j} = share(keras.ops.one_hot(keras.ops.argmax(p, axis=1), {size}))")
            end += size
        self.lines.append(f"mean = {' + '.join(means)}")
        whole = f"(keras.ops.sum(mean, axis=1, keepdims=True) + {layer.least!r})"
        self.lines.append(f"mean = (mean + {layer.least / layer.classes!r}) / {whole}")
        said = "mean" if layer.rule == "mean" else f"{' + '.join(votes)} + {layer.tie!r} * mean"
        self.lines.append(f"x = keras.ops.log({said})")

    def function(self, name: str, layer: Layer) -> str:
        """The text of a Keras layer; raises ConfigError for a layer without one."""
        values = {key: p.value for key, p in layer.params.items()}
        bias = [values["b"]] if "b" in values else []
        unbiased = "" if bias else ", use_bias=False"
        match layer:
            case Dense():
                arrays = [layer.connected(values["W"]), *bias]
                return self.learned(name, f"Dense({layer.out_features}{unbiased}", arrays)
            case Conv2D():
                padding = "same" if layer.padding == "same" else "valid"
                if padding == "valid" and pair(layer.padding) != (0, 0):
                    self.then(f"layers.ZeroPadding2D({pair(layer.padding)})")
                settings = f"strides={layer.stride}, padding={padding!r}, dilation_rate={layer.dilation}{unbiased}"
                arrays = [layer.connected(values["W"]), *bias]
                return self.learned(name, f"Conv2D({layer.filters}, {layer.kernel_size}, {settings}", arrays)
            case MaxPool2D() | AveragePool2D() if layer.padding == "same" or pair(layer.padding) == (0, 0):
                kind = "MaxPooling2D" if isinstance(layer, MaxPool2D) else "AveragePooling2D"
                padding = "same" if layer.padding == "same" else "valid"
                return f"layers.{kind}({layer.size}, strides={layer.stride}, padding={padding!r})"
            case Reshape():
                return f"layers.Reshape({layer.shape})"
            case Repeat():
                return f"layers.RepeatVector({layer.steps})"
            case Rescale():
                return f"layers.Rescaling({layer.factor!r}, {layer.offset!r})"
            case Dropout() if layer.inverted:
                return f"layers.Dropout({layer.rate!r})"
            case LeakyReLU():
                return f"layers.LeakyReLU({layer.slope!r})"
            case ELU():
                return f"layers.ELU({layer.alpha!r})"
            case BatchNorm():
                settings = f"momentum={1 - layer.momentum!r}, epsilon={layer.epsilon!r}"
                moving = [layer.buffers["running_mean"], layer.buffers["running_var"]]
                arrays = [values["gamma"], values["beta"], *moving]
                return self.learned(name, f"BatchNormalization({settings}", arrays)
            case LayerNorm() if layer.axes == 1:
                arrays = [values["gamma"], values["beta"]]
                return self.learned(name, f"LayerNormalization(epsilon={layer.epsilon!r}", arrays)
            case Bidirectional() if not getattr(layer.layer, "reverse", False):
                text, arrays = recurrent(layer.layer)
                return self.learned(name, f"Bidirectional(layers.{text})", arrays + recurrent(layer.backward_layer)[1])
            case SimpleRNN() | LSTM() | GRU() if not (layer.reverse and layer.returns == "all"):
                text, arrays = recurrent(layer)
                backwards = ", go_backwards=True" if layer.reverse else ""
                return self.learned(name, f"{text}{backwards}", arrays)
        raise ConfigError(f"keras: cannot write the layer {layer!r}; export to onnx instead")


def recurrent(layer: Layer) -> tuple[str, list[Any]]:
    """The text of a recurrent layer in Keras, without its last bracket, and its weights in Keras's order."""
    values = {key: p.value for key, p in layer.params.items()}
    match layer:
        case SimpleRNN() | LSTM():
            name, arrays = type(layer).__name__, [values["W"], values["U"], values["b"]]
        case GRU() if layer.reset == "after":
            order = [1, 0, 2]  # Keras has z r h; here: r z n
            W, U, b = (np.concatenate([np.split(values[k], 3, axis=-1)[g] for g in order], axis=-1) for k in "WUb")
            inner = np.concatenate([np.zeros(2 * layer.units, np.float32), values["v"]])
            name, arrays = "GRU", [W, U, np.stack([b, inner])]
        case _:
            raise ConfigError(f"keras: cannot write the layer {layer!r}; export to onnx instead")
    return f"{name}({layer.units}, return_sequences={layer.returns == 'all'}", arrays


def write(network: Network, path: Path) -> list[Path]:
    """Write the weights as .npz and a module that builds the network in Keras; return the paths."""
    model = Model()
    if network.scaling.factor != 1:
        model.then(f"layers.Rescaling({network.scaling.factor!r}, {network.scaling.offset!r})")
    model.chain("", network.layers, network.input_shape)
    owned = network.loss.owns or ""
    if owned:
        model.then(f'layers.Activation("{owned}")')
    weights = path.with_suffix(".npz")
    with atomic_write(weights) as temporary:
        np.savez(temporary, **model.arrays)
    text = SCRIPT.format(
        sizes=" → ".join("×".join(map(str, shape)) for shape in (network.shapes[0], network.shapes[-1])),
        weights=weights.name,
        outputs={"sigmoid": "sigmoid outputs", "softmax": "probabilities"}.get(owned, "outputs"),
        shape=", ".join(map(str, network.input_shape)),
        input_shape=network.input_shape,
        lines="\n".join(f"    {line}" for line in model.lines),
    )
    write_text(path, text)
    return [path, weights]


FORMAT = ExportFormat("keras", ".py", "a readable file that builds the Keras model, and its weights", write)
