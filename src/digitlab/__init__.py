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

_MODULES = (  # packages that need no import of their own: `import digitlab; digitlab.search.search(...)`
    "baselines",
    "books",
    "bugs",
    "data",
    "doctor",
    "ensemble",
    "functions",
    "gradients",
    "nn",
    "optim",
    "parallel",
    "pure",
    "search",
    "train",
    "viz",
)
_PACKAGES = ("digitlab.nn", "digitlab.optim", "digitlab.gradients")  # all of whose names are handed on
_HOMES = {
    "digitlab.judging": ("judge",),
    "digitlab.lab": ("Net", "get_net"),
    "digitlab.data": ("Digits", "Splits", "load"),
    "digitlab.data.augment": ("Compose", "Elastic", "Noise", "Rotate", "Scale", "Shear", "Shift", "parse_augmentation"),
    "digitlab.data.photos": ("find_digits", "open_photo"),
    "digitlab.doctor": ("examine",),
    "digitlab.engine.select": ("select_engine",),
    "digitlab.ensemble": ("combine", "diversity", "gain"),
    "digitlab.exporting": ("export_network",),
    "digitlab.estimators": ("DigitClassifier", "NetworkRegressor"),
    "digitlab.functions": ("bumps_network", "fit_function", "parse_function"),
    "digitlab.parallel": ("train_many",),
    "digitlab.predicting": ("predict",),
    "digitlab.predictions": ("Predictions",),
    "digitlab.pure": ("PureNetwork", "load_mnist"),
    "digitlab.reading": ("read_photo",),
    "digitlab.search": ("LogUniform", "SearchPlan", "Study", "range_test"),
    "digitlab.shipped": ("shipped_network",),
    "digitlab.statistics": ("summarize",),
    "digitlab.train": (
        "Callback",
        "CsvLog",
        "EarlyStopping",
        "ExponentialMovingAverage",
        "History",
        "MLflowLog",
        "PlainLines",
        "RunConfig",
        "StochasticWeightAveraging",
        "TensorBoardLog",
        "TargetReached",
        "Trainer",
        "evaluate",
        "resume_run",
        "start_run",
    ),
    "digitlab.train.evaluation": ("class_shares",),
    "digitlab.train.recorders": (
        "RecordGradients",
        "RecordNetworks",
        "RecordPredictions",
        "Recorded",
        "recorded_networks",
    ),
    "digitlab.viz.animate": ("Epochs", "animate"),
    "digitlab.viz.animation": ("Animation",),
    "digitlab.viz.explain": ("walk", "walk_text"),
    "digitlab.viz.failures": ("failures_figure", "find_failures"),
    "digitlab.viz.figures": ("save_figure",),
    "digitlab.viz.inversions": ("imagine_all", "inversions_figure"),
    "digitlab.viz.learning": ("follow", "learning_figure"),
    "digitlab.viz.notebook": ("LiveTable", "epoch_display"),
    "digitlab.web.bundle": ("html_page",),
}


def __getattr__(name: str) -> "Any":
    if name == "__all__":
        return __dir__()
    if name.startswith("_"):
        raise AttributeError(f"module 'digitlab' has no attribute {name!r}")
    if name in _MODULES:
        return importlib.import_module(f"digitlab.{name}")
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
    return sorted({"__version__", *_MODULES}.union(*derived, *_HOMES.values()))


