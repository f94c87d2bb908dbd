"""READ FIRST. A whole neural network with its gradient: parameter, layer, dense layer, sigmoid, loss, network.

The notation is that of Nielsen's chapter 2, for a batch of N examples at once (one row each):

    forward     z = a W + b,   a' = σ(z)                    layer after layer
    backward    δ = ∂L/∂z of the last layer (BP1),  ∂L/∂W = aᵀ δ (BP4),  ∂L/∂b = Σₙ δₙ (BP3),
                then (δ Wᵀ) σ'(z), the δ of the layer before (BP2)

His weights w_jk lead from neuron k to neuron j; here W is (in, out), the transpose: `x @ W` reads left to right.
Losses are means over the batch, so δ carries the 1/N and gradients need no further division.
Every other layer and loss in this package follows the two base classes below.

Most networks train on compiled code that is tested against this one. Change a formula here, or assign a method in a
running program, and what you wrote trains; a line says so.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from digitlab.arguments import checked, generator
from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError
from digitlab.nn.describe import Described, build, build_all
from digitlab.nn.facts import LayerFacts, LossFacts
from digitlab.nn.formulas import Formulas
from digitlab.nn.initializers import Initializer, ScaledNormal, Zeros, streams
from digitlab.nn.io.summary import parameter_text
from digitlab.nn.masks import as_mask, check_fit, checked_connections, connections_text
from digitlab.nn.named import NamedArrays
from digitlab.nn.outputs import refuse_output_activation
from digitlab.nn.scaling import InputRange, Scaling, as_scaling, prepared
from digitlab.nn.shapes import Shape as Shape
from digitlab.nn.shapes import checked_dtype, checked_shape, inner_shape, require_flat
from digitlab.nn.targets import given, target_rows, weighted
from digitlab.notebook_html import notebook_html

__all__ = ["Activation", "Dense", "Layer", "Loss", "Network", "Parameter", "Quadratic", "Sigmoid"]

Cache = Any  # what a forward pass saw and its backward pass needs


@dataclass(eq=False, repr=False)
class Parameter:
    """An array that is learned, and the gradient of the loss by it.

    `regularized` says whether regularizers shrink it (weights yes, biases no); `trainable` is True, False (frozen),
    or an array of the value's shape with 1 where numbers are trained and 0 where they are kept.
    """

    value: Array
    grad: Array = field(init=False, default=None)  # assigned by backward, same shape as value
    regularized: bool = field(kw_only=True, default=True)
    trainable: Any = field(kw_only=True, default=True)

    _repr_html_ = notebook_html

    def __repr__(self) -> str:
        return parameter_text(self)


@dataclass(eq=False, repr=False)
class Layer(LayerFacts, Described):
    """One step of a network. A subclass is a dataclass of its choices and defines forward and backward.

    params     what the layer learned: {"W": Parameter(...)}; {} for an activation
    buffers    arrays that are kept but not learned by gradient: running means, connection masks
    rng        the layer's own source of randomness in training (dropout); set by `init`
    """

    params: dict[str, Parameter] = field(init=False, default_factory=dict)
    buffers: dict[str, Array] = field(init=False, default_factory=dict)
    rng: np.random.Generator | None = field(init=False, default=None)

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        """Make the parameters for this input shape; with rng None they are zeros, to be loaded."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the output for an input of this shape, both without the batch axis; raises ShapeError."""
        return input_shape

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        """y for a batch x, and what backward will need.

        The layer stays as it was, but for what training draws or keeps: Dropout's generator, BatchNorm's running means.
        """
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        """Given grad_y = ∂L/∂y, assign every parameter's grad and return grad_x = ∂L/∂x."""
        raise TypeError(f"{type(self).__name__} has no backward")

    def backward_params(self, grad_y: Array, cache: Cache) -> None:
        """The half of backward that assigns gradients: all that training needs of the first layer."""
        self.backward(grad_y, cache)


