"""Gradient ascent on the input: a picture that the network classifies as a digit, with fixed weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.errors import ConfigError
from digitlab.nn.network import Network
from digitlab.viz.imagine import Picture, one_hot, picture_shape, pixel_range

LONGEST = 1500  # steps; after them a digit that is not ahead of all others is returned as it is


def ascend(
    network: Network,
    digits: Sequence[int],
    *,
    steps: int = 120,
    rate: float = 0.1,
    l2: float = 0.1,
    total_variation: float = 0.03,
    blur: float = 0.5,
    starts: int = 4,
    rng: np.random.Generator | None = None,
) -> Picture:
    """Pictures (D, H, W) or (D, H, W, 3), one for each digit, in the range of the network's pixels.

    Each starts as smoothed noise (from `rng`; None: always the same), and x in 0 … 1 changes in each step by

        rate (1 − step/steps) (g / max |g|  −  l2 ∂Σx²/∂x  −  total_variation ∂Σ|∇x|/∂x),   g = ∂J/∂x
        J = z_d − ln Σ_{k≠d} e^{z_k}

    z the logits: J is how far the digit is ahead of all others. The two penalties prefer little ink and smooth
    pictures. Pixels stay in range, and every fourth step except the last ones blurs the picture by `blur` pixels.

    Of several starts the picture with the largest J is kept, since one may reach a point without gradient. A digit
    that is not ahead in any is tried again with four times as many steps.
    Works for any network with a backward pass. Raises ConfigError for a digit without an output.
    See Simonyan, Vedaldi & Zisserman 2014, "Deep inside convolutional networks", sec. 2; Yosinski et al. 2015.
    """
    if steps < 1 or starts < 1:
        raise ConfigError(f"got steps {steps} and starts {starts}, expected at least 1 of each")
    from scipy.ndimage import gaussian_filter

    wanted = np.repeat(np.stack([one_hot(network, digit) for digit in digits]), starts, axis=0)  # (D·starts, out)
    low, high = pixel_range(network)
    shape = (len(wanted), *picture_shape(network))
    # A constant picture may leave every ReLU at or below 0, without a gradient; noise activates some.
    noise = (rng if rng is not None else np.random.default_rng(0)).standard_normal(shape)
    pictures = np.clip(gaussian_filter(noise, _across(shape, 1.5)) * 2, 0.0, 1.0)  # low … high to the network
    for step in range(steps):
        gradient = logit_lead_gradient(network, low + pictures * (high - low), wanted)
        largest = np.abs(gradient).max(axis=tuple(range(1, gradient.ndim)), keepdims=True)
        prior = 2 * l2 * pictures + total_variation * variation_gradient(pictures)
        pictures = pictures + rate * (1 - step / steps) * (gradient / np.maximum(largest, 1e-12) - prior)
        if blur and step % 4 == 0 and step < 0.8 * steps:
            pictures = gaussian_filter(pictures, _across(shape, blur))
        pictures = np.clip(pictures, 0.0, 1.0)
    pictures = low + pictures * (high - low)
    leads = logit_leads(network, pictures, wanted).reshape(-1, starts)  # (D, starts)
    best: Picture = pictures.reshape(-1, starts, *shape[1:])[np.arange(len(leads)), leads.argmax(axis=1)]
    behind = np.flatnonzero(leads.max(axis=1) <= 0)
    if len(behind) and steps < LONGEST:
        settings = {"rate": rate, "l2": l2, "total_variation": total_variation, "blur": blur}
        again = [list(digits)[int(i)] for i in behind]
        best[behind] = ascend(network, again, steps=4 * steps, starts=starts, rng=rng, **settings)
    return best


def logit_leads(network: Network, pictures: Picture, wanted: Picture) -> Picture:
    """J = z_d − ln Σ_{k≠d} e^{z_k} for pictures (D, …) and their digits as one-hot rows (D, out): (D,)."""
    from scipy.special import logsumexp

    logits, _ = network.forward(pictures.reshape(len(pictures), *network.input_shape).astype(network.dtype))
    z = to_numpy(logits).astype(np.float64)
    leads: Picture = z[wanted == 1] - logsumexp(np.where(wanted == 1, -np.inf, z), axis=1)
    return leads


def logit_lead_gradient(network: Network, pictures: Picture, wanted: Picture) -> Picture:
    """∂/∂x of z_d − ln Σ_{k≠d} e^{z_k} for pictures (D, …) and their digits as one-hot rows (D, out)."""
    from scipy.special import softmax

    x = pictures.reshape(len(pictures), *network.input_shape).astype(network.dtype)
    logits, caches = network.forward(x)
    shares = softmax(np.where(wanted == 1, -np.inf, to_numpy(logits).astype(np.float64)), axis=1)  # of the others
    gradient: Any = network.backward((wanted - shares).astype(network.dtype), caches)
    found: Picture = to_numpy(gradient).reshape(pictures.shape).astype(np.float64)
    return found


def variation_gradient(pictures: Picture) -> Picture:
    """∂/∂x of the total variation Σ |x[i+1, j] − x[i, j]| + |x[i, j+1] − x[i, j]| for pictures (D, H, W, …)."""
    gradient = np.zeros_like(pictures)
    for axis in (1, 2):
        signs = np.sign(np.diff(pictures, axis=axis))
        after = [slice(None)] * pictures.ndim
        before = list(after)
        after[axis], before[axis] = slice(1, None), slice(None, -1)
        gradient[tuple(after)] += signs
        gradient[tuple(before)] -= signs
    return gradient


def _across(shape: tuple[int, ...], pixels: float) -> list[float]:
    """σ of the smoothing along each axis of pictures (D, H, W, …): that of H and W, if longer than a pixel."""
    return [0, *(pixels if n > 1 else 0 for n in shape[1:3]), *[0] * (len(shape) - 3)]
