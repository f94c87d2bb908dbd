"""What the zoo knows of a network: how its layers are made for a number of classes, and how it is trained."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.errors import ShapeError
from digitlab.nn.describe import build
from digitlab.nn.network import Layer, Loss, Network, Shape

Layers = Callable[[int], list[Layer]]  # the layers of a network for a number of classes


@dataclass(frozen=True)
class Training:
    """How a network of the zoo is trained if nothing else is said: the settings of its book, where it has one.

    `l2` is λ of λ/(2n) Σ w², n the number of training images, as in network2; network3's λ is a tenth of it at
    batches of 10.
    """

    learning_rate: float
    batch_size: int = 10
    optimizer: str = "sgd"
    l2: float = 0.0
    epochs: int = 60
    schedule: str = "constant"

    def table(self) -> dict[str, Any]:
        """These settings as entries of a settings file."""
        return {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "optimizer": {"type": self.optimizer, "learning_rate": self.learning_rate},
            "schedule": {"type": self.schedule},
            "regularizers": [{"type": "L2", "strength": self.l2}] if self.l2 else [],
        }


@dataclass(frozen=True)
class Recipe:
    """A network of the zoo: what it is, how its layers are made for a number of classes, how it is trained."""

    about: str
    layers: Layers
    training: Training
    input_shape: Shape = (28, 28, 1)
    loss: str | dict[str, Any] = "log-likelihood"
    scaling: str = "/256"

    def build(
        self,
        *,
        input_shape: Sequence[int] | None = None,
        classes: int = 10,
        seed: int | np.random.Generator | None = 0,
        dtype: str = "float32",
    ) -> Network:
        """The network with fresh weights; for images of another size where its layers fit them."""
        shape = self.input_shape if input_shape is None else fitted(tuple(input_shape), len(self.input_shape))
        layers, loss = self.layers(classes), build(Loss, self.loss)
        return Network(layers, shape, loss, scaling=self.scaling, seed=seed, dtype=dtype)

    def least_side(self, side: int) -> int:
        """The smallest height and width, from `side` on, of images that its layers fit; its book's if none does."""
        for n in range(side, self.input_shape[0]):
            with suppress(ShapeError):
                self.build(input_shape=(n, n, *self.input_shape[2:]), seed=None)
                return n
        return self.input_shape[0]


def fitted(shape: Shape, axes: int) -> Shape:
    """An image's shape for a network whose input has one axis (all pixels), two (rows) or three (with channels)."""
    if axes == 1:
        return (math.prod(shape),)
    if axes == 3:
        return shape if len(shape) == 3 else (*shape, 1)
    return shape if len(shape) == 2 else (shape[0], math.prod(shape[1:]))
