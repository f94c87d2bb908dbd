"""digitlab: a laboratory for neural networks that a person can read, built around handwritten digits.

>>> import digitlab
>>> train, valid, test = digitlab.load("mnist")
>>> net = digitlab.Net([784, 30, 10])

Names are loaded when they are first used, so that `import digitlab` costs next to nothing.
"""

import importlib

from digitlab import moved as moved

TYPE_CHECKING = False  # as type checkers read it: importing it from typing takes a third of the time

__version__ = "0.2.0"

_PACKAGES = ("digitlab.nn", "digitlab.optim")  # all of whose names are handed on
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
    "digitlab.estimators": ("DigitClassifier", "NetworkRegressor"),
    "digitlab.parallel": ("train_many",),
    "digitlab.predicting": ("predict",),
    "digitlab.predictions": ("Predictions",),
    "digitlab.reading": ("read_photo",),
    "digitlab.data.photos": ("find_digits", "open_photo"),
    "digitlab.shipped": ("shipped_network",),
}


def __getattr__(name: str) -> "Any":
    if name == "__all__":
        return __dir__()
    if name.startswith("_"):
        raise AttributeError(f"module 'digitlab' has no attribute {name!r}")
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    for package in map(importlib.import_module, _PACKAGES):
        if name in package.__all__:
            return getattr(package, name)
    from digitlab.errors import did_you_mean

    raise AttributeError(f"module 'digitlab' has no attribute {name!r}{did_you_mean(name, __dir__())}")


def __dir__() -> list[str]:
    derived = [importlib.import_module(package).__all__ for package in _PACKAGES]
    return sorted({"__version__"}.union(*derived, *_HOMES.values()))


if TYPE_CHECKING:
    from typing import Any

    from digitlab.data import Digits as Digits
    from digitlab.data import Splits as Splits
    from digitlab.data import load as load
    from digitlab.data.photos import find_digits as find_digits
    from digitlab.data.photos import open_photo as open_photo
    from digitlab.estimators import DigitClassifier as DigitClassifier
    from digitlab.estimators import NetworkRegressor as NetworkRegressor
    from digitlab.lab import Net as Net
    from digitlab.lab import get_net as get_net
    from digitlab.nn import *
    from digitlab.optim import *
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