class Activation(Layer, abstract=True):
    """An elementwise function y = f(x) without parameters. A subclass states what is known of f:

    is_monotone    whether f never falls
    flat_at        the value of f below some x, where it is flat, as 0 for ReLU; None: there is no such part
    usual_weights  the first weights that suit the layer before it, by name: "he" for f like ReLU

    A subclass that is to be compiled states its formulas as well: `kernel_value(x, a, m)` = f(x) and
    `kernel_grad(g, x, y, a, m)` = g f'(x), static, with y = f(x), a its one setting, and m the functions exp, tanh,
    sigmoid, softplus, maximum, minimum, where and fma (m.fma(a, b, c) = a b + c).
    """

    activates = True
    is_monotone: ClassVar[bool] = False
    flat_at: ClassVar[float | None] = None
    usual_weights: ClassVar[str] = "scaled-normal"


@dataclass(eq=False, repr=False)
class Dense(Layer):
    """Fully connected layer: every output sees every input; `Dense(out_features)`.

    Shapes     x (N, in)   W (in, out)   b (out,)   y (N, out)
    Cache      x: ∂L/∂W is the input times the output's error.
    By hand    x=[1 2], W=[3 4]ᵀ, b=0.5 gives y = 11.5; with g=1: ∂L/∂W=[1 2]ᵀ, ∂L/∂b=1, ∂L/∂x=[3 4].

    `biases=None` leaves b out, as Rashid's networks do. `connections`, (in, out) of 0 and 1 or in words such as
    "random:0.1", says which input reaches which neuron (masks.py): where it is 0, W counts as 0, and so does its
    gradient.
    Raises ShapeError if the input is not flat, or not as long as the mask.      See Nielsen ch. 2, BP1–BP4.
    """

    formulas = Formulas("y = x W + b", "∂L/∂W = xᵀ g    ∂L/∂b = Σₙ gₙ    ∂L/∂x = g Wᵀ,   g = ∂L/∂y")
    out_features: int
    weights: Initializer = field(default=ScaledNormal(), metadata={"family": Initializer})
    biases: Initializer | None = field(default=Zeros(), metadata={"family": Initializer})
    connections: Any = field(default=None, metadata={"shown": connections_text})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.out_features, int) or self.out_features < 1:
            raise ConfigError(f"Dense: got out_features {self.out_features!r}, expected a whole number of at least 1")
        if self.connections is not None:
            self.connections = checked_connections(self.connections, f"Dense({self.out_features})")

    def output_shape(self, input_shape: Shape) -> Shape:
        require_flat(input_shape, f"Dense({self.out_features})")
        check_fit(self.connections, (input_shape[0], self.out_features), f"Dense({self.out_features})", "(in, out)")
        return (self.out_features,)

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        n_in, n_out = input_shape[0], self.out_features
        if self.connections is not None:
            self.buffers["connections"] = np.asarray(as_mask(self.connections, n_in, n_out), dtype)  # (in, out)
        self.params["W"] = Parameter(self.connected(self.weights((n_in, n_out), n_in, n_out, rng, dtype)))
        if self.biases is not None:
            self.params["b"] = Parameter(self.biases((n_out,), n_in, n_out, rng, dtype), regularized=False)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        y = x @ self.connected(self.params["W"].value)  # (N, out)
        if "b" in self.params:
            y = y + self.params["b"].value
        return y, x

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        self.backward_params(grad_y, cache)
        return grad_y @ self.connected(self.params["W"].value).T  # (N, in)

    def backward_params(self, grad_y: Array, cache: Cache) -> None:
        x = cache
        self.params["W"].grad = self.connected(x.T @ grad_y)  # (in, out)
        if "b" in self.params:
            self.params["b"].grad = array_namespace(grad_y).sum(grad_y, axis=0)  # (out,)

    def connected(self, weights: Array) -> Array:
        """Weights, or their gradient, with 0 where the mask has no connection."""
        return weights * self.buffers["connections"] if "connections" in self.buffers else weights


