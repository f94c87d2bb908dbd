"""What the tests of exercises call: a comparison that says in one sentence what is wrong."""

from typing import Any

import numpy as np


def expect(what: str, found: Any, expected: Any, *, tolerance: float = 1e-6) -> None:
    """Compare numbers or arrays, within an absolute and relative tolerance. Raises AssertionError.

    `expect("add(1, 2)", add(1, 2), 3)` fails with "add(1, 2) is 4, expected 3".
    """
    if found is None:
        raise AssertionError(f"{what} returns nothing; write its body, and return the result")
    try:
        values, wanted = np.asarray(found, float), np.asarray(expected, float)
    except (TypeError, ValueError):
        raise AssertionError(f"{what} is {found!r}, expected {_shown(expected)}") from None
    if values.shape != wanted.shape:
        raise AssertionError(f"{what} has the shape {values.shape}, expected {wanted.shape}")
    if not np.allclose(values, wanted, rtol=tolerance, atol=tolerance):
        raise AssertionError(f"{what} is {_shown(found)}, expected {_shown(expected)}")


def _shown(value: Any) -> str:
    return np.array2string(np.asarray(value), precision=6, separator=", ", threshold=12).replace("\n", "")
