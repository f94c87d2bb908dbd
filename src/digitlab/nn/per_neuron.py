"""An activation for each neuron of a layer."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.formulas import Formulas
from digitlab.nn.initializers import streams
from digitlab.nn.io.stored import charge
from digitlab.nn.network import Cache, Layer, Shape
from digitlab.nn.shapes import inner_shape

__all__ = ["PerNeuron"]


@dataclass(eq=False, repr=False)
class PerNeuron(Layer):
    """Different activations for different neurons: `PerNeuron(["sigmoid", "relu"], [range(15), range(15, 30)])`.

    Shapes     any; the neurons are the last axis (features, or the channels of a picture)
    Cache      the activations' caches, and the order of the neurons
    By hand    PerNeuron(["relu", "linear"], [[0], [1]]) of [−3 −3] is [0 −3]; g = [1 1] gives [0 1].

    activations   names, or layers with settings, such as LeakyReLU(0.1)
    neurons       a group for each, of neuron numbers and [start, stop) pairs, [3, [10, 20]], or a range;
                  every neuron is in one group
    Raises ConfigError for an unknown activation or a neuron in two groups, ShapeError if the neurons are not
    those of the layer before.
    """

    formulas = Formulas("yⱼ = fᵢ(xⱼ), where group i holds neuron j", "each activation's own, on its neurons")
    activations: list[Any] = field(metadata={"family": Layer})
    neurons: list[Any]

    def __post_init__(self) -> None:
        for name in ("activations", "neurons"):
            if not isinstance(given := getattr(self, name), list | tuple):
                raise ConfigError(f"PerNeuron: got {name} {given!r}, expected a list")
        super().__post_init__()
        self.activations = list(self.activations)
        if not self.activations or len(self.activations) != len(self.neurons):
            raise ConfigError(
                f"PerNeuron: got {len(self.activations)} activations and {len(self.neurons)} groups of neurons; "
                "expected one group for each activation"
            )
        self.neurons = [_group(group) for group in self.neurons]
        charge(sum(len(range(*item)) if isinstance(item, list) else 1 for group in self.neurons for item in group))
        everyone = np.asarray(self.order())
        numbers, counts = np.unique(everyone, return_counts=True)
        if (counts > 1).any():
            raise ConfigError(f"PerNeuron: neuron {numbers[counts > 1][0]} is in two places; give each one activation")

    def children(self) -> dict[str, Layer]:
        return {str(i): activation for i, activation in enumerate(self.activations)}

    def ends(self) -> list[list[Layer]]:
        return [[activation] for activation in self.activations]

    def order(self) -> list[int]:
        """The neurons' numbers, group after group."""
        return [number for group in self.neurons for number in neuron_numbers(group)]

    def output_shape(self, input_shape: Shape) -> Shape:
        """The input shape. Raises ShapeError unless every neuron is in exactly one group."""
        n, numbers = (input_shape[-1] if input_shape else 0), set(self.order())
        strangers, forgotten = sorted(numbers - set(range(n))), sorted(set(range(n)) - numbers)
        if strangers or forgotten:
            fault = f"neuron {strangers[0]} does not exist" if strangers else f"neuron {forgotten[0]} has no activation"
            expected = f"every one of 0 to {n - 1} in one group"
            raise ShapeError(f"PerNeuron: got {n} neurons, of which {fault}; expected {expected}")
        for activation, group in zip(self.activations, self.neurons):
            shape = (*input_shape[:-1], len(neuron_numbers(group)))
            if inner_shape(activation, shape, "PerNeuron:") != shape:
                raise ShapeError(f"PerNeuron: {activation!r} changes the shape; expected an activation, as ReLU()")
        return input_shape

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        for activation, group, stream in zip(self.activations, self.neurons, streams(rng, len(self.activations))):
            activation.init((*input_shape[:-1], len(neuron_numbers(group))), stream, dtype=dtype)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        xp, order = array_namespace(x), self.order()
        parts, caches = [], []
        for activation, group in zip(self.activations, self.neurons):
            numbers = xp.asarray(neuron_numbers(group), device=x.device)
            y, cache = activation.forward(xp.take(x, numbers, axis=-1), training=training)
            parts.append(y)
            caches.append(cache)
        back = xp.asarray(np.argsort(order), device=x.device)  # the position of each neuron among the parts
        return xp.take(xp.concat(parts, axis=-1), back, axis=-1), caches

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        xp, parts = array_namespace(grad_y), []
        for activation, group, seen in zip(self.activations, self.neurons, cache):
            numbers = xp.asarray(neuron_numbers(group), device=grad_y.device)
            parts.append(activation.backward(xp.take(grad_y, numbers, axis=-1), seen))
        back = xp.asarray(np.argsort(self.order()), device=grad_y.device)
        return xp.take(xp.concat(parts, axis=-1), back, axis=-1)


def _group(group: Any) -> list[Any]:
    """A group as it is written down: numbers and [start, stop) pairs."""
    if isinstance(group, range) and group.step == 1:
        return [[group.start, group.stop]]
    items: list[Any] = list(group) if isinstance(group, range | list | tuple) else [None]
    for item in items:
        pair = isinstance(item, list | tuple) and len(item) == 2
        whole = all(isinstance(n, int) and n >= 0 for n in (item if pair else [item]))
        if not whole or (pair and item[0] >= item[1]):
            raise ConfigError(
                f"PerNeuron: got the group {group!r}; expected neuron numbers and [start, stop] pairs, as [3, [10, 20]]"
            )
    return [list(item) if isinstance(item, tuple) else item for item in items]


def neuron_numbers(group: list[Any]) -> list[int]:
    """The neuron numbers of a group."""
    return [n for item in group for n in (range(*item) if isinstance(item, list) else [item])]
