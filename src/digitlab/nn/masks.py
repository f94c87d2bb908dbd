"""Which input reaches which neuron: masks of 0 and 1, shape (in, out), for `Dense(30, connections=...)`.

A mask is a plain list of lists, so that it can be written into a file with the rest of the network's choices.
Row i says where input i leads; column j is what neuron j sees.
"""

import math
from typing import Any

import numpy as np

from digitlab.arguments import checked, generator
from digitlab.errors import ConfigError, ShapeError

__all__ = ["all_connections", "block_connections", "local_connections", "random_connections"]

Mask = list[list[int]]


@checked
def all_connections(n_in: int, n_out: int) -> Mask:
    """Every input reaches every neuron: what a dense layer is without a mask, to be thinned out by hand."""
    _check_sizes("all_connections", n_in, n_out)
    return _mask(np.ones((n_in, n_out)))


@checked
def random_connections(n_in: int, n_out: int, share: float, rng: np.random.Generator | int) -> Mask:
    """Every neuron sees the same number of inputs, round(share · n_in) and at least one, drawn without replacement."""
    _check_sizes("random_connections", n_in, n_out)
    if not 0 < share <= 1:
        raise ConfigError(f"random_connections: got share {share}, expected 0 < share ≤ 1: the part of inputs seen")
    rng, count = generator(rng, "rng"), max(1, round(share * n_in))
    mask = np.zeros((n_in, n_out))
    for neuron in range(n_out):
        mask[rng.choice(n_in, count, replace=False), neuron] = 1
    return _mask(mask)


@checked
def block_connections(n_in: int, n_out: int, blocks: int) -> Mask:
    """The inputs in `blocks` runs, the neurons too, and each run of inputs reaches only its run of neurons.

    By hand    block_connections(4, 2, 2) is [[1 0] [1 0] [0 1] [0 1]].
    Sizes that the count does not divide differ by one.
    """
    if not 1 <= blocks <= min(n_in, n_out):
        raise ConfigError(f"block_connections: got {blocks} blocks, expected 1 to {min(n_in, n_out)}")
    rows, columns = np.arange(n_in) * blocks // n_in, np.arange(n_out) * blocks // n_out
    return _mask(rows[:, None] == columns[None, :])


@checked
def local_connections(
    image_shape: tuple[int, ...], field: int | tuple[int, int], stride: int | tuple[int, int] | None = None
) -> Mask:
    """Local receptive fields: each neuron sees one window of a flattened picture, all of its channels.

    The windows are `field` high and wide and start every `stride` pixels (as far as the field, if not given, so that
    they do not overlap); there are as many neurons as windows. A convolution whose places do not share weights.

    By hand    local_connections((4, 4), 2) has 16 rows and 4 columns, with four 1s in each column.
    """
    if not 2 <= len(image_shape) <= 3:
        raise ConfigError(
            f"local_connections: got image_shape {tuple(image_shape)}, expected (height, width[, channels])"
        )
    height, width = image_shape[:2]
    high, wide = (field, field) if isinstance(field, int) else field
    down, right = (high, wide) if stride is None else (stride, stride) if isinstance(stride, int) else stride
    if not (1 <= high <= height and 1 <= wide <= width and down >= 1 and right >= 1):
        raise ConfigError(
            f"local_connections: fields of {high}×{wide} every {down}, {right} pixels do not fit an image of shape "
            f"{tuple(image_shape)}; expected smaller fields"
        )
    neurons = []
    for top in range(0, height - high + 1, down):
        for left in range(0, width - wide + 1, right):
            seen = np.zeros(image_shape)
            seen[top : top + high, left : left + wide, ...] = 1
            neurons.append(seen.ravel())
    return _mask(np.stack(neurons, axis=1))  # (in, windows)


def mask_in_words(words: str, n_in: int, n_out: int) -> Mask:
    """The mask that a text means, as settings files have it.

    "random:0.1"     random_connections of this share; "random:0.1,3" with the seed 3 instead of 0
    "block:5"        block_connections of five blocks
    "local:7"        local_connections of 7×7 windows on square pictures; "local:7,3" with the stride 3

    Raises ConfigError for other words, ShapeError if there are not as many neurons as windows.
    """
    name, numbers = _read_words(words)
    if name == "random":
        return random_connections(n_in, n_out, numbers[0], int(numbers[1]) if len(numbers) > 1 else 0)
    if name == "block":
        return block_connections(n_in, n_out, int(numbers[0]))
    side = math.isqrt(n_in)
    if side * side != n_in:
        raise ConfigError(
            f"connections {words!r}: {n_in} inputs are no square picture; use local_connections(shape, …)"
        )
    mask = local_connections((side, side), *map(int, numbers))
    if len(mask[0]) != n_out:
        raise ShapeError(
            f"connections {words!r}: a picture of {side}×{side} has {len(mask[0])} windows, one for each neuron; "
            f"got {n_out} neurons"
        )
    return mask


def _read_words(words: str) -> tuple[str, list[float]]:
    """The name and numbers in "local:7,3". Raises ConfigError."""
    name, _, text = words.partition(":")
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    if name not in ("random", "block", "local") or not 1 <= len(numbers) <= (1 if name == "block" else 2):
        raise ConfigError(
            f"connections: got {words!r}, expected random:SHARE, block:BLOCKS, local:SIZE, or rows of 0 and 1"
        )
    return name, numbers


def checked_connections(mask: Any, layer: str) -> Mask | str:
    """A mask in words, or given as nested lists or an array, as a list of lists of 0 and 1. Raises ConfigError."""
    if isinstance(mask, str):
        _read_words(mask)
        return mask
    try:
        values = np.asarray(mask, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.ndim != 2 or values.size == 0 or not np.isin(values, (0, 1)).all():
        raise ConfigError(
            f"{layer}: connections must be rows of 0 and 1, one row an input, one column an output: "
            "1 where the two are connected"
        )
    return _mask(values)


def as_mask(mask: Mask | str, n_in: int, n_out: int) -> Mask:
    """The mask itself, or the one that its words mean for this many inputs and outputs."""
    return mask_in_words(mask, n_in, n_out) if isinstance(mask, str) else mask


def check_fit(mask: Mask | str | None, expected: tuple[int, int], layer: str, axes: str) -> None:
    """Raises ShapeError if there is a mask and it has not the `expected` rows and columns, whose names are `axes`."""
    if isinstance(mask, str):
        mask = mask_in_words(mask, *expected)
    if mask is not None and (got := (len(mask), len(mask[0]))) != expected:
        raise ShapeError(f"{layer}: got connections of shape {got}, expected {axes} = {expected}")


def connections_text(mask: Mask | str | None) -> str:
    """A mask in few characters: its words, or how many of its places are connected."""
    if mask is None or isinstance(mask, str):
        return repr(mask)
    return f"<{sum(map(sum, mask)):,} of {sum(map(len, mask)):,}>"


def _mask(values: Any) -> Mask:
    rows: Mask = np.asarray(values).astype(int).tolist()
    return rows


def _check_sizes(function: str, n_in: int, n_out: int) -> None:
    if min(n_in, n_out) < 1:
        raise ConfigError(f"{function}: got n_in {n_in} and n_out {n_out}, expected at least 1 of each")
