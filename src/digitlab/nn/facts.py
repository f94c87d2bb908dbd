"""What is known of a layer or a loss besides its formulas: engines, diagnoses and pictures read these facts."""

import math
from typing import TYPE_CHECKING, ClassVar

from digitlab.arrays import Array, array_namespace

if TYPE_CHECKING:
    from digitlab.nn.network import Layer


class LayerFacts:
    """The facts that a layer states as attributes of its class, with their defaults.

    sees_batch      whether training looks at the other examples of the batch, as BatchNorm does
    differentiable  whether a gradient passes through it; False for Step
    analytic        whether forward takes complex numbers as it takes real ones, as a complex step needs (gradients)
    activates       whether it is an activation
    passes_on       whether its outputs are some of its inputs, unchanged, as those of Flatten and Dropout are
    bounds          the limits of its outputs, reached or not; a loss that owns an activation must not follow a layer
                    that activates or has bounds (outputs.py)
    """

    sees_batch: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True
    analytic: ClassVar[bool] = True
    # Without annotations: a layer may decide these by its choices, as Subnetwork does.
    activates = False
    passes_on = False
    bounds = (-math.inf, math.inf)

    def children(self) -> "dict[str, Layer]":
        """The layers inside this one, by name; {} for all but containers."""
        return {}

    def ends(self) -> "list[list[Layer]]":
        """The chains of children whose last layers make this one's output; [] for all but containers."""
        return []


class LossFacts:
    """The facts that a loss states as attributes of its class, with their defaults.

    owns          the output activation: "sigmoid", "softmax"; "" for none, as with the mean squared error
    output_range  the limits of the outputs; None: any number
    saturates     whether δ vanishes where the outputs come near those limits, however wrong they are
    fits_mean     whether the best constant output is the mean of the targets
    """

    owns: ClassVar[str] = ""
    output_range: ClassVar[tuple[float, float] | None] = None
    saturates: ClassVar[bool] = False
    fits_mean: ClassVar[bool] = False

    def activation_backward(self, grad_a: Array, a: Array) -> Array:
        """∂L/∂logits for outputs a whose gradient is grad_a; used where a network is a layer of another."""
        if self.owns == "sigmoid":
            return grad_a * a * (1 - a)
        if self.owns == "softmax":
            return a * (grad_a - array_namespace(a).sum(grad_a * a, axis=-1, keepdims=True))
        if not self.owns:
            return grad_a
        raise TypeError(f"{type(self).__name__} has no activation_backward")