class Sigmoid(Activation):
    """σ(x) = 1 / (1 + e⁻ˣ), between 0 and 1.

    Cache      y
    By hand    σ(0) = ½ and σ'(0) = ¼.
    """

    formulas = Formulas("y = ½ (1 + tanh(x/2)), which is the same and does not overflow", "∂L/∂x = g y (1 − y)")
    bounds = (0.0, 1.0)
    is_monotone = True

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        y = sigmoid(x)
        return y, y

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        y = cache
        return grad_y * y * (1 - y)

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        return m.sigmoid(x)

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        return g * y * (1.0 - y)


def sigmoid(x: Array) -> Array:
    """σ(x), elementwise."""
    return 0.5 * (1 + array_namespace(x).tanh(0.5 * x))


@dataclass(eq=False, repr=False)
class Loss(LossFacts, Described):
    """What is made small, with the output activation it belongs to.

    A loss takes logits (what the last layer gives, before any activation) and targets: integer labels (N,),
    or an array (N, out) of what each output should be. Its value is the mean over the batch, L = 1/N Σₙ Lₙ.
    With `weights` (N,), which say how much each example counts, it is L = 1/N Σₙ wₙ Lₙ, and δ has each row times wₙ.

    A label's target is `high` at its own output and `low` at the others: 1 and 0, or .99 and .01 as in Rashid's book.
    `label_smoothing` s then makes a share of it common: t becomes (1 − s) t + s/out
    (Szegedy et al. 2016, "Rethinking the Inception architecture", sec. 7). Arrays are taken as they are.
    Raises ConfigError unless 0 ≤ label_smoothing < 1.
    """

    label_smoothing: float = 0.0
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            name = type(self).__name__
            raise ConfigError(f"{name}: got label_smoothing {self.label_smoothing}, expected 0 to below 1, a share")

    def activation(self, logits: Array) -> Array:
        """The network's outputs for these logits."""
        raise TypeError(f"{type(self).__name__} has no activation")

    def forward(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[Array, Cache]:
        """The mean loss of the batch, and what backward will need."""
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, cache: Cache) -> Array:
        """δ = ∂L/∂logits (N, out): the error that backpropagation starts from (BP1)."""
        raise TypeError(f"{type(self).__name__} has no backward")

    def targets(self, targets: Array, logits: Array) -> Array:
        """The targets as an array like the logits: labels become one row each with a 1 at the label's place."""
        return target_rows(targets, logits, self.low, self.high, self.label_smoothing)


class Quadratic(Loss):
    """The book's quadratic cost on sigmoid outputs.

    By hand    z = 0 and t = 1: a = ½, L = ⅛, δ = −⅛.
    Near 0 and 1 the factor a(1−a) vanishes and learning slows; the cross-entropy has no such factor (Nielsen ch. 3).
    """

    formulas = Formulas("L = 1/(2N) Σₙ ‖aₙ − tₙ‖²,  a = σ(z)", "δ = (a − t) a (1 − a) / N")
    owns = "sigmoid"
    output_range = (0.0, 1.0)
    saturates = fits_mean = True

    def activation(self, logits: Array) -> Array:
        return sigmoid(logits)

    def forward(self, logits: Array, targets: Array, weights: Array | None = None) -> tuple[Array, Cache]:
        a = sigmoid(logits)  # (N, out)
        error = a - self.targets(targets, logits)  # (N, out)
        weighted_error = weighted(error, weights)  # (N, out)
        return array_namespace(a).sum(weighted_error * error) / (2 * a.shape[0]), (a, weighted_error)

    def backward(self, cache: Cache) -> Array:
        a, error = cache
        return error * a * (1 - a) / a.shape[0]  # (N, out)


