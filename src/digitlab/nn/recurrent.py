"""Layers that read a sequence one step at a time and remember: SimpleRNN, LSTM, GRU (and twice: bidirectional.py).

An example is (T, F): T steps of F numbers, such as a picture of 28 × 28 read row by row. Every step does

    aₜ = xₜ W + b                   what this row says; one product for all T rows before the loop starts
    stateₜ = step(aₜ, stateₜ₋₁)     what it means after everything read so far

and backward runs the loop the other way round: backpropagation through time (Werbos 1990). What all three layers
share is in `Recurrent`; each layer's own mathematics is its `step` and `step_back`, one under the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.formulas import Formulas
from digitlab.nn.initializers import Glorot, Initializer, Orthogonal, Zeros
from digitlab.nn.network import Cache, Layer, Parameter, Shape, sigmoid

__all__ = ["GRU", "LSTM", "SimpleRNN"]

State = tuple[Array, ...]  # what one step passes to the next: (h,), or (h, c) for an LSTM
Grads = dict[str, Array]  # gradients by the name of their parameter


@dataclass(eq=False, repr=False)
class Recurrent(Layer, abstract=True):
    """The loop over time, forward and back.

    units      numbers in the state h: what it can remember
    returns    "last": the state after the last step (N, units); "all": after every step (N, T, units), for a
               recurrent layer on top of this one
    reverse    read from the last step to the first; "last" is then the state after step 0, and with "all"
               every state is at the step that made it
    """

    bounds = (-1.0, 1.0)  # those of tanh

    units: int
    returns: str = "last"
    reverse: bool = False
    weights: Initializer = field(default=Glorot(), metadata={"family": Initializer})
    recurrent: Initializer = field(default=Orthogonal(), metadata={"family": Initializer})
    biases: Initializer = field(default=Zeros(), metadata={"family": Initializer})

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        if self.returns not in ("last", "all"):
            raise ConfigError(f"{name}: got returns={self.returns!r}, expected 'last' or 'all' (states)")
        if not isinstance(self.units, int) or self.units < 1:
            raise ConfigError(f"{name}: got {self.units!r} units, expected a positive whole number")

    def gates(self) -> int:
        """How many arrays of `units` numbers a step computes from its input."""
        return 1

    def output_shape(self, input_shape: Shape) -> Shape:
        """(units,), or (steps, units) if all outputs are returned.

        Raises ShapeError for images, with the Reshape that makes steps of them.
        """
        if len(input_shape) != 2:
            if len(input_shape) == 3:
                height, width, channels = input_shape
                mend = f"put Reshape(({height}, {width * channels})) before it to read the picture row by row"
            else:
                mend = "put Reshape((28, 28)) before it for the 784 pixels of an MNIST digit, row by row"
            name = f"{type(self).__name__}({self.units})"
            raise ShapeError(f"{name}: got input of shape {input_shape}, expected (steps, features); {mend}")
        return (self.units,) if self.returns == "last" else (input_shape[0], self.units)

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        """Draw W (features, gates·units), U (units, gates·units) and b (gates·units,), each gate by itself."""
        features, units = input_shape[1], self.units

        def gate_by_gate(draw: Initializer, rows: tuple[int, ...], fan_in: int) -> Array:
            parts = [draw((*rows, units), fan_in, units, rng, dtype) for _ in range(self.gates())]
            return np.concatenate(parts, axis=-1)

        self.params["W"] = Parameter(gate_by_gate(self.weights, (features,), features))  # (F, gates·H)
        self.params["U"] = Parameter(gate_by_gate(self.recurrent, (units,), units))  # (H, gates·H)
        self.params["b"] = Parameter(gate_by_gate(self.biases, (), units), regularized=False)  # (gates·H,)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        xp, (examples, steps, features) = array_namespace(x), x.shape
        a = xp.reshape(x, (examples * steps, features)) @ self.params["W"].value + self.params["b"].value
        a = xp.reshape(a, (examples, steps, -1))  # (N, T, gates·H)
        state, states, seen = self.first_state(a), [], []
        for t in self.reading_order(steps):
            state, cache = self.step(a[:, t, :], state)
            states.append(state[0])
            seen.append(cache)
        if self.returns == "last":
            return state[0], (x, seen)
        return xp.stack(states[::-1] if self.reverse else states, axis=1), (x, seen)  # (N, T, H)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        x, seen = cache
        xp, (examples, steps, features) = array_namespace(x), x.shape
        grad_state = self.first_state(grad_y)  # nothing comes from beyond the last step
        if self.returns == "last":
            grad_state = (grad_state[0] + grad_y, *grad_state[1:])
        grad_a: list[Array] = [None] * steps
        sums: Grads = {}
        for t, cached in zip(reversed(self.reading_order(steps)), reversed(seen)):
            if self.returns == "all":  # a state is read by the layer above, and by the next step
                grad_state = (grad_state[0] + grad_y[:, t, :], *grad_state[1:])
            grad_a[t], grad_state, grads = self.step_back(grad_state, cached)
            sums = {key: sums[key] + grad if key in sums else grad for key, grad in grads.items()}
        flat = xp.reshape(xp.stack(grad_a, axis=1), (examples * steps, -1))  # (N·T, gates·H)
        self.params["W"].grad = xp.reshape(x, (examples * steps, features)).T @ flat  # (F, gates·H)
        self.params["b"].grad = xp.sum(flat, axis=0)  # (gates·H,)
        for key, total in sums.items():
            self.params[key].grad = total
        return xp.reshape(flat @ self.params["W"].value.T, (examples, steps, features))  # (N, T, F)

    def reading_order(self, steps: int) -> Sequence[int]:
        """The steps in the order in which they are read."""
        return range(steps - 1, -1, -1) if self.reverse else range(steps)

    def first_state(self, like: Array) -> State:
        """Zeros (N, units), in the library, dtype and device of an array with N rows."""
        return (array_namespace(like).zeros((like.shape[0], self.units), dtype=like.dtype, device=like.device),)

    def step(self, a: Array, state: State) -> tuple[State, Cache]:
        """One step on: `a` (N, gates·H) is xₜ W + b."""
        raise TypeError(f"{type(self).__name__} has no step")

    def step_back(self, grad_state: State, cache: Cache) -> tuple[Array, State, Grads]:
        """From ∂L/∂stateₜ: ∂L/∂aₜ, ∂L/∂stateₜ₋₁, and this step's part of the other parameters' gradients."""
        raise TypeError(f"{type(self).__name__} has no step_back")


class SimpleRNN(Recurrent):
    """The plain recurrent layer (Elman 1990): the new state is a squashed mix of the input and the old state.

    Shapes     x (N, T, F)   W (F, H)   U (H, H)   b (H,)   y (N, H), or (N, T, H) with returns="all"
    Cache      x, and hₜ₋₁ and hₜ of every step
    By hand    W = [1], U = [1], b = 0, x = 1 then 0: h = tanh 1 = .7616, then tanh .7616 = .6420.

    At every step back the error is multiplied by (1 − h²) Uᵀ: over many steps it vanishes or explodes, which the
    two layers below mend (Hochreiter 1991; Nielsen ch. 5 meets the same in deep networks).
    Raises ShapeError unless an example is (steps, features).      See Werbos 1990, "Backpropagation through time".
    """

    formulas = Formulas(
        "hₜ = tanh(xₜ W + hₜ₋₁ U + b),   h₋₁ = 0",
        "δₜ = gₜ (1 − hₜ²),  gₜ = ∂L/∂hₜ from above plus δₜ₊₁ Uᵀ from the step after\n"
        "∂L/∂W = Σₜ xₜᵀ δₜ    ∂L/∂U = Σₜ hₜ₋₁ᵀ δₜ    ∂L/∂b = Σₜ Σₙ δₜ    ∂L/∂xₜ = δₜ Wᵀ",
    )

    def step(self, a: Array, state: State) -> tuple[State, Cache]:
        """hₜ = tanh(a + hₜ₋₁ U) from `a` (N, H); the state is (hₜ,), each (N, H)."""
        (h_before,) = state
        h = array_namespace(a).tanh(a + h_before @ self.params["U"].value)  # (N, H)
        return (h,), (h_before, h)

    def step_back(self, grad_state: State, cache: Cache) -> tuple[Array, State, Grads]:
        """δₜ (N, H), ∂L/∂hₜ₋₁ = δₜ Uᵀ (N, H), and this step's ∂L/∂U (H, H)."""
        (grad_h,), (h_before, h) = grad_state, cache
        delta = grad_h * (1 - h * h)  # (N, H)
        return delta, (delta @ self.params["U"].value.T,), {"U": h_before.T @ delta}


