"""What a network says about images from files, or about arrays: classes and probabilities, as a table, CSV or JSON.

predictions = predict("runs/001-784-30-10", "test.csv")
predictions.labels, predictions.probabilities, predictions.class_names
predictions.save("out.csv")
"""

import csv
import io
import json
import math
import os
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.arrays import placed_with, to_numpy
from digitlab.data import Digits
from digitlab.data.choices import Choices
from digitlab.data.contents import Part
from digitlab.data.unlabelled import Unlabelled, read_unlabelled
from digitlab.engine import select
from digitlab.errors import ConfigError
from digitlab.files import require_suffix, write_text
from digitlab.nn.examples import inputs
from digitlab.nn.files import load_network, network_path
from digitlab.nn.network import Network
from digitlab.train.evaluation import class_shares, classifies

KAGGLE = ("ImageId", "Label")  # the heading that Kaggle's Digit Recognizer asks for


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """What a network says about N images, in their order.

    labels         int64 (N,): the most probable class of each; None if the network gives numbers, not classes
    probabilities  (N, classes), rows adding up to 1; None if the network gives numbers
    class_names    what the classes are called
    outputs        (N, ...): the network's outputs as they are
    names          the files of pictures; None for a set, whose images are called by their positions
    positions      int64 (N,): each image's place in its source, counted from 0
    accuracy       share of images whose label, where the source has labels, is the predicted one; else None
    skipped        what is wrong with each picture that could not be read, a line each
    note           a line of how the source was read, where that is not plain; else ""
    """

    labels: NDArray[np.int64] | None
    probabilities: NDArray[np.float64] | None
    class_names: tuple[str, ...]
    outputs: NDArray[Any]
    names: tuple[str, ...] | None = None
    positions: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    accuracy: float | None = None
    skipped: tuple[str, ...] = ()
    note: str = ""

    def __len__(self) -> int:
        return len(self.outputs)

    def __repr__(self) -> str:
        first = ", ".join(self.classes[:5]) + (", …" if len(self) > 5 else "")
        accuracy = f", {100 * self.accuracy:.2f} % correct" if self.accuracy is not None else ""
        return f"Predictions: {len(self):,} image{'' if len(self) == 1 else 's'}, {first}{accuracy}"

    @property
    def image_names(self) -> list[str]:
        """The first column: a picture's file, or an image's position."""
        return list(self.names) if self.names is not None else list(map(str, self.positions.tolist()))

    @property
    def classes(self) -> list[str]:
        """The name of each image's class; of a network that gives numbers, its outputs as text."""
        if self.labels is not None:
            return [self.class_names[label] for label in self.labels.tolist()]
        return [" ".join(f"{value:.6g}" for value in row) for row in self.outputs.reshape(len(self), -1).tolist()]

    @property
    def confidence(self) -> NDArray[np.float64] | None:
        """The probability of each image's class, (N,)."""
        return None if self.probabilities is None else self.probabilities.max(axis=1)

    def best(self, k: int) -> list[list[tuple[str, float]]]:
        """The k most probable classes of each image with their probabilities, the most probable first."""
        if self.probabilities is None:
            raise ConfigError("the network gives numbers, not classes; there is no most probable one")
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :k]  # (N, k)
        values = np.take_along_axis(self.probabilities, order, axis=1)  # (N, k)
        return [
            [(self.class_names[c], p) for c, p in zip(row, shares)]
            for row, shares in zip(order.tolist(), values.tolist())
        ]

    def csv(self, *, columns: tuple[str, str] | None = None, top: int = 0, proba: bool = True) -> str:
        """A line an image: `image,class,confidence,p0,…`, the probabilities in the order of `class_names`.

        columns  two names, such as KAGGLE: only the image's number, counted from 1, and its class under these names
        top      the most probable classes instead: `image,class,confidence,class2,confidence2,…`
        proba    whether the probabilities of all classes are written
        """
        text = io.StringIO()
        out = csv.writer(text, lineterminator="\n")
        if columns is not None:
            out.writerow(columns)
            out.writerows(zip((self.positions + 1).tolist(), self.classes))
        elif self.probabilities is None:
            flat = self.outputs.reshape(len(self), -1)
            out.writerow(
                ["image", *([f"output{i}" for i in range(flat.shape[1])] if flat.shape[1] > 1 else ["output"])]
            )
            out.writerows([name, *row] for name, row in zip(self.image_names, _short(flat)))
        elif top:
            out.writerow(
                [
                    "image",
                    "class",
                    "confidence",
                    *(f"{what}{i}" for i in range(2, top + 1) for what in ("class", "confidence")),
                ]
            )
            for name, best in zip(self.image_names, self.best(top)):
                out.writerow([name, *(value for label, p in best for value in (label, f"{p:.6g}"))])
        else:
            shares = _short(self.probabilities) if proba else [[]] * len(self)
            confidence = _short(self.probabilities.max(axis=1)[:, None])
            out.writerow(["image", "class", "confidence", *(f"p{i}" for i in range(len(self.class_names)) if proba)])
            rows = zip(self.image_names, self.classes, confidence, shares)
            out.writerows([name, label, *sure, *row] for name, label, sure, row in rows)
        return text.getvalue()

    def json(self, *, top: int = 0, proba: bool = True) -> str:
        """A list with a table an image: image, class, confidence, and probabilities by class name (or the `top`)."""
        if self.probabilities is None:
            flat = self.outputs.reshape(len(self), -1).tolist()
            tables: list[dict[str, Any]] = [{"image": n, "outputs": row} for n, row in zip(self.image_names, flat)]
        else:
            confidence = self.probabilities.max(axis=1)
            tables = [
                {"image": name, "class": label, "confidence": round(p, 6)}
                for name, label, p in zip(self.image_names, self.classes, confidence.tolist())
            ]
            if top:
                for table, best in zip(tables, self.best(top)):
                    table["best"] = {label: round(p, 6) for label, p in best}
            elif proba:
                for table, row in zip(tables, self.probabilities.tolist()):
                    table["probabilities"] = {label: round(p, 6) for label, p in zip(self.class_names, row)}
        return "[\n" + ",\n".join(json.dumps(table, ensure_ascii=False) for table in tables) + "\n]\n"

    def save(self, path: str | os.PathLike[str], **choices: Any) -> None:
        """Write `csv` or `json`, as the path's suffix says, atomically; `choices` are theirs."""
        require_suffix(path, "predictions", ".csv", ".json", bare=False)
        write = self.json if Path(path).suffix.lower() == ".json" else self.csv
        write_text(path, write(**choices))


