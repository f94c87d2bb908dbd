"""From pixel bytes to the numbers a network computes with: x = factor · byte + offset.

Images stay uint8 in memory; a network owns the scaling it was trained with, applies it to integer arrays,
and takes floating-point arrays as they are. So a saved network never meets pixels scaled in another way.
"""

from dataclasses import dataclass

from digitlab.errors import ConfigError


@dataclass(frozen=True)
class Scaling:
    """x = factor · byte + offset."""

    factor: float
    offset: float = 0.0


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
    raise ConfigError(f"unknown scaling {choice!r}; there are: {', '.join(NAMED)}, or a pair (factor, offset)")


def describe_scaling(chosen: Scaling) -> str | list[float]:
    """The name of a scaling, or its pair if it has none."""
    for name, known in NAMED.items():
        if chosen == known:
            return name
    return [chosen.factor, chosen.offset]
