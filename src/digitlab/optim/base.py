"""What an optimizer is: a rule from a parameter, its gradient and a state to the next parameter and state."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from digitlab.arrays import Array
from digitlab.errors import ConfigError
from digitlab.nn.describe import Described

__all__ = ["Optimizer"]

State = dict[str, Any]  # arrays of the parameter's shape, and step counts


@dataclass(frozen=True, repr=False)
class Optimizer(Described):
    """Base: `update` is a pure function, so a state can be stored, compared and sent to another process.

    `learning_rate` η is the one to start from; a schedule may vary it, so `update` gets the current one. None
    stands for the default of the network that is trained (train/default_rate.py).
    `usual_rate` is the learning rate that suits most networks, Adam's unless stated; None: gradient descent's, which
    depends on the network, times 1 − `momentum` where there is such a setting; for a loss that saturates, times that to
    the power of `momentum_power`.
    `shares` names the settings that are a share of what was, at least 0 and below 1; `epsilon` is above 0.
    """

    usual_rate: ClassVar[float | None] = 0.001
    momentum_power: ClassVar[float] = 1.6

    learning_rate: float | None = None
    shares: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        name = type(self).__name__
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise ConfigError(f"{name}: got learning rate {self.learning_rate}, expected a finite one above 0")
        for share in self.shares:
            if not 0 <= getattr(self, share) < 1:
                raise ConfigError(f"{name}: got {share} {getattr(self, share)}, expected 0 ≤ {share} < 1")
        if not 0 < getattr(self, "epsilon", 1.0) < math.inf:
            raise ConfigError(f"{name}: got epsilon {getattr(self, 'epsilon', None)}, expected a small one above 0")

    def init_state(self, value: Array) -> State:
        """The state before the first update of a parameter with this value."""
        return {}

    def update(self, value: Array, grad: Array, state: State, learning_rate: float) -> tuple[Array, State]:
        """The parameter and the state after one step; the given arrays do not change."""
        raise TypeError(f"{type(self).__name__} does not define update")