def predict(
    net: Any,
    source: Any,
    *,
    class_names: Sequence[str] | None = None,
    part: Part | None = None,
    label_column: str | int | None = None,
    image_shape: Sequence[int] | None = None,
    valid_size: float | None = None,
    test_size: float | None = None,
    advance: Callable[[int], None] = lambda images: None,
) -> Predictions:
    """What a network says about images: `predict("shipped", "photo.png")`, `predict(net, "test.csv")`.

    net          a network, a Net, a network's file, a run's folder, or "shipped", the network that comes with digitlab
    source       a file or folder of images, with labels or without (data/unlabelled.py), or a list of such;
                 or images themselves: a Digits, an array, any other container of inputs
    class_names  what the classes are called; by default as in the run's settings or in the data, else "0", "1" …
    part         "train", "valid", "test" or "all"; None: the test set of a source that its author divided, else all
    label_column, image_shape, valid_size, test_size   how a set is read and divided, see `load`
    advance      told of every picture that was read

    Of several pictures, one that cannot be read is skipped and described in `skipped`.
    Raises ModelFileError, DataError or ShapeError for what cannot be read, or does not fit the network.
    """
    network, known = _network(net)
    choices = Choices(
        label_column=label_column, image_shape=image_shape, class_names=class_names, valid_size=valid_size,
        test_size=test_size,
    )  # fmt: skip
    read = _read(source, network, part, advance, choices)
    x = inputs(read.values, network, _title(source))
    first = next(iter(network.parameters().values()), None)
    outputs = to_numpy(select.predict(network, x if first is None else placed_with(first.value, x)))
    positions = read.positions if read.positions is not None else np.arange(len(outputs))
    if not classifies(network):
        return Predictions(None, None, (), outputs, read.names, positions, None, read.skipped, read.note)
    labels = np.argmax(outputs, axis=1).astype(np.int64)
    names = _class_names(class_names, known, read, outputs.shape[1])
    accuracy, note = None, read.note
    if read.labels is not None and len(read.class_names) == outputs.shape[1]:
        accuracy = float(np.mean(labels == read.labels))
    elif read.labels is not None:
        note += (
            f" its {len(read.class_names)} classes are not the network's {outputs.shape[1]}: labels are not compared"
        )
    shares = class_shares(outputs)
    return Predictions(
        labels, shares, names, outputs, read.names, positions, accuracy, read.skipped, note.strip()
    )  # fmt: skip


def _network(net: Any) -> tuple[Network, tuple[str, ...] | None]:
    """The network, and the names of its classes where its run tells them."""
    if isinstance(net, str | os.PathLike):
        if net == "shipped":
            from digitlab.shipped import shipped_network

            return shipped_network(), None
        path = network_path(net)
        return load_network(path), _names_of_run(path.parent)
    network = getattr(net, "network", net)
    if not isinstance(network, Network):
        raise ConfigError(
            f"net: got {type(net).__name__}, expected a network, a Net, a file, a run's folder or 'shipped'"
        )
    return network, None


def _names_of_run(folder: Path) -> tuple[str, ...] | None:
    """What the classes of a run's data are called, where its settings tell."""
    from digitlab.data.idx_families import FAMILIES

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
    from digitlab.data.image_folder import class_names_in

    return class_names_in(Path(source))


def _read(
    source: Any, network: Network, part: Part | None, advance: Callable[[int], None], choices: Choices
) -> Unlabelled:
    if isinstance(source, Digits):
        return Unlabelled(source.images, labels=source.labels, class_names=source.class_names)
    if not _are_files(source):
        return Unlabelled(source)
    known = network.input_range
    columns = math.prod(network.input_shape) if known is not None and not known.pixels else None
    shape = _picture_shape(network)
    return read_unlabelled(source, picture_shape=shape, columns=columns, part=part, advance=advance, **choices)


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
        raise ConfigError(
            f"class_names: got {len(given)} names, expected {classes}: one for each output of the network"
        )
    for names in (given, known, read.class_names):
        if names is not None and len(names) == classes:
            return tuple(names)
    return tuple(map(str, range(classes)))


def _short(numbers: NDArray[Any]) -> list[list[str]]:
    """Rows of numbers as text with six digits."""
    return [[f"{value:.6g}" for value in row] for row in numbers.tolist()]
