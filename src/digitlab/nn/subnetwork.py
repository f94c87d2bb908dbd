"""A whole network, trained or not, as one layer of another."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.containers import Sequential
from digitlab.nn.formulas import Formulas
from digitlab.nn.io.building import build_network
from digitlab.nn.io.description import describe_network
from digitlab.nn.io.loading import load_network
from digitlab.nn.io.stored import require_own_weights
from digitlab.nn.network import Cache, Layer, Network, Shape

__all__ = ["Subnetwork"]


def network_text(description: Any) -> str:
    """A network in few characters: the sizes of its ends."""
    shape = "×".join(map(str, description["input_shape"]))
    return f"<{shape} → {', '.join(layer['type'] for layer in description['layers'])}>"


@dataclass(eq=False, repr=False)
class Subnetwork(Layer):
    """A network as a layer: `Subnetwork(network)`, `Subnetwork("network.safetensors")`, `Subnetwork(description)`.

    Shapes     x as the network's input, or as many numbers in another shape
    Cache      the layers' caches, x's shape and y
    By hand    a network of ReLU alone, outputs="activations", quadratic: x = 0 gives σ(0) = ½.

    Given a network or a file, the layer takes a copy of its weights along and keeps them when the outer network is
    made; given a description, it starts with fresh ones. Either way the description is written into the outer
    network's, and the weights into its file. `frozen=True` keeps them as they are: nothing in it learns, dropout
    is off, and running means do not change; gradients still pass through to the layers before.
    The scaling of pixels is the outer network's, so both should be trained with the same.
    Raises ShapeError if the input is not as large as the network's.
    """

    formulas = Formulas(
        'y = the network\'s logits, or with outputs="activations" what its loss makes of them',
        "g through the network's layers in reverse; before it through the activation:\n"
        "sigmoid g y (1 − y), softmax y (g − Σ g y)",
    )
    network: Any = field(metadata={"shown": network_text})
    outputs: str = "logits"
    frozen: bool = False
    chain: Sequential = field(init=False, default_factory=Sequential)
    inner: Any = field(init=False, default=None)
    carries_weights: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        if self.outputs not in ("logits", "activations"):
            raise ConfigError(f"Subnetwork: got outputs={self.outputs!r}, expected 'logits' or 'activations'")
        if isinstance(self.network, str | os.PathLike):
            require_own_weights()
            self.network = load_network(self.network)
        if isinstance(self.network, Network):
            self.carries_weights = True
            self.take(self.network.copy())
        elif isinstance(self.network, Mapping):
            self.take(build_network(self.network, seed=None))
        else:
            raise ConfigError(f"Subnetwork: got {self.network!r}, expected a network, its file or its description")
        if self.outputs == "activations" and self.inner.loss.owns:
            self.activates, self.bounds = True, self.inner.loss.output_range

    def take(self, network: Network) -> None:
        """Make this network's layers the children."""
        self.inner, self.chain = network, Sequential(network.layers)
        # What is frozen is said once, by the outermost network, which knows every parameter by its full name.
        self.network = {key: value for key, value in describe_network(network).items() if key != "frozen"}

    def children(self) -> dict[str, Layer]:
        return self.chain.children()

    def ends(self) -> list[list[Layer]]:
        return self.chain.ends()

    def output_shape(self, input_shape: Shape) -> Shape:
        if np.prod(input_shape) != np.prod(self.inner.input_shape):
            raise ShapeError(f"{self!r}: got input of shape {input_shape}, expected {self.inner.input_shape}")
        output: Shape = self.inner.shapes[-1]
        return output

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        """Draw weights unless the network has its own; then only Dropout layers get new random generators."""
        if rng is not None and not self.carries_weights:
            frozen = self.inner.parameters()
            self.take(build_network({**self.network, "dtype": dtype}, seed=rng))
            for name, p in self.inner.parameters().items():
                p.trainable = frozen[name].trainable
        elif rng is not None:  # the weights are there; what training draws needs a generator of this place and seed
            drawing = [layer for _, layer in self.inner.named_layers() if layer.rng is not None]
            for layer, stream in zip(drawing, rng.spawn(len(drawing))):
                layer.rng = stream
        self.inner.dtype = self.network["dtype"] = dtype
        for _, layer in self.inner.named_layers():
            for p in layer.params.values():
                p.value = _in_dtype(p.value, dtype)
                p.trainable = False if self.frozen else p.trainable
            layer.buffers.update({key: _in_dtype(buffer, dtype) for key, buffer in layer.buffers.items()})

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        shape = tuple(x.shape)
        x = array_namespace(x).reshape(x, (shape[0], *self.inner.input_shape))
        y, caches = self.chain.forward(x, training=training and not self.frozen)
        if self.outputs == "activations":
            y = self.inner.loss.activation(y)
        return y, (shape, caches, y)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        shape, caches, y = cache
        xp = array_namespace(grad_y)
        if self.outputs == "activations":
            grad_y = self.inner.loss.activation_backward(grad_y, y)
        return xp.reshape(self.chain.backward(grad_y, caches), shape)


def _in_dtype(array: Array, dtype: str) -> Array:
    xp = array_namespace(array)
    return array if array.dtype == getattr(xp, dtype) else xp.astype(array, getattr(xp, dtype))
