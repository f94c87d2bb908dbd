"""keras: a readable file that builds the model, and its weights in the order of `model.set_weights`."""

from pathlib import Path
from typing import Any

import numpy as np

from digitlab.errors import ConfigError
from digitlab.exporting.format import ExportFormat
from digitlab.files import atomic_write, write_text
from digitlab.nn import (
    ELU,
    GRU,
    LSTM,
    AveragePool2D,
    BatchNorm,
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
    Reshape,
    Sigmoid,
    SiLU,
    SimpleRNN,
    Softplus,
    Tanh,
)
from digitlab.nn.windows import pair

ACTIVATIONS: dict[type[Layer], str] = {
    Sigmoid: "sigmoid",
    Tanh: "tanh",
    ReLU: "relu",
    SiLU: "silu",
    Softplus: "softplus",
    HardSigmoid: "hard_sigmoid",
    Linear: "linear",
}
SCRIPT = '''"""A network that digitlab trained, as a Keras model: {sizes}. Needs Keras 3.

    model = load()                  # weights from {weights}
    model.predict(images)           # {outputs}; images are pixels from 0 to 255, an array (N, {shape})
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers


def load(path=Path(__file__).with_suffix(".npz")):
    model = keras.Sequential(
        [
            keras.Input(({shape},)),
{lines}
        ]
    )
    model.set_weights(list(dict(np.load(path)).values()))
    return model
'''


def layer_of(layer: Layer) -> tuple[str, list[Any]]:
    """The text of a Keras layer, and its weights in Keras's order. Raises ConfigError for a layer without one."""
    values = {key: p.value for key, p in layer.params.items()}
    bias = [values["b"]] if "b" in values else []
    unbiased = "" if bias else ", use_bias=False"
    if type(layer) in ACTIVATIONS:
        return f'Activation("{ACTIVATIONS[type(layer)]}")', []
    match layer:
        case Dense():
            return f"Dense({layer.out_features}{unbiased})", [layer.connected(values["W"]), *bias]
        case Conv2D():
            padding, before = ("same", "") if layer.padding == "same" else ("valid", _zeros(layer.padding))
            settings = f"strides={layer.stride}, padding={padding!r}, dilation_rate={layer.dilation}{unbiased}"
            made = f"{before}Conv2D({layer.filters}, {layer.kernel_size}, {settings})"
            return made, [layer.connected(values["W"]), *bias]
        case MaxPool2D() | AveragePool2D() if layer.padding == "same" or not _zeros(layer.padding):
            kind = "MaxPooling2D" if isinstance(layer, MaxPool2D) else "AveragePooling2D"
            padding = "same" if layer.padding == "same" else "valid"
            return f"{kind}({layer.size}, strides={layer.stride}, padding={padding!r})", []
        case GlobalAveragePool():
            return "GlobalAveragePooling2D()", []
        case Flatten():
            return "Flatten()", []
        case Reshape():
            return f"Reshape({layer.shape})", []
        case Repeat():
            return f"RepeatVector({layer.steps})", []
        case Dropout() if layer.inverted:
            return f"Dropout({layer.rate!r})", []
        case LeakyReLU():
            return f"LeakyReLU({layer.slope!r})", []
        case ELU():
            return f"ELU({layer.alpha!r})", []
        case BatchNorm():
            settings = f"momentum={1 - layer.momentum!r}, epsilon={layer.epsilon!r}"
            moving = [layer.buffers["running_mean"], layer.buffers["running_var"]]
            return f"BatchNormalization({settings})", [values["gamma"], values["beta"], *moving]
        case LayerNorm() if layer.axes == 1:
            return f"LayerNormalization(epsilon={layer.epsilon!r})", [values["gamma"], values["beta"]]
        case SimpleRNN() | LSTM() if not layer.reverse:
            name, returns = type(layer).__name__, layer.returns == "all"
            return f"{name}({layer.units}, return_sequences={returns})", [values["W"], values["U"], values["b"]]
        case GRU() if not layer.reverse and layer.reset == "after":
            order = [1, 0, 2]  # Keras has z r h; here: r z n
            weights = [np.concatenate([np.split(values[k], 3, axis=-1)[g] for g in order], axis=-1) for k in "WUb"]
            inner = np.concatenate([np.zeros(2 * layer.units, np.float32), values["v"]])
            returns = layer.returns == "all"
            return f"GRU({layer.units}, return_sequences={returns})", [*weights[:2], np.stack([weights[2], inner])]
    raise ConfigError(f"keras: cannot write the layer {layer!r}; export to onnx instead")


def _zeros(padding: Any) -> str:
    """A layer before a convolution that pads pictures with zeros; "" if there is no padding."""
    return "" if pair(padding) == (0, 0) else f"ZeroPadding2D({pair(padding)}),\n            layers."


def write(network: Network, path: Path) -> list[Path]:
    found = [layer_of(layer) for layer in network.layers]
    lines = [text for text, _ in found]
    if network.scaling.factor != 1:
        lines.insert(0, f"Rescaling({network.scaling.factor!r}, {network.scaling.offset!r})")
    owned = network.loss.owns or ""
    lines += [f'Activation("{owned}")'] if owned else []
    weights = path.with_suffix(".npz")
    with atomic_write(weights) as temporary:
        arrays = [array for _, own in found for array in own]
        np.savez(temporary, **{f"{i:03}": array for i, array in enumerate(arrays)})
    text = SCRIPT.format(
        sizes=" → ".join("×".join(map(str, shape)) for shape in (network.shapes[0], network.shapes[-1])),
        weights=weights.name,
        outputs={"sigmoid": "sigmoid outputs", "softmax": "probabilities"}.get(owned, "outputs"),
        shape=", ".join(map(str, network.input_shape)),
        lines="\n".join(f"            layers.{line}," for line in lines),
    )
    write_text(path, text)
    return [path, weights]


FORMAT = ExportFormat("keras", ".py", "a readable file that builds the Keras model, and its weights", write)
