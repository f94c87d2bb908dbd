"""From inputs to the numbers a network computes with. The rule, for every network and every way in:

    uint8 arrays are pixel bytes:   x = factor · byte + offset, the network's own scaling
    all other numbers are numbers:  they are taken as they are

Images stay uint8 in memory. A network owns its scaling, so a saved network never meets pixels scaled in another way.
It also records the range of numbers it was trained on (`InputRange`); nn/examples.py refuses what is far outside.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from digitlab.errors import ConfigError, not_among


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
