"""The reader's own experiments: one TOML file, or a Python file with EXPERIMENTS, run and reported like the books'.

title = "how fast should it learn?"         also `name` (the file's, unless given), `setup`, `teaches`, `minutes`
[base]                                      settings of every training, named as the options of `digitlab train`
net = "784-30-10"
epochs = 5
[sweep]                                     one training for each combination of these values
learning_rate = [0.1, 0.5, 2.5]
[figure]                                    what the pictures show: `measure`, and `log` for the axis of the values
measure = "test"
[[expected]]                                figures to compare with: the fields of Reported
figure = "learning_rate 0.5/test"
value = 94.0
"""

import importlib.util
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.books.animation import TurningSurface
from digitlab.books.data import Data
from digitlab.books.experiment import Experiment, Reported, Result, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.pictures import Drawn, accuracy_curves, best_point
from digitlab.books.training import Training
from digitlab.errors import ConfigError, not_among
from digitlab.nn import describe_network
from digitlab.nn.zoo import find_recipe, parse_net
from digitlab.settings import ShortSettings, TrainingSettings, settings_of
from digitlab.train import RunConfig
from digitlab.train.config import with_setting

KEYS = ("name", "title", "setup", "teaches", "minutes", "base", "sweep", "figure", "expected")
NETWORK = ("net", "activation", "loss", "init", "dropout", "scaling")
DATA = tuple(f.name for f in fields(Data))
TRAINING = tuple(name for name in settings_of(TrainingSettings) if name not in ("network", "data", "seed", "start"))
SETTINGS = (*NETWORK, *TRAINING, *settings_of(ShortSettings), *DATA, "watch")
MEASURES = {"test": "test accuracy (%)", "valid": "validation accuracy (%)"}  # of the network of the best epoch
FRAMES, QUICK_FRAMES = 120, 4  # of a turning surface


