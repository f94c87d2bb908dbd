"""Predictions: classes and probabilities of images, and how they are written as CSV and JSON."""

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.errors import ConfigError
from digitlab.files import require_suffix, write_text
from digitlab.notebook_html import notebook_html

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
    part           which images of the source these are: "train", "valid", "test" or "all"
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
    part: str = "all"
    skipped: tuple[str, ...] = ()
    note: str = ""

    _repr_html_ = notebook_html

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
        heading: Sequence[str]
        rows: Iterable[Sequence[Any]]
        if columns is not None:
            heading, rows = columns, zip((self.positions + 1).tolist(), self.classes)
        elif self.probabilities is None:
            flat = self.outputs.reshape(len(self), -1)
            heading = ["image", *([f"output{i}" for i in range(flat.shape[1])] if flat.shape[1] > 1 else ["output"])]
            rows = ([name, *row] for name, row in zip(self.image_names, _short(flat)))
        elif top:
            more = (f"{what}{i}" for i in range(2, top + 1) for what in ("class", "confidence"))
            heading = ["image", "class", "confidence", *more]
            best = ([value for label, p in some for value in (label, f"{p:.6g}")] for some in self.best(top))
            rows = ([name, *some] for name, some in zip(self.image_names, best))
        else:
            shares = _short(self.probabilities) if proba else [[]] * len(self)
            confidence = _short(self.probabilities.max(axis=1)[:, None])
            heading = ["image", "class", "confidence", *(f"p{i}" for i in range(len(self.class_names)) if proba)]
            each = zip(self.image_names, self.classes, confidence, shares)
            rows = ([name, label, *sure, *row] for name, label, sure, row in each)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([heading, *rows])
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

    def save(self, path: str | os.PathLike[str], **arguments: Any) -> None:
        """Write `csv` or `json`, as the path's suffix says, atomically; with their `arguments`."""
        require_suffix(path, "predictions", ".csv", ".json", bare=False)
        write = self.json if Path(path).suffix.lower() == ".json" else self.csv
        write_text(path, write(**arguments))


def _short(numbers: NDArray[Any]) -> list[list[str]]:
    """Rows of numbers as text with six digits."""
    return [[f"{value:.6g}" for value in row] for row in numbers.tolist()]
