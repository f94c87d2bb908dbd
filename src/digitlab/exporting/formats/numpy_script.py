"""numpy-script: a program that predicts with NumPy alone, and its weights beside it."""

from pathlib import Path

import numpy as np

from digitlab.errors import ConfigError
from digitlab.exporting.format import ExportFormat
from digitlab.files import atomic_write, write_text
from digitlab.nn import (
    ELU,
    BatchNorm,
    Bias,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2D,
    Network,
    ReLU,
    Reshape,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from digitlab.nn.network import Shape

ACTIVATIONS: dict[type[Layer], str] = {
    Sigmoid: "x = 0.5 * (1 + np.tanh(0.5 * x))",
    Tanh: "x = np.tanh(x)",
    ReLU: "x = np.maximum(x, 0)",
    SiLU: "x = x * 0.5 * (1 + np.tanh(0.5 * x))",
    Softplus: "x = np.logaddexp(x, 0)",
    Linear: "",
}
OUTPUTS = {
    "sigmoid": "return 0.5 * (1 + np.tanh(0.5 * x))",
    "softmax": "e = np.exp(x - x.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)",
    "": "return x",
}
CONV = '''

def conv(x, W):
    """Every window of the pictures x (N, H, W, C) times the kernels W (kh, kw, C, filters)."""
    seen = np.lib.stride_tricks.sliding_window_view(x, W.shape[:2], axis=(1, 2))  # (N, OH, OW, C, kh, kw)
    return np.einsum("nijchw,hwcf->nijf", seen, W, optimize=True)
'''
POOL = '''

def max_pool(x, h, w):
    """The largest number of each window of h by w pixels."""
    n, rows, columns, channels = x.shape
    x = x[:, : rows // h * h, : columns // w * w].reshape(n, rows // h, h, columns // w, w, channels)
    return x.max(axis=(2, 4))
'''
SCRIPT = '''"""A neural network that digitlab trained: {sizes}. Needs NumPy alone.

    python {name} digits.npy

digits.npy holds images, an array {shape}; uint8 means pixels, which are scaled, other numbers are taken as they are.
Prints the {answer} of each. The weights are in {weights}, beside this file.
"""

import sys
from pathlib import Path

import numpy as np

WEIGHTS = dict(np.load(Path(__file__).with_suffix(".npz")))
{functions}

def predict(images):
    """The outputs of the network (N, {outputs}) for images (N, ...)."""
    x = images * np.float32({factor!r}) + np.float32({offset!r}) if images.dtype == np.uint8 else images
    x = x.astype(np.float32).reshape(len(x), {input})
{lines}
    {end}


if __name__ == "__main__":
    outputs = predict(np.load(sys.argv[1]))
    print(*{printed}, sep="\\n")
'''


def line_of(layer: Layer, name: str, input_shape: Shape) -> str:
    """The line of Python that computes a layer for inputs of this shape; "" for none.

    Raises ConfigError for a layer without one.
    """
    if type(layer) in ACTIVATIONS:
        return ACTIVATIONS[type(layer)]
    plus = f' + WEIGHTS["{name}.b"]' if "b" in layer.params else ""
    match layer:
        case Dense():
            return f'x = x @ WEIGHTS["{name}.W"]{plus}'
        case Bias():
            return f"x = x{plus}"
        case BatchNorm():
            return f'x = x * WEIGHTS["{name}.scale"] + WEIGHTS["{name}.shift"]'
        case Conv2D() if layer.stride in (1, (1, 1)) and layer.dilation in (1, (1, 1)):
            windows = layer.windows(input_shape)
            around = (0, 0), *zip(windows.before, windows.after), (0, 0)
            x = f"np.pad(x, {around})" if any(map(any, around)) else "x"
            return f'x = conv({x}, WEIGHTS["{name}.W"]){plus}'
        case MaxPool2D() if layer.stride in (None, layer.size) and layer.padding in (0, (0, 0)):
            h, w = (layer.size, layer.size) if isinstance(layer.size, int) else layer.size
            return f"x = max_pool(x, {h}, {w})"
        case Flatten():
            return "x = x.reshape(len(x), -1)"
        case Reshape():
            return f"x = x.reshape(len(x), {', '.join(map(str, layer.shape))})"
        case Dropout():
            return "" if layer.inverted else f"x = x * {1 - layer.rate!r}"
        case LeakyReLU():
            return f"x = np.where(x > 0, x, {layer.slope!r} * x)"
        case ELU():
            return f"x = np.where(x > 0, x, {layer.alpha!r} * np.expm1(np.minimum(x, 0)))"
    raise ConfigError(f"numpy-script: cannot write the layer {layer!r} in a few lines of NumPy; export to onnx instead")


def write(network: Network, path: Path) -> list[Path]:
    """The program, and beside it the weights, where connections that a mask removes are 0.

    BatchNorm with its running mean and variance is one product and one sum: γ/s and β − γ μ/s.
    """
    found = [line_of(layer, str(i), network.shapes[i]) for i, layer in enumerate(network.layers)]
    body = "\n".join(f"    {line}" for line in found if line)
    classes = network.shapes[-1][0] > 1 and bool(network.loss.owns)
    arrays = {f"{name}.{key}": p.value for name, layer in network.named_layers() for key, p in layer.params.items()}
    for i, layer in enumerate(network.layers):
        if isinstance(layer, Dense | Conv2D):
            arrays[f"{i}.W"] = layer.connected(arrays[f"{i}.W"])
        if isinstance(layer, BatchNorm):
            scale = arrays.pop(f"{i}.gamma") / np.sqrt(layer.buffers["running_var"] + layer.epsilon)
            arrays[f"{i}.scale"] = scale
            arrays[f"{i}.shift"] = arrays.pop(f"{i}.beta") - scale * layer.buffers["running_mean"]
    weights = path.with_suffix(".npz")
    text = SCRIPT.format(
        sizes=" → ".join("×".join(map(str, shape)) for shape in (network.shapes[0], network.shapes[-1])),
        name=path.name,
        shape=f"(N, {', '.join(map(str, network.input_shape))})",
        answer="class" if classes else "outputs",
        weights=weights.name,
        functions=(CONV if "conv(" in body else "") + (POOL if "max_pool(" in body else ""),
        outputs=network.shapes[-1][0],
        factor=network.scaling.factor,
        offset=network.scaling.offset,
        input=", ".join(map(str, network.input_shape)),
        lines=body,
        end=OUTPUTS[network.loss.owns or ""],
        printed="outputs.argmax(axis=1)" if classes else "outputs",
    )
    with atomic_write(weights) as temporary:
        np.savez(temporary, **arrays)
    write_text(path, text)
    return [path, weights]


FORMAT = ExportFormat("numpy-script", ".py", "a program that predicts with NumPy alone, and its weights", write)