def own_experiments(path: Path) -> list[Experiment]:
    """The experiments of a file. Raises ConfigError naming the file and what is wrong with it."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected an experiment in TOML, or in Python with EXPERIMENTS")
    found = from_python(path) if path.suffix == ".py" else [from_toml(path)]
    for experiment in found:
        if not re.fullmatch(r"[\w.-]+", experiment.name):
            raise ConfigError(f"{path}: got the name {experiment.name!r}, expected letters, digits, - and _")
    return found


def from_python(path: Path) -> list[Experiment]:
    """EXPERIMENTS of a Python file, imported by its name so that other processes find its functions, too."""
    name = path.stem
    if not name.isidentifier():
        raise ConfigError(f"{path}: got the name {name!r}, expected a name that Python can import: letters, digits, _")
    if importlib.util.find_spec(name) is None:
        sys.path.insert(0, str(path.resolve().parent))
    module = importlib.import_module(name)
    if Path(module.__file__ or "").resolve() != path.resolve():
        raise ConfigError(f"{path}: another module is called {name!r}; give the file another name")
    found = getattr(module, "EXPERIMENTS", None)
    if not isinstance(found, list | tuple) or not found or not all(isinstance(e, Experiment) for e in found):
        raise ConfigError(f"{path}: expected EXPERIMENTS, a list of digitlab.books.experiment.Experiment")
    return [replace(experiment, file=str(path)) for experiment in found]


def from_toml(path: Path) -> Experiment:
    """The experiment that a TOML file declares."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if unknown := [key for key in table if key not in KEYS]:
            raise ConfigError(f"unknown key {not_among(unknown[0], KEYS)}")
        for key in ("name", "title", "setup", "teaches"):
            _require(key, table.get(key, ""), str, "text")
        _require("minutes", table.get("minutes", 0), int | float, "a number")
        _require("expected", table.get("expected", []), list, "tables [[expected]]")
        base, sweep, figure = (_table(table, name) for name in ("base", "sweep", "figure"))
        chosen = settings_by_label(base, sweep)
        for settings in chosen.values():
            own_training(Variant(), "", settings)  # raises what is wrong with it now, not after the first training
        reported = [_reported(entry, chosen) for entry in table.get("expected", [])]
        measure = figure.get("measure", "test")
        if unknown := [key for key in figure if key not in ("measure", "log")]:
            raise ConfigError(f"[figure]: unknown key {not_among(unknown[0], ('measure', 'log'))}")
        if measure not in MEASURES:
            raise ConfigError(f"[figure]: unknown measure {not_among(measure, MEASURES)}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ConfigError, TypeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    name = table.get("name", path.stem)

    def tasks(variant: Variant) -> Tasks:
        return {label: own_training(variant, f"{name}, {label}", settings) for label, settings in chosen.items()}

    def draw(results: Sequence[Result], variant: Variant) -> Drawn:
        return pictures(results, variant, sweep, list(chosen), name, measure, bool(figure.get("log", False)))

    texts: dict[str, Any] = {key: table[key] for key in ("teaches", "minutes") if key in table}
    setup = table.get("setup", "") or setup_text(base, sweep)
    texts |= {"title": table.get("title", name), "setup": setup, "file": str(path)}
    return Experiment(name, tasks, training_figures, draw, reported=tuple(reported), **texts)


def settings_by_label(base: Mapping[str, Any], sweep: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of each training by its label, such as "learning_rate 0.5, l2 1"; "net" without a sweep."""
    if unknown := [name for name in (*base, *sweep) if name not in SETTINGS]:
        raise ConfigError(f"unknown setting {not_among(unknown[0], SETTINGS)}")
    for name, values in sweep.items():
        if not isinstance(values, list) or not values:
            raise ConfigError(f"[sweep]: got {name} = {values!r}, expected a list of values")
    found = {}
    for values in product(*sweep.values()):
        label = ", ".join(f"{name} {value}" for name, value in zip(sweep, values)) or "net"
        found[label] = {**base, **dict(zip(sweep, values))}
    return found


def own_training(variant: Variant, title: str, settings: Mapping[str, Any]) -> Training:
    """The training with these settings. Raises ConfigError for a value that does not fit."""
    net = str(settings.get("net", "784-30-10"))
    recipe = find_recipe(net)
    own = {name: settings[name] for name in NETWORK[1:] if name in settings}
    if recipe is not None and own:
        raise ConfigError(f"{next(iter(own))}: {net} has its own; leave the setting out, or give net as layer sizes")
    network = parse_net(net, seed=None, **own)
    table = {**(recipe.training.table() if recipe else {}), "network": describe_network(network), "data": {}}
    watch = tuple(settings.get("watch", ("valid",)))
    table |= {"seed": variant.seed, "evaluate_train": "train" in watch}
    for name, value in settings.items():
        if name in TRAINING or name in settings_of(ShortSettings):
            table = with_setting(table, name, value)
    chosen = {name: settings[name] for name in DATA if name in settings and name != "source"}
    data = variant.data(**chosen)
    if variant.source == "mnist" and "source" in settings:
        data = replace(data, source=settings["source"])
    title = f"{title}, seed {variant.seed}"
    return Training(title=title, config=RunConfig.from_table(table), data=data, watch=watch)


def pictures(
    results: Sequence[Result],
    variant: Variant,
    sweep: Mapping[str, list[Any]],
    labels: Sequence[str],
    title: str,
    measure: str,
    log: bool,
) -> Drawn:
    """Curves of all trainings; over one swept setting a line, over two settings of numbers a turning surface."""
    drawn = dict(accuracy_curves(results, variant, splits=("valid",)))
    values = np.array([[result.figures[f"{label}/{measure}"] for label in labels] for result in results])
    y_label = MEASURES[measure]
    if len(sweep) == 1:
        ((name, swept),) = sweep.items()
        numbers = all(isinstance(value, int | float) for value in swept)
        x = swept if numbers else [str(value) for value in swept]
        drawn["sweep"] = best_point(x, values, title=title, x_label=name, y_label=y_label, log=log)
    numeric = all(isinstance(value, int | float) for values in sweep.values() for value in values)
    if len(sweep) == 2 and numeric and min(map(len, sweep.values())) > 1:
        (first, y), (second, x) = sweep.items()
        z = values.mean(axis=0).reshape(len(y), len(x))
        frames = QUICK_FRAMES if variant.quick else FRAMES
        drawn["surface"] = TurningSurface(x, y, z, (second, first, y_label), title, frames)
    return drawn


def setup_text(base: Mapping[str, Any], sweep: Mapping[str, list[Any]]) -> str:
    """The settings in words, where the file has no text of its own."""
    swept = [f"{name} {', '.join(map(str, values))}" for name, values in sweep.items()]
    return "; ".join([*(f"{name} {value}" for name, value in base.items()), *swept]) or "the defaults"


def _table(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    inner = table.get(name, {})
    if not isinstance(inner, dict):
        raise ConfigError(f"got {name} = {inner!r}, expected a table [{name}]")
    return inner


def _require(key: str, value: Any, kind: Any, expected: str) -> None:
    if not isinstance(value, kind):
        raise ConfigError(f"got {key} = {value!r}, expected {expected}")


def _reported(entry: Any, labels: Mapping[str, Any]) -> Reported:
    """An expected figure; ConfigError for one that no training of the file has."""
    known = [f.name for f in fields(Reported)]
    if not isinstance(entry, dict) or not {"figure", "value"} <= set(entry):
        raise ConfigError(f"[[expected]]: got {entry!r}, expected figure and value")
    if unknown := [key for key in entry if key not in known]:
        raise ConfigError(f"[[expected]]: unknown key {not_among(unknown[0], known)}")
    for key in ("figure", "split", "text", "unit"):
        _require(f"[[expected]] {key}", entry.get(key, ""), str, "text")
    _require("[[expected]] value", entry["value"], int | float, "a number")
    label = entry["figure"].rpartition("/")[0]
    if label not in labels:
        raise ConfigError(f"[[expected]]: no training is called {not_among(label, labels)}")
    return Reported(**entry)
