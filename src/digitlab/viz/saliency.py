"""Which pixels a prediction depends on: gradients with respect to the pixels, and occlusion of patches."""

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.engine.select import predict
from digitlab.errors import ConfigError
from digitlab.nn.network import Network
from digitlab.viz.figures import Array, Figure, new_figure, show_image, show_signed
from digitlab.viz.imagine import picture_shape


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
    """The decrease of the output for `target` when a size × size patch around each pixel is covered: (H, W).

    image (H, W) or (H, W, 3), bytes. The patch is filled with `fill`, by default 0 (paper), and cut at the border.
    See Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", sec. 4.2. Raises ConfigError
    unless the size is odd.
    """
    if size < 1 or size % 2 == 0:
        raise ConfigError(f"size: got {size}, expected an odd number of pixels, so that a patch has a center")
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
    """A row per image: the image, ∂z/∂x, and the decrease of the output when a patch is covered.

    images bytes (N, H, W) or (N, H, W, 3); gradients the same shape; occlusions (N, H, W).
    """
    n = len(images)
    figure = new_figure(8.2, 2.4 * n + 0.3)
    grid = figure.subplots(n, 3, squeeze=False)
    for row in range(n):
        gradient = gradients[row].sum(axis=-1) if gradients[row].ndim == 3 else gradients[row]
        columns = [
            (images[row], titles[row], None),
            (gradient, "gradient of the logit\nw.r.t. the pixels", "∂z/∂x"),
            (occlusions[row], "decrease of the output\nwhen a patch is covered", "output before − after"),
        ]
        for axes, (values, title, unit) in zip(grid[row], columns):
            if unit is None:
                show_image(axes, values, title, size=8)
            else:
                figure.colorbar(show_signed(axes, values, title, size=8), ax=axes, shrink=0.8, label=unit)
    return figure
