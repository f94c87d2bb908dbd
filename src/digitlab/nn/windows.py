"""Windows that slide over a picture: where they lie, for convolution and pooling alike.

What all windows see at one place (i, j) inside them is one evenly spaced slice of the picture, (N, OH, OW, C).
The kh·kw slices together hold everything that every window sees, so the layers loop over a kernel's few places,
never over the picture:

    picture 4×4, kernel 2×2, stride 2     place (0, 0): x[:, 0:3:2, 0:3:2, :]     place (0, 1): x[:, 0:3:2, 1:4:2, :]
"""

from dataclasses import dataclass
from typing import Any

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.network import Shape

Pair = tuple[int, int]  # (down, across)


@dataclass(frozen=True)
class Windows:
    """How a kernel lies on pictures of one size; every pair is (down, across)."""

    kernel: Pair  # kh, kw
    stride: Pair
    dilation: Pair
    picture: Pair  # H, W
    before: Pair  # padding above and on the left
    after: Pair  # padding below and on the right

    @property
    def padded(self) -> Pair:
        """The picture's size with its padding."""
        (h, w), (top, left), (bottom, right) = self.picture, self.before, self.after
        return top + h + bottom, left + w + right

    @property
    def reach(self) -> Pair:
        """How many pixels one window covers, from its first to its last."""
        return self.dilation[0] * (self.kernel[0] - 1) + 1, self.dilation[1] * (self.kernel[1] - 1) + 1

    @property
    def count(self) -> Pair:
        """OH, OW: how many windows fit; pixels left over at the lower and right border are in none."""
        (h, w), (rh, rw) = self.padded, self.reach
        return (h - rh) // self.stride[0] + 1, (w - rw) // self.stride[1] + 1

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """Pictures with `value` around them; `x` itself if there is no padding."""
        if self.padded == self.picture:
            return x
        n, c = x.shape[0], x.shape[3]
        padded = array_namespace(x).full((n, *self.padded, c), value, dtype=x.dtype, device=x.device)  # (N, H', W', C)
        padded[self.inside()] = x
        return padded

    def unpad(self, x: Array) -> Array:
        """Padded pictures without their padding."""
        return x if self.padded == self.picture else x[self.inside()]  # (N, H, W, C)

    def inside(self) -> tuple[slice, ...]:
        """The index of the picture in the padded picture."""
        (top, left), (h, w) = self.before, self.picture
        return slice(None), slice(top, top + h), slice(left, left + w), slice(None)

    def places(self) -> list[tuple[slice, ...]]:
        """For each place in the kernel, row by row, the index of what all windows see there: (N, OH, OW, C)."""
        (kh, kw), (down, across), (dh, dw), (oh, ow) = self.kernel, self.stride, self.dilation, self.count
        rows = [slice(i * dh, i * dh + (oh - 1) * down + 1, down) for i in range(kh)]
        columns = [slice(j * dw, j * dw + (ow - 1) * across + 1, across) for j in range(kw)]
        return [(slice(None), row, column, slice(None)) for row in rows for column in columns]


def windows_on(layer: str, input_shape: Shape, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> Windows:
    """The windows of a layer, which is named in errors, on pictures of shape (H, W, C). Raises ShapeError."""
    check_picture(layer, input_shape)
    kernel, stride, dilation = pair(kernel), pair(stride), pair(dilation)
    around = [around_axis(*axis, padding, i) for i, axis in enumerate(zip(input_shape, kernel, stride, dilation))]
    (top, bottom), (left, right) = around
    w = Windows(kernel, stride, dilation, (input_shape[0], input_shape[1]), (top, left), (bottom, right))
    if min(w.count) < 1:
        smallest = [reach - sum(pads) for reach, pads in zip(w.reach, around)]
        raise ShapeError(
            f"{layer}: got a picture of {input_shape[0]}×{input_shape[1]}, expected at least "
            f"{smallest[0]}×{smallest[1]}; a smaller kernel or more padding fits"
        )
    return w


def check_picture(layer: str, input_shape: Shape) -> None:
    """Raises ShapeError, with what to do, unless the input is a picture (H, W, C)."""
    if len(input_shape) == 3:
        return
    if len(input_shape) == 2:
        hint = f"a grey picture has one channel: {(*input_shape, 1)}"
    else:
        hint = "give the network input_shape=(28, 28, 1), or put a Reshape((28, 28, 1)) before it"
    raise ShapeError(f"{layer}: got input of shape {input_shape}, expected (height, width, channels); {hint}")


def around_axis(size: int, kernel: int, stride: int, dilation: int, padding: Any, axis: int) -> Pair:
    """The padding before and after one axis. "same" gives ⌈size/stride⌉ windows; an odd pixel goes after."""
    if padding != "same":
        return pair(padding)[axis], pair(padding)[axis]
    total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def pair(value: Any) -> Pair:
    """5 as (5, 5); a pair as it is."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def check_padding(layer: str, padding: Any) -> None:
    """Raises ConfigError unless this is "same", a whole number of at least 0 or two of them."""
    if not (isinstance(padding, str) and padding == "same"):
        check_pair(layer, 'padding (or "same")', padding, 0)


def check_pair(layer: str, name: str, value: Any, least: int) -> None:
    """Raises ConfigError unless a setting is a whole number or two of them, of at least `least`."""
    numbers = list(value) if isinstance(value, list | tuple) and len(value) == 2 else [value]
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= least for n in numbers):
        raise ConfigError(
            f"{layer}: got {name} {value!r}, expected a whole number of at least {least}, or two (down, across)"
        )
