"""How weights follow their gradients, and how the learning rate goes over a training."""

from digitlab.optim.adaptive import Adam, AdamW, RMSProp
from digitlab.optim.base import Optimizer
from digitlab.optim.schedules import (
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
from digitlab.optim.sgd import SGD, Momentum, Nesterov

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
