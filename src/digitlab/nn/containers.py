"""Layers made of layers: one after another, around a shortcut, side by side.

A layer inside another is a child: its parameters are named by its path ("1.left.0.W"), and it is counted,
saved and frozen like any other. Every layer object has one place; see also slices.py, per_neuron.py and subnetwork.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.formulas import Formulas
from digitlab.nn.initializers import streams
from digitlab.nn.network import Cache, Layer, Shape
from digitlab.nn.shapes import inner_shape

__all__ = ["Branches", "Residual", "Sequential"]


@dataclass(eq=False, repr=False)
class Sequential(Layer):
    """Layers one after another, used as one: `Sequential([Dense(30), ReLU()])`. With no layers it passes x on.

    Shapes     each layer's output shape is the next one's input shape
    Cache      every layer's cache
    By hand    Sequential([ReLU(), ReLU()]) of −1 and 3 is 0 and 3; g = 1 comes back as 0 and 1.

    Raises ShapeError, naming the layer inside, if two do not fit.
    """

    formulas = Formulas(
        "y = f_k(… f₂(f₁(x)))",
        "g through the layers in reverse, each with its own cache: the chain rule, as in `Network`",
    )
    layers: list[Layer] = field(default_factory=list, metadata={"family": Layer})

    def __post_init__(self) -> None:
        if not isinstance(self.layers, list | tuple):
            raise ConfigError(f"{type(self).__name__}: got layers {self.layers!r}, expected a list of them")
        super().__post_init__()
        self.layers = list(self.layers)

    def children(self) -> dict[str, Layer]:
        return {str(i): layer for i, layer in enumerate(self.layers)}

    def ends(self) -> list[list[Layer]]:
        return [self.layers]

    def output_shape(self, input_shape: Shape) -> Shape:
        for i, layer in enumerate(self.layers):
            input_shape = inner_shape(layer, input_shape, f"layer {i} in {type(self).__name__}:")
        return input_shape

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        for layer, stream in zip(self.layers, streams(rng, len(self.layers))):
            layer.init(input_shape, stream, dtype=dtype)
            input_shape = layer.output_shape(input_shape)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, training=training)
            caches.append(cache)
        return x, caches

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        for layer, seen in zip(reversed(self.layers), reversed(cache)):
            grad_y = layer.backward(grad_y, seen)
        return grad_y


@dataclass(eq=False, repr=False)
class Residual(Sequential):
    """Layers with a shortcut around them: `Residual([Dense(30), ReLU(), Dense(30)])` learns what to add to x.

    Shapes     x (N, …)   f(x) as x, or as P(x)
    Cache      the caches of f's layers and of P
    By hand    f = ReLU: x = 2 gives 4 and, with g = 1, ∂L/∂x = 2; x = −2 gives −2 and 1.

    Raises ShapeError if the two shapes differ.      He et al. 2016, "Deep residual learning", eq. 1 and 2.
    """

    formulas = Formulas(
        "y = x + f(x), or P(x) + f(x) with a `projection` P, where f changes the shape",
        "∂L/∂x = g + (g through f): the error also comes back undiminished",
    )
    projection: Layer | None = field(default=None, metadata={"family": Layer})

    def children(self) -> dict[str, Layer]:
        shortcut = {} if self.projection is None else {"projection": self.projection}
        return super().children() | shortcut

    def ends(self) -> list[list[Layer]]:
        return [self.layers, *([] if self.projection is None else [[self.projection]])]

    def output_shape(self, input_shape: Shape) -> Shape:
        y_shape, shortcut = super().output_shape(input_shape), input_shape
        if self.projection is not None:
            shortcut = inner_shape(self.projection, input_shape, "the projection in Residual:")
        if y_shape != shortcut:
            raise ShapeError(
                f"Residual: the layers give shape {y_shape}, the shortcut {shortcut}, and the two are added; "
                "expected equal shapes: give a projection=, such as Dense(n), that turns the one into the other"
            )
        return y_shape

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        along, across = streams(rng, 2)
        super().init(input_shape, along, dtype=dtype)
        if self.projection is not None:
            self.projection.init(input_shape, across, dtype=dtype)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        y, caches = super().forward(x, training=training)
        if self.projection is None:
            return x + y, (caches, None)
        shortcut, cache = self.projection.forward(x, training=training)
        return shortcut + y, (caches, cache)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        caches, shortcut = cache
        grad_x = grad_y if self.projection is None else self.projection.backward(grad_y, shortcut)
        return grad_x + super().backward(grad_y, caches)


MERGES = ("concatenate", "sum", "mean")


@dataclass(eq=False, repr=False)
class Branches(Layer):
    """Chains of layers from one input, their outputs merged: `Branches([[Dense(20), ReLU()], [Dense(5), Tanh()]])`.

    Shapes     "concatenate": equal but for the last axis (features, channels); else equal
    Cache      the branches' caches
    By hand    Branches([[], [ReLU()]]) of −3 is [−3 0]; g = [1 1] gives ∂L/∂x = 1. With merge="sum" it is −3 and 1.

    branches   a list of lists of layers, or a dictionary of them, whose keys then name the branches. A branch may
               begin with `Slice` to see a part of the input only, may be a `Subnetwork`, and with no layers it is a
               skip connection: Branches([[], [Conv2D(12, 3, padding=1), ReLU()]]) is a DenseNet's step
               (Huang et al. 2017, eq. 2).
    Raises ShapeError if the branches' outputs cannot be merged.
    """

    formulas = Formulas(
        'yᵢ = fᵢ(x);  y = [y₁ … y_k] along the last axis ("concatenate"), Σ yᵢ ("sum") or Σ yᵢ / k ("mean")',
        "each branch takes its part of g (g, g/k); ∂L/∂x is the sum of what the branches return",
    )
    branches: Any = field(metadata={"family": Layer})
    merge: str = "concatenate"
    chains: dict[str, Sequential] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.merge not in MERGES:
            raise ConfigError(f"Branches: got merge={self.merge!r}, expected one of {', '.join(MERGES)}")
        if isinstance(self.branches, Mapping):
            named = {str(key): layers for key, layers in self.branches.items()}
        else:
            several = self.branches if isinstance(self.branches, Iterable) else ()
            named = {str(i): layers for i, layers in enumerate(several)}
        wrong = [
            key
            for key, layers in named.items()
            if not isinstance(layers, list | tuple) or key in ("", "type") or "." in key
        ]
        if not named or wrong:
            raise ConfigError(
                "Branches: expected lists of layers, [[Dense(20), ReLU()], [Dense(5)]], or a dictionary of such lists "
                f'(whose keys are not "type" and have no "."); got {self.branches!r}'
            )
        self.chains = {key: Sequential(list(layers)) for key, layers in named.items()}
        lists = {key: chain.layers for key, chain in self.chains.items()}
        self.branches = lists if isinstance(self.branches, Mapping) else list(lists.values())

    def children(self) -> dict[str, Layer]:
        return dict(self.chains)

    def ends(self) -> list[list[Layer]]:
        # A skip connection brings its input to the end as it is, unless other branches are added to it.
        return [chain.layers for chain in self.chains.values() if chain.layers or self.merge == "concatenate"]

    def output_shape(self, input_shape: Shape) -> Shape:
        shapes = self.branch_shapes(input_shape)
        joined = self.merge == "concatenate"
        if not all(shapes) or len({shape[:-1] if joined else shape for shape in shapes}) > 1:
            got = ", ".join(f"{key}: {shape}" for key, shape in zip(self.chains, shapes))
            expected = "equal shapes but for the last axis; put Flatten() at the end" if joined else "equal shapes"
            raise ShapeError(f"Branches: got branches of shapes {got}; to {self.merge} them, expected {expected}")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes)) if joined else shapes[0]

    def branch_shapes(self, input_shape: Shape) -> list[Shape]:
        """The output shape of each branch."""
        return [inner_shape(chain, input_shape, f"branch {key}:") for key, chain in self.chains.items()]

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        for chain, stream in zip(self.chains.values(), streams(rng, len(self.chains))):
            chain.init(input_shape, stream, dtype=dtype)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        xp, parts, caches = array_namespace(x), [], []
        for chain in self.chains.values():
            y, cache = chain.forward(x, training=training)
            parts.append(y)
            caches.append(cache)
        if self.merge == "concatenate":
            return xp.concat(parts, axis=-1), (caches, [y.shape[-1] for y in parts])
        total = sum(parts[1:], parts[0])
        return total / len(parts) if self.merge == "mean" else total, (caches, None)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        caches, sizes = cache
        grads = []
        for i, (chain, seen) in enumerate(zip(self.chains.values(), caches)):
            part = grad_y
            if self.merge == "concatenate":
                part = grad_y[..., sum(sizes[:i]) : sum(sizes[: i + 1])]
            elif self.merge == "mean":
                part = grad_y / len(caches)
            grads.append(chain.backward(part, seen))
        return sum(grads[1:], grads[0])
