"""Which activations, losses, optimizers and regularizers have kernels, and the numbers these need."""

from collections.abc import Sequence

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.nn import activations as act
from digitlab.nn import losses
from digitlab.nn.gradients import Backpropagation, Gradient
from digitlab.nn.gradients.rashid import RashidRule
from digitlab.nn.network import Layer, Loss, Network, Quadratic, Sigmoid
from digitlab.nn.regularizers import L1, L2, MaxNorm, Regularizer
from digitlab.optimizers.adaptive import Adam, AdamW, RMSProp
from digitlab.optimizers.base import Optimizer
from digitlab.optimizers.sgd import SGD, Momentum, Nesterov

ACTIVATIONS: dict[type[Layer], int] = {
    act.Linear: at.LINEAR, Sigmoid: at.SIGMOID, act.Tanh: at.TANH, act.ReLU: at.RELU,
    act.LeakyReLU: at.LEAKY_RELU, act.ELU: at.ELU_, act.GELU: at.GELU_, act.Softplus: at.SOFTPLUS,
    act.SiLU: at.SILU, act.HardSigmoid: at.HARD_SIGMOID,
}  # fmt: skip
# Where x ≤ y implies f(x) ≤ f(y), the largest f(x) is f of the largest x: pooling may come first.
RISING = (act.Linear, Sigmoid, act.Tanh, act.ReLU, act.LeakyReLU, act.ELU, act.Softplus, act.HardSigmoid)


def rises(layer: Layer) -> bool:
    """Whether a layer is an activation that never falls; those with a slope of their own may."""
    return type(layer) in RISING and getattr(layer, "slope", getattr(layer, "alpha", 0.0)) >= 0


LOSSES: dict[type[Loss], int] = {
    Quadratic: at.QUADRATIC, losses.CrossEntropy: at.CROSS_ENTROPY,
    losses.LogLikelihood: at.LOG_LIKELIHOOD, losses.MeanSquaredError: at.MEAN_SQUARED_ERROR,
}  # fmt: skip
OPTIMIZERS: dict[type[Optimizer], tuple[int, tuple[str, ...]]] = {
    SGD: (at.PLAIN_SGD, ()), Momentum: (at.MOMENTUM, ("velocity",)), Nesterov: (at.NESTEROV, ("velocity",)),
    RMSProp: (at.RMSPROP, ("square",)), Adam: (at.ADAM, ("mean", "square")), AdamW: (at.ADAM, ("mean", "square")),
}  # fmt: skip

RULES: dict[type[Gradient], int] = {Backpropagation: at.BACKPROPAGATION, RashidRule: at.RASHID}


class NoKernel(Exception):
    """Why a network cannot be planned; the sentence for the user."""


def check(
    network: Network,
    optimizer: Optimizer,
    regularizers: Sequence[Regularizer],
    gradient: Gradient | None,
) -> None:
    """Raise NoKernel for anything but the layers that has none."""
    if gradient is not None and type(gradient) not in RULES:
        raise NoKernel(f"gradient {type(gradient).__name__} needs the reference engine")
    if gradient is not None and (refusal := gradient.serves(network)):
        raise NoKernel(refusal)
    if network.dtype != "float32":
        raise NoKernel(f"{network.dtype} networks are for checking mathematics; the kernels are float32")
    if type(network.loss) not in LOSSES:
        raise NoKernel(f"no kernel for the loss {type(network.loss).__name__}")
    if isinstance(network.loss, losses.LogLikelihood) and len(network.shapes[-1]) > 1:
        raise NoKernel("no kernel for a softmax at each place of a picture")
    if type(optimizer) not in OPTIMIZERS:
        raise NoKernel(f"no kernel for the optimizer {type(optimizer).__name__}")
    for regularizer in regularizers:
        if type(regularizer) not in (L1, L2, MaxNorm):
            raise NoKernel(f"no kernel for the regularizer {type(regularizer).__name__}")
    if regularizers and any(p.decays != name.endswith(".W") for name, p in network.parameters().items()):
        raise NoKernel("regularizers have kernels for weights and none for biases; here `decays` says otherwise")
    if not all(isinstance(p.value, np.ndarray) for p in network.parameters().values()):
        raise NoKernel("the parameters are not NumPy arrays; their own library computes")


def hyper_parameters(
    network: Network, optimizer: Optimizer, regularizers: Sequence[Regularizer], examples: int
) -> list[float]:
    """The numbers of optimizer, regularizers, loss and scaling at their places (layout.py)."""
    o, loss, hyper = optimizer, network.loss, [0.0] * at.HYPER_SIZE
    hyper[at.MU] = float(getattr(o, "momentum", 0.0))
    hyper[at.BETA_1] = float(getattr(o, "beta1", 0.0))
    hyper[at.BETA_2] = float(getattr(o, "beta2", getattr(o, "decay", 0.0)))
    hyper[at.EPSILON] = float(getattr(o, "epsilon", 0.0))
    hyper[at.DECOUPLED] = float(getattr(o, "weight_decay", 0.0))
    hyper[at.L1_SHARE] = sum(r.strength for r in regularizers if isinstance(r, L1)) / examples
    hyper[at.L2_SHARE] = sum(r.strength for r in regularizers if isinstance(r, L2)) / examples
    hyper[at.MAX_NORM] = min((r.limit for r in regularizers if isinstance(r, MaxNorm)), default=0.0)
    share, common = 1 - loss.label_smoothing, loss.label_smoothing / network.shapes[-1][-1]
    hyper[at.LOW], hyper[at.HIGH] = share * loss.low + common, share * loss.high + common
    hyper[at.FACTOR], hyper[at.OFFSET] = network.scaling.factor, network.scaling.offset
    return hyper
