"""From inputs to the numbers a network computes with. The rule, for every network and every kind of input:

    uint8 arrays are pixel bytes:   x = factor · byte + offset, the network's own scaling
    all other numbers are numbers:  they are taken as they are

Images stay uint8 in memory. A network owns its scaling, so a saved network never meets pixels scaled in another way.
It also records the range of numbers it was trained on (`InputRange`); nn/examples.py refuses what is far outside.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError, DataError, ShapeError, not_among
from digitlab.nn.shapes import Shape, same_order


@dataclass(frozen=True)
class Scaling:
    """x = factor · byte + offset."""

    factor: float
    offset: float = 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """The numbers that bytes 0 and 255 become."""
        return self.offset, 255 * self.factor + self.offset


@dataclass(frozen=True)
class InputRange:
    """The inputs that a network was trained on: the least and the largest number, after scaling.

    pixels   whether they were pixel bytes (uint8)
    """

    low: float
    high: float
    pixels: bool = False

    def joined(self, other: "InputRange | None") -> "InputRange":
        """The range of both trainings."""
        if other is None:
            return self
        return InputRange(min(self.low, other.low), max(self.high, other.high), self.pixels or other.pixels)


NAMED = {
    "/255": Scaling(1 / 255),  # 0 ... 1
    "/256": Scaling(1 / 256),  # 0 ... .996: how Nielsen's mnist.pkl.gz was made
    "0.01-1": Scaling(0.99 / 255, 0.01),  # Rashid: no input is 0, so no weight is without a gradient
    "none": Scaling(1.0),
}


def prepared(x: Array, input_shape: Shape, scaling: Scaling, dtype: str) -> Array:
    """A batch in the network's shape and dtype, pixel bytes (uint8) scaled; see `Network.prepare`."""
    xp, shape = array_namespace(x), tuple(x.shape)
    if shape[1:] != input_shape:
        if len(shape) < 2 or not same_order(shape[1:], input_shape):
            single = len(shape) > 1 and same_order(shape, input_shape)
            hint = "; a single example needs a batch axis: x[None]" if single or shape == input_shape else ""
            expected = ", ".join(map(str, ("N", *input_shape)))
            raise ShapeError(f"got input of shape {shape}, expected ({expected}){hint}")
        x = xp.reshape(x, (shape[0], *input_shape))
    if shape[0] == 0:
        raise DataError("got an empty set; expected at least one example")
    wanted = getattr(xp, dtype)
    if x.dtype == wanted:
        return x
    if x.dtype == xp.uint8:
        x = xp.astype(x, wanted) * scaling.factor
        return x + scaling.offset if scaling.offset else x
    if xp.isdtype(x.dtype, ("bool", "integral", "real floating")):
        return xp.astype(x, wanted)
    raise DataError(f"got input of type {x.dtype}; expected pixel bytes (uint8) or numbers")


def as_scaling(choice: str | list[float] | tuple[float, float] | Scaling) -> Scaling:
    """The scaling that a name ("/255", "/256", "0.01-1", "none") or a pair (factor, offset) stands for."""
    if isinstance(choice, Scaling):
        return choice
    if isinstance(choice, str) and choice in NAMED:
        return NAMED[choice]
    if isinstance(choice, list | tuple) and len(choice) == 2 and all(isinstance(n, int | float) for n in choice):
        return Scaling(float(choice[0]), float(choice[1]))
    raise ConfigError(f"unknown scaling {not_among(choice, NAMED)}, or a pair (factor, offset)")


def describe_scaling(chosen: Scaling) -> str | list[float]:
    """The name of a scaling, or its pair if it has none."""
    for name, known in NAMED.items():
        if chosen == known:
            return name
    return [chosen.factor, chosen.offset]


def describe_range(known: InputRange | None) -> dict[str, Any] | None:
    """A range as JSON values; None where nothing is recorded."""
    return None if known is None else asdict(known)


def as_range(table: Any) -> InputRange | None:
    """The range that `describe_range` wrote; None for files without one. Raises ConfigError for other tables."""
    if table is None:
        return None
    try:
        found = InputRange(float(table["low"]), float(table["high"]), bool(table["pixels"]))
    except (KeyError, TypeError, ValueError):
        found = InputRange(1, 0)
    if not (math.isfinite(found.low) and math.isfinite(found.high) and found.low <= found.high):
        raise ConfigError(f"input_range: got {table!r}, expected low and high, finite numbers, and pixels")
    return found
