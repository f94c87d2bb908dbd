"""What a description in a file may ask for: no other file, and no more memory than the file's size warrants.

A stored description is a stranger's, unlike the settings that you write. Inside `stored(numbers)`, whatever makes an
array or a list of a size that a description states calls `charge` first.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from digitlab.errors import ConfigError
from digitlab.nn.describe import normalized

LARGEST = 2**24  # of a whole number in a description, and of the numbers that go into a layer
MAX_LAYERS = 5_000
MAX_DEPTH = 60  # of layers and lists inside each other
MAX_NETWORKS = 8  # inside each other; each level is built again for every level around it
ANOTHER_FILE = "the description names another file, which is never opened; it is damaged, or a trap"
SPARE = 2**20  # numbers that any file may have made: a file of few weights may hold long lists of places

_left: ContextVar[float | None] = ContextVar("numbers that may still be made", default=None)


@contextmanager
def stored(numbers: float) -> Iterator[None]:
    """In this block descriptions come from a file that holds so many numbers."""
    # Networks inside each other are built once for each level around them, and once more to be looked at.
    token = _left.set(2 * MAX_NETWORKS * numbers + SPARE)
    try:
        yield
    finally:
        _left.reset(token)


def charge(numbers: float) -> None:
    """Announce that so many numbers are about to be made. Raises ConfigError if the file has too few for that."""
    if (left := _left.get()) is None:
        return
    if numbers > left:
        raise ConfigError(f"the description asks for {numbers:,} numbers, more than the file holds; it is damaged")
    _left.set(left - numbers)


def require_own_weights() -> None:
    """Raise ConfigError in a `stored` block: a network in a file names no other file."""
    if _left.get() is not None:
        raise ConfigError(ANOTHER_FILE)


def check_description(description: Any) -> None:
    """Raise ConfigError for a description that names a file, or has too many layers, levels or too large a number."""
    waiting: list[tuple[Any, int, int]] = [(description, 0, 0)]
    layers, slices, inputs = 0, 0, 1
    while waiting:
        item, depth, networks = waiting.pop()
        if isinstance(item, Mapping):
            layers += "type" in item
            networks += "layers" in item and "input_shape" in item
            inner = [value for key, value in item.items() if key not in ("frozen", "type")]  # masks: see the weights
            shape = item.get("input_shape")
            if isinstance(shape, list):
                inputs = max(inputs, math.prod(n for n in shape if isinstance(n, int)))
            slices += normalized(str(item.get("type"))) == "slice"
            if isinstance(item.get("network"), str):
                raise ConfigError(ANOTHER_FILE)
        elif isinstance(item, list | tuple):
            inner = list(item)
        elif isinstance(item, int) and abs(item) > LARGEST:
            raise ConfigError(f"the description holds the number {item!s:.20}, expected at most {LARGEST:,}")
        elif isinstance(item, str) and normalized(item.partition(":")[0]) == "subnetwork":
            raise ConfigError(ANOTHER_FILE)
        else:
            continue
        for found, most, what in (
            (layers, MAX_LAYERS, "layers"),
            (depth, MAX_DEPTH, "levels"),
            (networks, MAX_NETWORKS, "networks inside each other"),
            (inputs * max(slices, 1), LARGEST, "inputs (times slices, each of which numbers them)"),
        ):
            if found > most:
                raise ConfigError(f"the description has more than {most:,} {what}")
        waiting += [(value, depth + 1, networks) for value in inner]