if TYPE_CHECKING:
    from typing import Any

    from digitlab import baselines as baselines
    from digitlab import books as books
    from digitlab import bugs as bugs
    from digitlab import data as data
    from digitlab import doctor as doctor
    from digitlab import ensemble as ensemble
    from digitlab import functions as functions
    from digitlab import gradients as gradients
    from digitlab import nn as nn
    from digitlab import optim as optim
    from digitlab import parallel as parallel
    from digitlab import pure as pure
    from digitlab import search as search
    from digitlab import train as train
    from digitlab import viz as viz
    from digitlab.data import Digits as Digits
    from digitlab.data import Splits as Splits
    from digitlab.data import load as load
    from digitlab.data.augment import Compose as Compose
    from digitlab.data.augment import Elastic as Elastic
    from digitlab.data.augment import Noise as Noise
    from digitlab.data.augment import Rotate as Rotate
    from digitlab.data.augment import Scale as Scale
    from digitlab.data.augment import Shear as Shear
    from digitlab.data.augment import Shift as Shift
    from digitlab.data.augment import parse_augmentation as parse_augmentation
    from digitlab.data.photos import find_digits as find_digits
    from digitlab.data.photos import open_photo as open_photo
    from digitlab.doctor import examine as examine
    from digitlab.engine.select import select_engine as select_engine
    from digitlab.ensemble import combine as combine
    from digitlab.ensemble import diversity as diversity
    from digitlab.ensemble import gain as gain
    from digitlab.estimators import DigitClassifier as DigitClassifier
    from digitlab.estimators import NetworkRegressor as NetworkRegressor
    from digitlab.exporting import export_network as export_network
    from digitlab.functions import bumps_network as bumps_network
    from digitlab.functions import fit_function as fit_function
    from digitlab.functions import parse_function as parse_function
    from digitlab.gradients import *
    from digitlab.judging import judge as judge
    from digitlab.lab import Net as Net
    from digitlab.lab import get_net as get_net
    from digitlab.nn import *
    from digitlab.optim import *
    from digitlab.parallel import train_many as train_many
    from digitlab.predicting import predict as predict
    from digitlab.predictions import Predictions as Predictions
    from digitlab.pure import PureNetwork as PureNetwork
    from digitlab.pure import load_mnist as load_mnist
    from digitlab.reading import read_photo as read_photo
    from digitlab.search import LogUniform as LogUniform
    from digitlab.search import SearchPlan as SearchPlan
    from digitlab.search import Study as Study
    from digitlab.search import range_test as range_test
    from digitlab.shipped import shipped_network as shipped_network
    from digitlab.statistics import summarize as summarize
    from digitlab.train import Callback as Callback
    from digitlab.train import CsvLog as CsvLog
    from digitlab.train import EarlyStopping as EarlyStopping
    from digitlab.train import ExponentialMovingAverage as ExponentialMovingAverage
    from digitlab.train import History as History
    from digitlab.train import MLflowLog as MLflowLog
    from digitlab.train import PlainLines as PlainLines
    from digitlab.train import RunConfig as RunConfig
    from digitlab.train import StochasticWeightAveraging as StochasticWeightAveraging
    from digitlab.train import TargetReached as TargetReached
    from digitlab.train import TensorBoardLog as TensorBoardLog
    from digitlab.train import Trainer as Trainer
    from digitlab.train import evaluate as evaluate
    from digitlab.train import resume_run as resume_run
    from digitlab.train import start_run as start_run
    from digitlab.train.evaluation import class_shares as class_shares
    from digitlab.train.recorders import Recorded as Recorded
    from digitlab.train.recorders import RecordGradients as RecordGradients
    from digitlab.train.recorders import RecordNetworks as RecordNetworks
    from digitlab.train.recorders import RecordPredictions as RecordPredictions
    from digitlab.train.recorders import recorded_networks as recorded_networks
    from digitlab.viz.animate import Epochs as Epochs
    from digitlab.viz.animate import animate as animate
    from digitlab.viz.animation import Animation as Animation
    from digitlab.viz.explain import walk as walk
    from digitlab.viz.explain import walk_text as walk_text
    from digitlab.viz.failures import failures_figure as failures_figure
    from digitlab.viz.failures import find_failures as find_failures
    from digitlab.viz.figures import save_figure as save_figure
    from digitlab.viz.inversions import imagine_all as imagine_all
    from digitlab.viz.inversions import inversions_figure as inversions_figure
    from digitlab.viz.learning import follow as follow
    from digitlab.viz.learning import learning_figure as learning_figure
    from digitlab.viz.notebook import LiveTable as LiveTable
    from digitlab.viz.notebook import epoch_display as epoch_display
    from digitlab.web.bundle import html_page as html_page
