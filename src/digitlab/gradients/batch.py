"""The batch that a gradient is computed on."""

from typing import NamedTuple

import numpy as np

from digitlab.arrays import Array


class Batch(NamedTuple):
    """The arguments of `Gradient.gradient` besides the network."""

    x: Array
    targets: Array
    training: bool = False
    rng: np.random.Generator | None = None
    weights: Array | None = None