class Network(NamedArrays):
    """Layers one after another, and the loss that judges the last one's logits.

    layers         what to compute, in order, objects, names or tables (describe.py); each is used once.
                   Without them, `add` appends one after another
    input_shape    one example's shape without the batch axis: (784,), or (28, 28, 1) for layers that see pictures
    loss           see losses.py, an object or its name; it owns the output activation, so the last layer has none
    scaling        how pixel bytes (uint8) become numbers, "/255" unless given; other input is not scaled (scaling.py)
    seed           integer or numpy Generator; draws the initial weights, layer by layer
    dtype          "float32", or "float64" to check mathematics
    allow_output_activation   keep an activation at the end although the loss owns one
    open_set       whether it learned what belongs to no class: Σ exp(logits) is then the odds of "one of the classes"

    `len(network)`, `network[2]`, `for layer in network`; `network[:2]` is the network of the first two layers.

    Raises ShapeError, naming the layer, if two layers do not fit together; ConfigError if the list is empty, if a layer
    is there twice, or if an activation comes last and the loss has its own (outputs.py).
    """

    @checked
    def __init__(
        self,
        layers: list[Layer] | None = None,
        input_shape: int | Shape = (),
        loss: Loss | str | None = None,
        *,
        scaling: str | tuple[float, float] | Scaling | None = None,
        seed: int | np.random.Generator | None = 0,
        dtype: str = "float32",
        allow_output_activation: bool = False,
        open_set: bool = False,
    ) -> None:
        self.layers = build_all(Layer, layers) if layers is not None else []
        self.check_each_layer_once()
        self.input_shape: Shape = checked_shape(input_shape)
        self.dtype = checked_dtype(dtype)
        self.loss = build(Loss, loss) if loss is not None else Quadratic()
        self.allow_output_activation = allow_output_activation
        if open_set and self.loss.owns != "softmax":
            raise ConfigError(f"open_set: got the loss {self.loss!r}, expected one with softmax: log-likelihood")
        self.open_set = open_set
        self.scaling = as_scaling(scaling if scaling is not None else "/255")
        self.scaling_is_explicit = scaling is not None
        self.input_range: InputRange | None = None  # what it was trained on; recorded by training
        self.class_names: tuple[str, ...] = ()  # of the data it was trained on, where they are no mere numbers
        self.weights_rng = generator(seed) if seed is not None else None
        generators = streams(self.weights_rng, len(self.layers))
        shape = self.input_shape
        self.shapes = [shape]  # shapes[i] goes into layer i, shapes[i + 1] comes out
        for i, (layer, stream) in enumerate(zip(self.layers, generators)):
            output_shape = inner_shape(layer, shape, f"layer {i},")
            layer.init(shape, stream, dtype=dtype)
            self.shapes.append(shape := output_shape)
        if not allow_output_activation:
            refuse_output_activation(self)
        if seed is None:
            self.give_generators()

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, list[Cache]]:
        """Logits (N, out) for a batch, and every layer's cache."""
        x, caches = self.prepare(x), []
        for layer in self.layers:
            x, cache = layer.forward(x, training=training)
            caches.append(cache)
        return x, caches

    def backward(self, grad: Array, caches: list[Cache]) -> Array:
        """From ∂L/∂logits back to ∂L/∂x, assigning the gradient of every parameter on the way."""
        for layer, cache in zip(reversed(self.layers), reversed(caches)):
            grad = layer.backward(grad, cache)
        return grad

    def gradient(self, x: Array, targets: Array, *, training: bool = False, weights: Array | None = None) -> Array:
        """One backpropagation: assigns every parameter's grad and returns the loss of the batch.

        `weights` (N,) say how much each example counts; None: all alike.
        """
        logits, caches = self.forward(x, training=training)
        loss, cache = self.loss.forward(logits, targets, **given(weights))
        grad = self.loss.backward(cache)
        for layer, seen in zip(self.layers[:0:-1], caches[:0:-1]):
            grad = layer.backward(grad, seen)
        self.layers[0].backward_params(grad, caches[0])
        return loss

    def prepare(self, x: Array) -> Array:
        """A batch as the first layer takes it: pixel bytes (uint8) scaled, and reshaped to `input_shape` if it fits.

        What is flat becomes a picture and the other way round, neighbouring axes are joined, and axes of length 1 come
        and go (`same_order`). Raises ShapeError for other shapes, DataError for an empty batch or what are no numbers.
        """
        return prepared(x, self.input_shape, self.scaling, self.dtype)
