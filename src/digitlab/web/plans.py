"""What the page asks to be trained, as settings, data and a network: images, points in the plane, or a function."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.data import Splits
from digitlab.errors import ConfigError
from digitlab.functions import fit_function, parse_function
from digitlab.functions.expression import Function
from digitlab.functions.units import Units, units_for
from digitlab.nn import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D
from digitlab.nn.chains import initial
from digitlab.nn.describe import build, describe
from digitlab.nn.io.building import build_network
from digitlab.nn.io.description import describe_network
from digitlab.nn.io.stored import stored
from digitlab.nn.network import Network
from digitlab.optim import Optimizer
from digitlab.train import Callback, RunConfig, Trainer, start_run
from digitlab.viz.curves import CurvesPicture
from digitlab.web.images import Images

MAX_LAYERS, MAX_SIZE, MAX_EPOCHS, MAX_POINTS = 8, 1000, 5000, 2000
REACH = 1000.0  # of coordinates
GRID = 200  # points of a fitted curve


@dataclass(frozen=True)
class Plan:
    """One training to be: `train(folder)` ends when it has ended.

    data      the images, to judge and to show; None for points and functions
    points    x and y of the training and of the validation points, which are written into the run's folder
    function  and interval, of a network of one variable; else None
    """

    config: RunConfig
    title: str
    data: Splits | None = None
    points: tuple[tuple[Any, Any], tuple[Any, Any]] | None = None
    function: tuple[Function, float, float] | None = None

    def train(self, folder: Path, callbacks: Sequence[Callback]) -> Trainer | None:
        """Train into the run's folder. Returns the trainer, or None for a function."""
        config = self.config
        if self.function is not None:
            function, low, high = self.function
            fit_function(
                config.first_network(),
                function,
                low,
                high,
                optimizer=config.optimizer,
                schedule=config.schedule,
                epochs=config.epochs,
                batch_size=config.batch_size,
                seed=config.seed,
                callbacks=callbacks,
                folder=folder,
            )
            return None
        trainer = start_run(config, folder, [CurvesPicture(folder), *callbacks])
        if self.points is not None:
            rows = np.concatenate([np.column_stack(part) for part in self.points])
            np.savetxt(folder / "points.csv", rows, "%.7g", ",", header="x,y,class", comments="")
            trainer.fit(*self.points, epochs=config.epochs)
        else:
            assert self.data is not None
            trainer.fit(self.data.train, self.data.valid, epochs=config.epochs)
        return trainer

    def curve(self, network: Network, units: Units | None) -> list[float | None] | None:
        """The fitted function on GRID points, with None where it is not finite; None for other trainings."""
        if self.function is None or units is None:
            return None
        _, low, high = self.function
        return [float(y) if math.isfinite(y) else None for y in units.curve(network, np.linspace(low, high, GRID))]

    @property
    def target(self) -> list[list[float]] | None:
        """x and y of the function that is to be fitted, on the GRID of `curve`; None for other trainings."""
        if self.function is None:
            return None
        function, low, high = self.function
        x = np.linspace(low, high, GRID)
        return [[float(a), float(b)] for a, b in zip(x, function(x))]

    def units(self, network: Network) -> Units | None:
        """The units in which a function is fitted (functions/units.py)."""
        if self.function is None:
            return None
        function, low, high = self.function
        return units_for(network, low, high, function(np.linspace(low, high, 400)))


def plan_of(asked: Mapping[str, Any], images: Images, start: Path | None = None) -> Plan:
    """The training that a page asks for. Raises ConfigError, DataError or ShapeError, as the command line does.

    `start` is the file of the network that the page shows, for fine-tuning.
    """
    kind = asked.get("kind")
    if kind == "images":
        return plan_images(asked, images, start)
    if kind == "points":
        return plan_points(asked)
    if kind == "function":
        return plan_function(asked)
    raise ConfigError(f"got the kind {kind!r}, expected images, points or function")


def plan_images(asked: Mapping[str, Any], images: Images, start: Path | None) -> Plan:
    """The plan of a training on images. Raises ConfigError or ShapeError for unfit settings."""
    source = asked.get("source", "mnist")
    data: dict[str, Any] = {"source": images.path_of(source)}
    splits = images.splits(source)
    if 0 < (size := whole(asked, "train_size", 0, 10**6)) < len(splits.train):
        data["train_size"] = size
        splits = Splits(splits.train.first(size), splits.valid, splits.test)
    shape, classes = splits.train.images.shape[1:], len(splits.train.class_names)
    if asked.get("start"):
        if start is None:
            raise ConfigError("the network of this page is in no file; train one first, then start from it")
        from digitlab.nn import load_network

        network = describe_network(load_network(start))
        return Plan(config_of(asked, network, data, start=str(start.resolve())), f"from-{start.stem}", splits)
    network = network_table(asked, tuple(shape), classes)
    return Plan(config_of(asked, network, data), title_of(network), splits)