@dataclass(eq=False, repr=False)
class LSTM(Recurrent):
    """Long short-term memory: a cell c in addition to the state; gates write, keep and read it.

    Shapes     x (N, T, F)   W (F, 4H)   U (H, 4H)   b (4H,)   y (N, H), or (N, T, H) with returns="all"
    Cache      x, and of every step hₜ₋₁, cₜ₋₁, the gates and tanh cₜ
    By hand    all weights 0, b = [0 0 b_g 0]: i = f = o = ½, so c₀ = ½ tanh b_g, c₁ = ¾ tanh b_g, and h₁ = ½ tanh c₁.

    Along the cells the error is multiplied by f alone, which can stay near 1: it neither vanishes nor explodes
    (Hochreiter & Schmidhuber 1997). The forget gate f is Gers, Schmidhuber & Cummins 2000; there are no peepholes.
    `forget_bias`, added to f's first biases, is 1, so that a new network begins by remembering
    (Gers et al.; Jozefowicz et al. 2015, sec. 4); PyTorch begins at about 0.
    Raises ShapeError unless an example is (steps, features).
    """

    formulas = Formulas(
        "[i f g o] = xₜ W + hₜ₋₁ U + b, then i, f, o = σ(·): what to write, keep, show;  g = tanh(·): what is new\n"
        "cₜ = f cₜ₋₁ + i g          hₜ = o tanh cₜ",
        "with gₕ = ∂L/∂hₜ, τ = tanh cₜ:   ∂L/∂cₜ = gₕ o (1 − τ²) + what comes from cₜ₊₁\n"
        "δᵢ = ∂c g i(1 − i)   δ_f = ∂c cₜ₋₁ f(1 − f)   δ_g = ∂c i (1 − g²)   δₒ = gₕ τ o(1 − o)\n"
        "∂L/∂cₜ₋₁ = ∂c f;  with δ = [δᵢ δ_f δ_g δₒ] the rest is as in SimpleRNN",
    )
    forget_bias: float = 1.0

    def gates(self) -> int:
        """4, in this order in the columns of W, U and b: i, f, g, o."""
        return 4

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        """As `Recurrent`; `forget_bias` is added to the biases of the forget gate."""
        super().init(input_shape, rng, dtype=dtype)
        if rng is not None:
            self.params["b"].value[self.units : 2 * self.units] += self.forget_bias

    def first_state(self, like: Array) -> State:
        """Zeros (N, units) for h and for the cell c."""
        (zeros,) = super().first_state(like)
        return zeros, zeros

    def step(self, a: Array, state: State) -> tuple[State, Cache]:
        """(hₜ, cₜ), each (N, H), from `a` (N, 4H) and (hₜ₋₁, cₜ₋₁)."""
        (h_before, c_before), xp, H = state, array_namespace(a), self.units
        a = a + h_before @ self.params["U"].value  # (N, 4H)
        i, f = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H])
        g, o = xp.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
        c = f * c_before + i * g  # (N, H)
        tanh_c = xp.tanh(c)
        return (o * tanh_c, c), (h_before, c_before, i, f, g, o, tanh_c)

    def step_back(self, grad_state: State, cache: Cache) -> tuple[Array, State, Grads]:
        """δ (N, 4H), (∂L/∂hₜ₋₁, ∂L/∂cₜ₋₁), and this step's ∂L/∂U (H, 4H)."""
        (grad_h, grad_c), (h_before, c_before, i, f, g, o, tanh_c) = grad_state, cache
        grad_c = grad_c + grad_h * o * (1 - tanh_c * tanh_c)
        delta = array_namespace(grad_h).concat(
            [
                grad_c * g * i * (1 - i),
                grad_c * c_before * f * (1 - f),
                grad_c * i * (1 - g * g),
                grad_h * tanh_c * o * (1 - o),
            ],
            axis=1,
        )  # (N, 4H)
        return delta, (delta @ self.params["U"].value.T, grad_c * f), {"U": h_before.T @ delta}


