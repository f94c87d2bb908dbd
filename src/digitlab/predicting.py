"""What a network says about images from files, or about arrays: their classes and probabilities (predictions.py).

predictions = predict("runs/001-784-30-10", "test.csv")
predictions.labels, predictions.probabilities, predictions.class_names
predictions.save("out.csv")
"""

import math
import os
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import placed_with, to_numpy
from digitlab.data import Digits
from digitlab.data.formats.shared.contents import Part
from digitlab.data.unlabelled import Unlabelled, read_unlabelled
from digitlab.engine import select
from digitlab.errors import ConfigError
from digitlab.nn.examples import inputs
from digitlab.nn.io.loading import load_network, network_path
from digitlab.nn.network import Network
from digitlab.predictions import Predictions
from digitlab.settings.data import DataSettings, of_part
from digitlab.settings.schema import with_settings
from digitlab.train.evaluation import class_shares, classifies

READING = (*of_part("read"), "valid_size", "test_size")  # the settings of `load` that serve here


@with_settings(DataSettings, only=READING)
@checked
def predict(
    net: Any,
    source: Any,
    *,
    part: Part | None = None,
    advance: Callable[[int], None] = lambda images: None,
    **settings: Unpack[DataSettings],
) -> Predictions:
    """What a network says about images: `predict("shipped", "photo.png")`, `predict(net, "test.csv")`.

    net          a network, a Net, a network's file, a run's folder, or "shipped", the network that comes with digitlab
    source       a file or folder of images, with labels or without (data/unlabelled.py), or a list of such;
                 or images themselves: a Digits, an array, any other container of inputs
    part         "train", "valid", "test" or "all"; None: the test set of a source that its author divided, else all
    advance      called with 1 after every picture

    {settings}

    Classes are called as `class_names`, the run's settings, the network or the data say, else "0", "1" …
    Of several pictures, one that cannot be read is skipped and described in `skipped`.
    Raises ModelFileError, DataError or ShapeError for what cannot be read, or does not fit the network.
    """
    if unknown := [name for name in settings if name not in READING]:
        raise TypeError(f"predict() got an unexpected keyword argument {unknown[0]!r}")
    network, known = _network(net)
    read = _read(source, network, part, advance, settings)
    x = inputs(read.values, network, _title(source))
    first = next(iter(network.parameters().values()), None)
    outputs = to_numpy(select.predict(network, x if first is None else placed_with(first.value, x)))
    positions = read.positions if read.positions is not None else np.arange(len(outputs))
    if not classifies(network):
        return Predictions(None, None, (), outputs, read.names, positions, None, read.part, read.skipped, read.note)
    labels = np.argmax(outputs, axis=1).astype(np.int64)
    names = _class_names(settings.get("class_names"), known or network.class_names, read, outputs.shape[1])
    accuracy, note = None, read.note
    if read.labels is not None and len(read.class_names) == outputs.shape[1]:
        accuracy = float(np.mean(labels == read.labels))
    elif read.labels is not None:
        differ = f"its {len(read.class_names)} classes are not the network's {outputs.shape[1]}"
        note = f"{note} {differ}: labels are not compared".strip()
    shares = class_shares(outputs)
    return Predictions(labels, shares, names, outputs, read.names, positions, accuracy, read.part, read.skipped, note)


def _network(net: Any) -> tuple[Network, tuple[str, ...] | None]:
    """The network, and the names of its classes if its run has them."""
    if isinstance(net, str | os.PathLike):
        if net == "shipped":
            from digitlab.shipped import shipped_network

            return shipped_network(), None
        path = network_path(net)
        return load_network(path), _names_of_run(path.parent)
    network = getattr(net, "network", net)
    if not isinstance(network, Network):
        expected = "a network, a Net, a file, a run's folder or 'shipped'"
        raise ConfigError(f"net: got {type(net).__name__}, expected {expected}")
    return network, None


def _names_of_run(folder: Path) -> tuple[str, ...] | None:
    """The class names of a run's data, if its settings say them."""
    from digitlab.data.formats.shared.families import FAMILIES

    try:
        data = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))["data"]
    except (OSError, KeyError, ValueError):
        return None
    if data.get("class_names"):
        return tuple(data["class_names"])
    source = str(data.get("source", ""))
    family = source.partition(":")[0]
    if family in FAMILIES:
        return FAMILIES[family].class_names
    if not Path(source).is_dir():
        return None
    from digitlab.data.formats.image_folder import class_names_in

    return class_names_in(Path(source))


def _read(
    source: Any, network: Network, part: Part | None, advance: Callable[[int], None], settings: DataSettings
) -> Unlabelled:
    if isinstance(source, Digits):
        return Unlabelled(source.images, labels=source.labels, class_names=source.class_names)
    if not _are_files(source):
        return Unlabelled(source)
    known = network.input_range
    columns = math.prod(network.input_shape) if known is not None and not known.pixels else None
    shape = _picture_shape(network)
    return read_unlabelled(source, picture_shape=shape, columns=columns, part=part, advance=advance, **settings)


def _are_files(source: Any) -> bool:
    """Whether a source is a path or a list of paths, not images themselves."""
    paths = source if isinstance(source, list | tuple) else [source]
    return bool(paths) and all(isinstance(path, str | os.PathLike) for path in paths)


def _title(source: Any) -> str:
    """What messages call a source."""
    if not _are_files(source):
        return "images"
    return str(source[0]) if isinstance(source, list | tuple) else str(source)


def _picture_shape(network: Network) -> tuple[int, ...]:
    """What a picture must become for the network: (H, W), or (H, W, 3) if it sees colours; (28, 28) if unknown."""
    shape = network.input_shape
    if len(shape) == 3:
        return shape[:2] if shape[2] == 1 else shape
    if len(shape) == 2:
        return shape
    for colours in ((), (3,)):
        side = math.isqrt(shape[0] // math.prod(colours))
        if side * side * math.prod(colours) == shape[0]:
            return (side, side, *colours)
    return 28, 28


def _class_names(
    given: Sequence[str] | None, known: tuple[str, ...] | None, read: Unlabelled, classes: int
) -> tuple[str, ...]:
    if given is not None and len(given) != classes:
        raise ConfigError(f"class_names: got {len(given)} names, expected {classes}, one for each output")
    fitting = (names for names in (given, known, read.class_names) if names is not None and len(names) == classes)
    return tuple(next(fitting, map(str, range(classes))))
