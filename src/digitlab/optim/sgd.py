"""Stochastic gradient descent, alone and with momentum."""

from dataclasses import dataclass
from typing import ClassVar

from digitlab.arrays import Array, array_namespace
from digitlab.optim.base import Optimizer, State

__all__ = ["SGD", "Momentum", "Nesterov"]


class SGD(Optimizer):
    """w ← w − η g.      Nielsen ch. 1, eq. 16–17. By hand: w = 1, g = 2, η = .1 gives .8."""

    usual_rate = None

    def update(self, value: Array, grad: Array, state: State, learning_rate: float) -> tuple[Array, State]:
        return value - learning_rate * grad, state


@dataclass(frozen=True, repr=False)
class Momentum(Optimizer):
    """v ← μ v − η g,  w ← w + v: the gradient changes the velocity, not the position.

    Nielsen ch. 3, eq. 107–108 (he writes μ for the friction's complement as here). μ = 0 is plain SGD.
    By hand: μ = .9, η = .1, g = 2 twice from w = 1 gives v = −.2, −.38 and w = .8, .42.
    """

    usual_rate = None
    momentum: float = 0.9
    shares: ClassVar[tuple[str, ...]] = ("momentum",)

    def init_state(self, value: Array) -> State:
        return {"velocity": array_namespace(value).zeros_like(value)}

    def update(self, value: Array, grad: Array, state: State, learning_rate: float) -> tuple[Array, State]:
        velocity = self.momentum * state["velocity"] - learning_rate * grad
        return value + velocity, {"velocity": velocity}


@dataclass(frozen=True, repr=False)
class Nesterov(Momentum):
    """v ← μ v − η g,  w ← w + μ v − η g: momentum that looks one step ahead.

    The form of Sutskever et al. 2013, written at the point looked ahead to, as PyTorch and Keras compute it.
    By hand: μ = .9, η = .1, g = 2 once from w = 1 gives v = −.2 and w = 1 − .18 − .2 = .62.
    """

    momentum_power = 1.5

    def update(self, value: Array, grad: Array, state: State, learning_rate: float) -> tuple[Array, State]:
        velocity = self.momentum * state["velocity"] - learning_rate * grad
        return value + self.momentum * velocity - learning_rate * grad, {"velocity": velocity}
