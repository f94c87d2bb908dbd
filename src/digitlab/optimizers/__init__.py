"""How weights follow their gradients, and how the learning rate goes over a training."""

from digitlab.optimizers.adaptive import Adam, AdamW, RMSProp
from digitlab.optimizers.base import Optimizer
from digitlab.optimizers.schedules import (
    ConstantRate,
    Cosine,
    Cyclic,
    Exponential,
    HalveOnPlateau,
    OneCycle,
    Position,
    Schedule,
    StepDecay,
)
from digitlab.optimizers.sgd import SGD, Momentum, Nesterov

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "ConstantRate",
    "Cosine",
    "Cyclic",
    "Exponential",
    "HalveOnPlateau",
    "Momentum",
    "Nesterov",
    "OneCycle",
    "Optimizer",
    "Position",
    "RMSProp",
    "Schedule",
    "StepDecay",
]
