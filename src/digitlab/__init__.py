"""digitlab: a laboratory for neural networks that a person can read, built around handwritten digits.

>>> import digitlab
>>> train, valid, test = digitlab.load("mnist")
>>> net = digitlab.Net([784, 30, 10])

Names are loaded when they are first used, so that `import digitlab` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from digitlab import moved as moved

__version__ = "0.1.0"

_HOMES = {
    "digitlab.lab": ("Net", "get_net"),
    "digitlab.data": ("Digits", "Splits", "load"),
    "digitlab.train": (
        "Callback",
        "EarlyStopping",
        "ExponentialMovingAverage",
        "History",
        "PlainLines",
        "RunConfig",
        "StochasticWeightAveraging",
        "Trainer",
        "evaluate",
    ),
    "digitlab.parallel": ("train_many",),
    "digitlab.predicting": ("predict",),
    "digitlab.predictions": ("Predictions",),
    "digitlab.reading": ("read_photo",),
    "digitlab.data.photos": ("find_digits", "open_photo"),
    "digitlab.shipped": ("shipped_network",),
    "digitlab.optim": (
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
        "RMSProp",
        "StepDecay",
    ),
}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name.startswith("_"):
        raise AttributeError(f"module 'digitlab' has no attribute {name!r}")
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    layers = importlib.import_module("digitlab.nn")
    if name in layers.__all__:
        return getattr(layers, name)
    from digitlab.errors import did_you_mean

    raise AttributeError(f"module 'digitlab' has no attribute {name!r}{did_you_mean(name, __dir__())}")


def __dir__() -> list[str]:
    layers = importlib.import_module("digitlab.nn").__all__
    return sorted({"__version__", *layers, *(name for names in _HOMES.values() for name in names)})


if TYPE_CHECKING:
    from digitlab.data import Digits as Digits
    from digitlab.data import Splits as Splits
    from digitlab.data import load as load
    from digitlab.data.photos import find_digits as find_digits
    from digitlab.data.photos import open_photo as open_photo
    from digitlab.lab import Net as Net
    from digitlab.lab import get_net as get_net
    from digitlab.nn import *  # noqa: F403
    from digitlab.optim import SGD as SGD
    from digitlab.optim import Adam as Adam
    from digitlab.optim import AdamW as AdamW
    from digitlab.optim import ConstantRate as ConstantRate
    from digitlab.optim import Cosine as Cosine
    from digitlab.optim import Cyclic as Cyclic
    from digitlab.optim import Exponential as Exponential
    from digitlab.optim import HalveOnPlateau as HalveOnPlateau
    from digitlab.optim import Momentum as Momentum
    from digitlab.optim import Nesterov as Nesterov
    from digitlab.optim import OneCycle as OneCycle
    from digitlab.optim import RMSProp as RMSProp
    from digitlab.optim import StepDecay as StepDecay
    from digitlab.parallel import train_many as train_many
    from digitlab.predicting import predict as predict
    from digitlab.predictions import Predictions as Predictions
    from digitlab.reading import read_photo as read_photo
    from digitlab.shipped import shipped_network as shipped_network
    from digitlab.train import Callback as Callback
    from digitlab.train import EarlyStopping as EarlyStopping
    from digitlab.train import ExponentialMovingAverage as ExponentialMovingAverage
    from digitlab.train import History as History
    from digitlab.train import PlainLines as PlainLines
    from digitlab.train import RunConfig as RunConfig
    from digitlab.train import StochasticWeightAveraging as StochasticWeightAveraging
    from digitlab.train import Trainer as Trainer
    from digitlab.train import evaluate as evaluate
