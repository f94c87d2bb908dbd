"""What an optimizer is: a rule from a parameter, its gradient and a state to the next parameter and state."""

from dataclasses import dataclass
from typing import Any

from digitlab.arrays import Array
from digitlab.errors import ConfigError
from digitlab.nn.describe import Described

State = dict[str, Any]  # arrays of the parameter's shape, and step counts


@dataclass(frozen=True, repr=False)
class Optimizer(Described):
    """Base: `update` is a pure function, so a state can be stored, compared and handed to another process.

    `learning_rate` η is the one to start from; a schedule may vary it, so `update` is told the current one.
    """

    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise ConfigError(f"{type(self).__name__}: got learning rate {self.learning_rate}, expected one above 0")

    def init_state(self, value: Array) -> State:
        """The state before the first update of a parameter with this value."""
        return {}

    def update(self, value: Array, grad: Array, state: State, learning_rate: float) -> tuple[Array, State]:
        """The parameter and the state after one step; the arrays handed in stay as they were."""
        raise TypeError(f"{type(self).__name__} does not say how to update")
