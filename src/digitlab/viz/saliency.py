"""Which pixels an answer hangs on: its gradient by the pixels, and what covering a patch of them does."""

from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.engine.select import predict
from digitlab.errors import ConfigError
from digitlab.nn.network import Network
from digitlab.viz.figures import Figure, new_figure, show_image, show_signed
from digitlab.viz.imagine import picture_shape

Array = np.ndarray[Any, Any]


def gradient_saliency(network: Network, images: Array, classes: Array) -> Array:
    """∂z_c/∂x for each image's class c, z the logits and x the scaled pixels: (N, H, W) or (N, H, W, 3).

    images (N, ...), bytes or floating point; classes int (N,). The network's parameters stay as they are (their `grad`
    is overwritten). See Simonyan, Vedaldi & Zisserman 2014, "Deep inside convolutional networks", sec. 3.
    """
    logits, caches = network.forward(images)
    wanted = np.eye(logits.shape[1], dtype=network.dtype)[np.asarray(classes)]  # (N, out)
    gradient = to_numpy(network.backward(wanted, caches))
    found: Array = gradient.reshape(len(images), *picture_shape(network))
    return found


def occlusion(network: Network, image: Array, target: int, *, size: int = 5, fill: float | None = None) -> Array:
    """By how much the output for `target` falls when a size × size patch around each pixel is covered: (H, W).

    image (H, W) or (H, W, 3), bytes. What covers is paper, byte 0, unless `fill` says otherwise; where a patch reaches
    over the border it is cut. See Zeiler & Fergus 2014, "Visualizing and understanding convolutional
    networks", sec. 4.2. Raises ConfigError unless the size is odd.
    """
    if size < 1 or size % 2 == 0:
        raise ConfigError(f"size: got {size}, expected an odd number of pixels, so that a patch has a middle")
    height, width = image.shape[:2]
    covered = np.repeat(image[None], height * width, axis=0)  # (H·W, H, W)
    reach = size // 2
    for k in range(height * width):
        i, j = divmod(k, width)
        covered[k, max(0, i - reach) : i + reach + 1, max(0, j - reach) : j + reach + 1] = 0 if fill is None else fill
    outputs = to_numpy(predict(network, np.concatenate([image[None], covered])))[:, target]  # (1 + H·W,)
    fall: Array = (outputs[0] - outputs[1:]).reshape(height, width)
    return fall


def saliency_figure(images: Array, gradients: Array, occlusions: Array, titles: list[str]) -> Figure:
    """Per image (a row): itself, ∂z/∂x, and the fall of the output under a covered patch.

    images bytes (N, H, W) or (N, H, W, 3); gradients the same shape; occlusions (N, H, W).
    """
    n = len(images)
    figure = new_figure(8.2, 2.4 * n + 0.3)
    for row in range(n):
        gradient = gradients[row].sum(axis=-1) if gradients[row].ndim == 3 else gradients[row]
        columns = [
            (images[row], titles[row], None),
            (gradient, "gradient of the logit\nby the pixel", "∂z/∂x"),
            (occlusions[row], "fall of the output when\na patch is covered", "output before − after"),
        ]
        for column, (values, title, unit) in enumerate(columns):
            axes = figure.add_subplot(n, 3, 3 * row + column + 1)
            if unit is None:
                show_image(axes, values, title, size=8)
            else:
                figure.colorbar(show_signed(axes, values, title, size=8), ax=axes, shrink=0.8, label=unit)
    return figure