def plan_points(asked: Mapping[str, Any]) -> Plan:
    """The plan of a training on points (x, y, class); a fifth of them validates. Raises ConfigError."""
    rows = asked.get("points")
    try:
        table = np.asarray(rows, np.float64)
        fits = table.ndim == 2 and table.shape[1] == 3 and bool((np.abs(table) <= REACH).all())
    except (ValueError, TypeError, OverflowError):
        fits = False
    if not fits or not 4 <= len(table) <= MAX_POINTS:
        raise ConfigError(f"points: expected 4 to {MAX_POINTS} rows of x, y and class")
    x, labels = table[:, :2].astype(np.float32), table[:, 2].astype(np.int64)
    classes = int(labels.max()) + 1
    if labels.min() < 0 or not 2 <= classes <= 10 or (table[:, 2] != labels).any():
        raise ConfigError("points: expected classes 0, 1 … of at least two and at most ten kinds")
    order = np.random.default_rng(0).permutation(len(x))
    few = max(1, len(x) // 5)
    valid, train = order[:few], order[few:]
    network = network_table(asked, (2,), classes)
    config = config_of(asked, network, {"source": "points: points.csv"})
    return Plan(config, title_of(network), points=((x[train], labels[train]), (x[valid], labels[valid])))


def plan_function(asked: Mapping[str, Any]) -> Plan:
    """The plan of a fit of a formula in x. Raises ConfigError."""
    function = parse_function(str(asked.get("function", "")))
    low, high = number(asked, "low", -8.0), number(asked, "high", 8.0)
    network = network_table({**asked, "loss": "mean-squared-error"}, (1,), 1)
    config = config_of(asked, network, {"source": f"function: {function.__name__}"})
    return Plan(config, f"fit-{title_of(network)}", function=(function, low, high))


def config_of(
    asked: Mapping[str, Any], network: Mapping[str, Any], data: Mapping[str, Any], start: str = ""
) -> RunConfig:
    """The settings of the run, checked; a learning rate that is left open is the default one."""
    optimizer: dict[str, Any] = {"type": str(asked.get("optimizer", "sgd"))}
    if asked.get("learning_rate"):
        optimizer["learning_rate"] = number(asked, "learning_rate", 1.0)
    l2 = number(asked, "l2", 0.0)
    table = {
        "network": dict(network),
        "data": dict(data),
        "optimizer": describe(build(Optimizer, optimizer)),
        "regularizers": [{"type": "L2", "strength": l2}] if l2 else [],
        "epochs": whole(asked, "epochs", 1, MAX_EPOCHS, 30),
        "batch_size": whole(asked, "batch_size", 1, 10_000, 10),
        "seed": whole(asked, "seed", 0, 2**31, 0),
        # The few points kept apart are soon all right; the picture of the plane is that of the last epoch.
        "keep": "last" if asked.get("kind") == "points" else "best",
        "augment": "shift,rotate:10" if asked.get("augment") else "",
        "start": start,
    }
    config = RunConfig.from_table(table)
    config.check()
    return config


@stored(math.inf)  # a link carries settings of the page: none of them names a file
def network_table(asked: Mapping[str, Any], shape: tuple[int, ...], classes: int) -> dict[str, Any]:
    """A network's table from blocks such as {"type": "dense", "size": 30} or {"type": "conv", "size": 8, "kernel": 5}.

    Every dense and convolutional block is followed by the activation, every dense one by dropout, if there is any;
    pictures become rows before the first dense block. The last layer, with an output per class, is added here.
    """
    blocks = asked.get("layers", [])
    if not isinstance(blocks, list) or len(blocks) > MAX_LAYERS or not all(isinstance(b, dict) for b in blocks):
        raise ConfigError(f"layers: expected a list of at most {MAX_LAYERS} layers")
    activation, share = build(Layer, str(asked.get("activation", "sigmoid"))), number(asked, "dropout", 0.0)
    pictures = any(block.get("type") in ("conv", "pool") for block in blocks)
    if pictures and len(shape) < 2:
        raise ConfigError("convolution and pooling need images; this network has other inputs")
    inputs = (*shape, 1)[:3] if pictures else (math.prod(shape),)
    layers: list[Layer] = []
    for block in blocks:
        kind, size = block.get("type"), whole(block, "size", 1, MAX_SIZE, 30)
        weights, biases = initial(None, activation)
        if kind == "dense":
            layers += [Flatten()] if pictures else []
            pictures = False
            layers += [Dense(size, weights, biases), build(Layer, describe(activation))]
            layers += [Dropout(share)] if share else []
        elif kind == "conv" and pictures:
            kernel = whole(block, "kernel", 1, 15, 5)
            layers += [Conv2D(size, kernel, weights=weights), build(Layer, describe(activation))]
        elif kind == "pool" and pictures:
            layers.append(MaxPool2D(size if 2 <= size <= 7 else 2))
        else:
            raise ConfigError(
                f"layers: got {kind!r} here, expected dense, or conv and pool before the first dense layer"
            )
    layers += [Flatten()] if pictures else []
    layers.append(Dense(classes, *initial(None, activation)))
    table = {
        "input_shape": list(inputs),
        "loss": {"type": str(asked.get("loss", "quadratic"))},
        "layers": [describe(layer) for layer in layers],
    }
    return describe_network(build_network(table, seed=None))


def title_of(network: Mapping[str, Any]) -> str:
    """A short name for the run's folder: "784-30-10", "28x28x1-conv20-100-10"."""
    inputs = "x".join(str(n) for n in network["input_shape"])
    return "-".join([inputs, *filter(None, map(_size_of, network["layers"]))])


def _size_of(layer: Mapping[str, Any]) -> str:
    return f"conv{layer['filters']}" if "filters" in layer else str(layer.get("out_features", ""))


def whole(asked: Mapping[str, Any], name: str, low: int, high: int, usual: int = 0) -> int:
    """A whole number of the request. Raises ConfigError for another value."""
    value = asked.get(name, usual)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(f"{name}: got {value!r}, expected a whole number from {low} to {high:,}")
    return value


def number(asked: Mapping[str, Any], name: str, usual: float) -> float:
    """A finite number of the request. Raises ConfigError for another value."""
    value = asked.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{name}: got {value!r}, expected a number")
    return float(value)
