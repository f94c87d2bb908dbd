"""Which activations, losses, optimizers and regularizers have kernels, and the numbers these need."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.gradients import Backpropagation, Gradient
from digitlab.gradients.rashid import RashidRule
from digitlab.nn import activations as act
from digitlab.nn import losses
from digitlab.nn.describe import Described, choices
from digitlab.nn.network import Layer, Loss, Network, Quadratic, Sigmoid
from digitlab.optim.adaptive import Adam, AdamW, RMSProp
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import L1, L2, MaxNorm, Regularizer
from digitlab.optim.sgd import SGD, Momentum, Nesterov

ACTIVATIONS: dict[type[Layer], int] = {
    act.Linear: at.LINEAR,
    Sigmoid: at.SIGMOID,
    act.Tanh: at.TANH,
    act.ReLU: at.RELU,
    act.LeakyReLU: at.LEAKY_RELU,
    act.ELU: at.ELU_,
    act.GELU: at.GELU_,
    act.Softplus: at.SOFTPLUS,
    act.SiLU: at.SILU,
    act.HardSigmoid: at.HARD_SIGMOID,
}
# Where x ≤ y implies f(x) ≤ f(y), the largest f(x) is f of the largest x: pooling may come first.
RISING = (act.Linear, Sigmoid, act.Tanh, act.ReLU, act.LeakyReLU, act.ELU, act.Softplus, act.HardSigmoid)


def is_monotone(layer: Layer) -> bool:
    """Whether a layer is an activation that never falls; those with a slope of their own may."""
    return type(layer) in RISING and activation_number(layer) >= 0


LOSSES: dict[type[Loss], int] = {
    Quadratic: at.QUADRATIC,
    losses.CrossEntropy: at.CROSS_ENTROPY,
    losses.LogLikelihood: at.LOG_LIKELIHOOD,
    losses.MeanSquaredError: at.MEAN_SQUARED_ERROR,
}
OPTIMIZERS: dict[type[Optimizer], tuple[int, tuple[str, ...]]] = {
    SGD: (at.PLAIN_SGD, ()),
    Momentum: (at.MOMENTUM, ("velocity",)),
    Nesterov: (at.NESTEROV, ("velocity",)),
    RMSProp: (at.RMSPROP, ("square",)),
    Adam: (at.ADAM, ("mean", "square")),
    AdamW: (at.ADAM, ("mean", "square")),
}

# Where the kernels look for each setting. One that is missing here has no kernel, and the planner refuses its class.
OPTIMIZER_SETTINGS = {
    "momentum": at.MU,
    "beta1": at.BETA_1,
    "beta2": at.BETA_2,
    "decay": at.BETA_2,
    "epsilon": at.EPSILON,
    "weight_decay": at.DECOUPLED,
}
LOSS_SETTINGS = ("label_smoothing", "low", "high")
ACTIVATION_SETTINGS = ("slope", "alpha")  # an activation has at most one of these
REGULARIZERS: tuple[type[Regularizer], ...] = (L1, L2, MaxNorm)

RULES: dict[type[Gradient], int] = {Backpropagation: at.BACKPROPAGATION, RashidRule: at.RASHID}


class NoKernel(Exception):
    """Why a network cannot be planned; the sentence for the user."""


def check(
    network: Network, optimizer: Optimizer, regularizers: Sequence[Regularizer], gradient: Gradient | None
) -> None:
    """Raise NoKernel for anything besides layers that has no kernel."""
    if gradient is not None and type(gradient) not in RULES:
        raise NoKernel(f"gradient {type(gradient).__name__} needs the reference engine")
    if gradient is not None and (refusal := gradient.unsupported_reason(network)):
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
        if type(regularizer) not in REGULARIZERS:
            raise NoKernel(f"no kernel for the regularizer {type(regularizer).__name__}")
    if regularizers and any(p.regularized != name.endswith(".W") for name, p in network.parameters().items()):
        raise NoKernel("regularizers have kernels for weights and none for biases; here `decays` says otherwise")
    if not all(isinstance(p.value, np.ndarray) for p in network.parameters().values()):
        raise NoKernel("the parameters are not NumPy arrays; their own library computes")


def settings(chosen: Described, known: Sequence[str]) -> dict[str, Any]:
    """What was chosen, by name. Raises NoKernel for a setting that the kernels do not know."""
    values = {field.name: getattr(chosen, field.name) for field in choices(chosen)}
    if unknown := [name for name in values if name not in known]:
        raise NoKernel(f"no kernel for {type(chosen).__name__} with a setting {unknown[0]!r}")
    return values


def activation_number(layer: Layer) -> float:
    """The one number that an activation may have: LeakyReLU's slope, ELU's α. Raises NoKernel for another setting."""
    return float(next(iter(settings(layer, ACTIVATION_SETTINGS).values()), 0.0))


def hyper_parameters(
    network: Network, optimizer: Optimizer, regularizers: Sequence[Regularizer], examples: int
) -> list[float]:
    """The numbers of optimizer, regularizers, loss and scaling at their places (layout.py)."""
    loss, hyper = network.loss, [0.0] * at.HYPER_SIZE
    for name, value in settings(optimizer, ("learning_rate", *OPTIMIZER_SETTINGS)).items():
        if name != "learning_rate":  # a step is told its rate
            hyper[OPTIMIZER_SETTINGS[name]] = float(value)
    settings(loss, LOSS_SETTINGS)
    hyper[at.L1_SHARE] = sum(r.strength for r in regularizers if isinstance(r, L1)) / examples
    hyper[at.L2_SHARE] = sum(r.strength for r in regularizers if isinstance(r, L2)) / examples
    hyper[at.MAX_NORM] = min((r.limit for r in regularizers if isinstance(r, MaxNorm)), default=0.0)
    share, common = 1 - loss.label_smoothing, loss.label_smoothing / network.shapes[-1][-1]
    hyper[at.LOW], hyper[at.HIGH] = share * loss.low + common, share * loss.high + common
    hyper[at.FACTOR], hyper[at.OFFSET] = network.scaling.factor, network.scaling.offset
    return hyper
