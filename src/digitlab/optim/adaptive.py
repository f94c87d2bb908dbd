"""Optimizers that scale the step of each weight by the size of its past gradients."""

from dataclasses import dataclass
from typing import ClassVar

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError
from digitlab.optim.base import Optimizer, State

__all__ = ["Adam", "AdamW", "RMSProp"]


@dataclass(frozen=True, repr=False)
class RMSProp(Optimizer):
    """s ← ρ s + (1 − ρ) g²,  w ← w − η g / (√s + ε).      Hinton 2012, lecture 6e."""

    short_name = "rmsprop"

    decay: float = 0.99
    epsilon: float = 1e-8
    shares: ClassVar[tuple[str, ...]] = ("decay",)

    def init_state(self, value: Array) -> State:
        return {"square": array_namespace(value).zeros_like(value)}

    def update(self, value: Array, grad: Array, state: State, learning_rate: float) -> tuple[Array, State]:
        square = self.decay * state["square"] + (1 - self.decay) * grad * grad
        step = grad / (array_namespace(grad).sqrt(square) + self.epsilon)
        return value - learning_rate * step, {"square": square}


@dataclass(frozen=True, repr=False)
class Adam(Optimizer):
    """m ← β₁ m + (1−β₁) g,  v ← β₂ v + (1−β₂) g²,  w ← w − η m̂ / (√v̂ + ε),  m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    Kingma & Ba 2015, algorithm 1. By hand: the first step is −η · sign(g), whatever the gradient's size.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    shares: ClassVar[tuple[str, ...]] = ("beta1", "beta2")

    def init_state(self, value: Array) -> State:
        return {
            "step": 0,
            "mean": array_namespace(value).zeros_like(value),
            "square": array_namespace(value).zeros_like(value),
        }

    def update(self, value: Array, grad: Array, state: State, learning_rate: float) -> tuple[Array, State]:
        step = state["step"] + 1
        mean = self.beta1 * state["mean"] + (1 - self.beta1) * grad
        square = self.beta2 * state["square"] + (1 - self.beta2) * grad * grad
        # Both averages start at 0 and are too small at first; dividing by 1 − βᵗ makes up for it.
        root = array_namespace(square).sqrt(square / (1 - self.beta2**step))
        value = value - (learning_rate / (1 - self.beta1**step)) * mean / (root + self.epsilon)
        return value, {"step": step, "mean": mean, "square": square}


@dataclass(frozen=True, repr=False)
class AdamW(Adam):
    """Adam with decoupled weight decay: w ← w − η λ w in addition to Adam's step, not through its averages.

    Loshchilov & Hutter 2019, algorithm 2. `weight_decay` is their λ: a share per step, times η,
    and unlike L2 it is not divided by the number of training examples. It shrinks every parameter, biases too.
    """

    short_name = "adamw"

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weight_decay >= 0:
            raise ConfigError(f"AdamW: got weight_decay {self.weight_decay}, expected 0 or more")

    def update(self, value: Array, grad: Array, state: State, learning_rate: float) -> tuple[Array, State]:
        return super().update(value * (1 - learning_rate * self.weight_decay), grad, state, learning_rate)
