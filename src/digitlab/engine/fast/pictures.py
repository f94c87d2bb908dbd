"""Operations of pictures: convolutions, pools, and the border that padding asks for. planner.py calls them."""

import math
from typing import TYPE_CHECKING

from digitlab.engine.fast import layout as at
from digitlab.engine.fast.choices import NoKernel, is_monotone
from digitlab.engine.fast.plan import LANES, padded
from digitlab.nn.bias import Bias
from digitlab.nn.conv import Conv2D
from digitlab.nn.network import Layer
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.windows import Windows

if TYPE_CHECKING:
    from digitlab.engine.fast.planner import Planner

POOLS: dict[type[Layer], int] = {
    MaxPool2D: at.MAX_POOL,
    AveragePool2D: at.AVERAGE_POOL,
    GlobalAveragePool: at.AVERAGE_POOL,
}
LARGEST_PICTURE = 1 << 20  # 16 times a place in it must be exact in float32 (ops/pooled_conv.py)


def pooled_convolution(planner: "Planner", i: int) -> int:
    """A convolution with the max-pooling after it: activations that never fall may stand on either side of it.

    Returns how many layers that was: 0 if they are not of the kind that ops/pooled_conv.py takes.
    """
    layers = planner.network.layers
    conv, j = layers[i], i + 1
    assert isinstance(conv, Conv2D)
    windows = conv.windows(planner.network.shapes[i])
    activation: list[int] = []
    while j < len(layers) and is_monotone(layers[j]):
        activation.append(j)
        j += 1
    pool = layers[j] if j < len(layers) else None
    if type(pool) is not MaxPool2D:
        return 0
    pools = pool.windows(planner.network.shapes[j])
    size = pools.kernel[0]
    if (
        (windows.stride, windows.dilation) != ((1, 1), (1, 1))
        or conv.connections is not None
        or not all(isinstance(p.trainable, bool) for p in conv.params.values())
        or (pools.kernel, pools.stride, pools.padded) != ((size, size), pools.kernel, pools.picture)
        or size > 3
        or math.prod(windows.padded) * planner.network.shapes[i][2] >= LARGEST_PICTURE
    ):
        return 0
    framed(planner, windows)
    bias, j = (f"{i}.b", conv.params["b"]) if "b" in conv.params else None, j + 1
    separate = layers[j] if j < len(layers) and bias is None and not activation else None
    if type(separate) is Bias and isinstance(separate.params["b"].trainable, bool):
        bias, j = (f"{j}.b", layers[j].params["b"]), j + 1
    (height, width), (kh, kw), channels = windows.padded, windows.kernel, planner.network.shapes[i][2]
    row, filters = planner.row(), conv.filters
    line = padded(kw * channels)
    w = planner.slot(f"{i}.W", conv.params["W"], filters * kh, kw * channels)
    w.kernels = (kh, filters)
    row[at.KIND], row[at.W], row[at.N_OUT] = at.POOLED_CONV, w.offset, filters
    planner.weights(w, conv, row)
    planner.bias(bias, filters, row)
    row[at.HEIGHT], row[at.WIDTH], row[at.CHANNELS] = height, width, channels
    row[at.KERNEL], row[at.KERNEL_WIDTH], row[at.POOL] = kh, kw, size
    row[at.OUT_HEIGHT], row[at.OUT_WIDTH] = pools.count
    row[at.FILTER_STRIDE] = padded(filters)
    row[at.W2], planner.fixed = planner.fixed, planner.fixed + kh * kw * channels * padded(filters)
    planner.work += 2 * math.prod(windows.count) * kh * kw * channels * filters
    x_stride, planner.size = planner.stride, math.prod(pools.count) * filters
    planner.stride = padded(planner.size) + LANES
    planner.value, planner.gradient_at = planner.room(planner.stride), planner.room(planner.stride)
    row[at.EXTRA] = planner.stride + padded(2 * height)  # of `where`, with the ink's reach in each row behind it
    row[at.WHERE] = planner.room(row[at.EXTRA])
    planner.add(row)
    pixels = math.prod(pools.count)
    chunk = max(1, min(at.CHUNK_INPUTS // x_stride, at.CHUNK_ITEMS // (pixels * filters)))  # ops/pooled_conv.py's
    planner.scratch = max(
        planner.scratch,
        size * size * pools.count[1] * padded(filters) + LANES,
        (2 * filters + 1) * pixels * size * size + LANES,
        (2 * chunk * pixels + 1) * filters + LANES,
        line,
    )
    for k in activation:
        planner.layer(k)
    return j - i


def convolution(planner: "Planner", i: int) -> int:
    """Any other convolution: ops/windows.py."""
    conv = planner.network.layers[i]
    assert isinstance(conv, Conv2D)
    windows, channels, filters = conv.windows(planner.network.shapes[i]), planner.network.shapes[i][2], conv.filters
    framed(planner, windows)
    row, n = windows_row(planner, windows, channels), math.prod(windows.kernel) * channels
    w = planner.slot(f"{i}.W", conv.params["W"], n, filters, padded(n) - n)
    row[at.KIND], row[at.W], row[at.N_IN], row[at.N_OUT] = at.CONV, w.offset, n, filters
    row[at.FILTER_STRIDE] = padded(filters)
    planner.weights(w, conv, row)
    planner.bias((f"{i}.b", conv.params["b"]) if "b" in conv.params else None, filters, row)
    count = math.prod(windows.count)
    planner.work += 3 * count * n * filters
    room = count * (padded(n) + padded(filters)) + at.GRADIENT_ROWS * padded(filters)
    planner.scratch = max(planner.scratch, room + LANES)
    put_out(planner, row, count * filters)
    return 1


def pool(planner: "Planner", i: int) -> int:
    """A pool that no convolution is fused with."""
    pool, shape, numbers = planner.network.layers[i], planner.network.shapes[i], [0.0] * at.NUMBER_SIZE
    if isinstance(pool, GlobalAveragePool):
        whole = shape[0], shape[1]
        windows = Windows(whole, (1, 1), (1, 1), whole, (0, 0), (0, 0))
    else:
        assert isinstance(pool, MaxPool2D | AveragePool2D)
        windows = pool.windows(shape)
    if windows.padded != windows.picture:
        raise NoKernel(f"no kernel for {type(pool).__name__} with padding, layer {i}")
    row = windows_row(planner, windows, shape[2])
    row[at.KIND], row[at.N_OUT] = POOLS[type(pool)], shape[2]
    numbers[0] = 1.0 / math.prod(windows.kernel)
    put_out(planner, row, math.prod(windows.count) * shape[2], numbers)
    return 1


def windows_row(planner: "Planner", windows: Windows, channels: int) -> list[int]:
    """A new operation that slides windows over what the last one wrote."""
    row = planner.row()
    (row[at.HEIGHT], row[at.WIDTH]), row[at.CHANNELS] = windows.padded, channels
    row[at.KERNEL], row[at.KERNEL_WIDTH] = windows.kernel
    row[at.DOWN], row[at.ACROSS] = windows.stride
    row[at.DILATION_DOWN], row[at.DILATION_ACROSS] = windows.dilation
    row[at.OUT_HEIGHT], row[at.OUT_WIDTH] = windows.count
    return row


def put_out(planner: "Planner", row: list[int], size: int, numbers: list[float] | None = None) -> None:
    """Add an operation whose output is a picture of `size` numbers."""
    first = planner.gradient_at < 0 and row[at.KIND] != at.CONV  # no gradient is asked for before the first weights
    planner.size, planner.stride = size, padded(size) + LANES
    planner.value, planner.gradient_at = planner.room(planner.stride), -1 if first else planner.room(planner.stride)
    planner.add(row, numbers)


def framed(planner: "Planner", windows: Windows) -> None:
    """The border of zeros that padding asks for; without one, a copy if the picture has no room behind it.

    Rows are added to ∂L/∂x in whole vectors, past a picture's end: a dense layer's outputs, reshaped, lie too close.
    """
    if windows.padded == windows.picture and planner.stride >= padded(planner.size) + LANES:
        return
    row = planner.row()
    row[at.KIND], (row[at.HEIGHT], row[at.WIDTH]) = at.FRAME, windows.picture
    row[at.CHANNELS] = planner.size // math.prod(windows.picture)
    (row[at.PADDING], row[at.CHOICE]), (row[at.OUT_HEIGHT], row[at.OUT_WIDTH]) = windows.before, windows.padded
    planner.size = math.prod(windows.padded) * row[at.CHANNELS]
    planner.stride = padded(planner.size) + LANES
    planner.value = planner.room(planner.stride)
    planner.gradient_at = planner.room(planner.stride) if planner.gradient_at >= 0 else -1
    planner.add(row)