@dataclass(eq=False, repr=False)
class GRU(Recurrent):
    """Gated recurrent unit: two gates and no cell; z says how much of the old state stays.

    Shapes     x (N, T, F)   W (F, 3H)   U (H, 3H)   b (3H,)   v (H,), "after" only   y (N, H), or (N, T, H)
    Cache      x, and of every step hₜ₋₁, the gates, and what r is multiplied with
    By hand    all weights 0, b = [0 0 b_n]: z = ½, so h₀ = ½ tanh b_n and h₁ = ¾ tanh b_n.

    The columns are in the order r z n, as PyTorch's rows do; its biases b_ih and b_hh are b and, for r and z, summed.
    Resetting after the product needs one product hₜ₋₁ U for all gates; that is why libraries do it.
    Cho et al. 2014, "Learning phrase representations using RNN encoder–decoder".
    Raises ShapeError unless an example is (steps, features).
    """

    formulas = Formulas(
        "r = σ(xₜ W_r + hₜ₋₁ U_r + b_r)        z = σ(xₜ W_z + hₜ₋₁ U_z + b_z)\n"
        'n = tanh(xₜ W_n + b_n + r (hₜ₋₁ U_n + v))     reset="after" the product, as PyTorch and cuDNN\n'
        'n = tanh(xₜ W_n + b_n + (r hₜ₋₁) U_n)         reset="before" it, Cho et al. eq. 8, ONNX\'s default\n'
        "hₜ = z hₜ₋₁ + (1 − z) n",
        "δ_n = gₕ (1 − z)(1 − n²)      δ_z = gₕ (hₜ₋₁ − n) z(1 − z)      δ_r = (∂L/∂r) r(1 − r)\n"
        "after:   ∂L/∂r = δ_n (hₜ₋₁ U_n + v), and r δ_n goes back through U_n and v\n"
        "before:  ∂L/∂r = (δ_n U_nᵀ) hₜ₋₁, and r (δ_n U_nᵀ) goes back to hₜ₋₁",
    )
    reset: str = "after"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reset not in ("after", "before"):
            raise ConfigError(f"GRU: got reset={self.reset!r}, expected 'after' or 'before' (the product with U)")

    def gates(self) -> int:
        """3, in this order in the columns of W, U and b: r, z, n."""
        return 3

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        """As `Recurrent`; reset="after" adds the biases v (units,) of the recurrent product."""
        super().init(input_shape, rng, dtype=dtype)
        if self.reset == "after":
            self.params["v"] = Parameter(
                self.biases((self.units,), self.units, self.units, rng, dtype), regularized=False
            )

    def step(self, a: Array, state: State) -> tuple[State, Cache]:
        """(hₜ,), (N, H), from `a` (N, 3H) and (hₜ₋₁,); `reset` says where r is multiplied."""
        (h_before,), xp, H, U = state, array_namespace(a), self.units, self.params["U"].value
        rz = sigmoid(a[:, : 2 * H] + h_before @ U[:, : 2 * H])  # (N, 2H)
        r, z = rz[:, :H], rz[:, H:]
        if self.reset == "after":
            inner = h_before @ U[:, 2 * H :] + self.params["v"].value  # (N, H)
            n = xp.tanh(a[:, 2 * H :] + r * inner)
        else:
            inner = r * h_before
            n = xp.tanh(a[:, 2 * H :] + inner @ U[:, 2 * H :])
        return (z * h_before + (1 - z) * n,), (h_before, r, z, n, inner)

    def step_back(self, grad_state: State, cache: Cache) -> tuple[Array, State, Grads]:
        """δ (N, 3H), (∂L/∂hₜ₋₁,), and this step's ∂L/∂U (H, 3H) and, with reset="after", ∂L/∂v (H,)."""
        (grad_h,), (h_before, r, z, n, inner) = grad_state, cache
        xp, H, U = array_namespace(grad_h), self.units, self.params["U"].value
        delta_n = grad_h * (1 - z) * (1 - n * n)  # (N, H)
        delta_z = grad_h * (h_before - n) * z * (1 - z)
        grads: Grads = {}
        if self.reset == "after":
            grad_r, grad_inner = delta_n * inner, delta_n * r
            grad_before = grad_inner @ U[:, 2 * H :].T
            grad_U_n, grads["v"] = h_before.T @ grad_inner, xp.sum(grad_inner, axis=0)
        else:
            grad_inner = delta_n @ U[:, 2 * H :].T
            grad_r, grad_before = grad_inner * h_before, grad_inner * r
            grad_U_n = inner.T @ delta_n
        delta_rz = xp.concat([grad_r * r * (1 - r), delta_z], axis=1)  # (N, 2H)
        grads["U"] = xp.concat([h_before.T @ delta_rz, grad_U_n], axis=1)  # (H, 3H)
        grad_before = grad_before + grad_h * z + delta_rz @ U[:, : 2 * H].T  # (N, H)
        return xp.concat([delta_rz, delta_n], axis=1), (grad_before,), grads
