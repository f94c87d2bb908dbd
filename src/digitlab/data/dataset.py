"""A set of labelled images: what every loader returns and every trainer takes."""

import operator
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from digitlab.arguments import checked_class
from digitlab.convert import as_frame
from digitlab.data.grids import image_grid, image_text
from digitlab.errors import DataError
from digitlab.notebook_html import notebook_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Image = NDArray[np.uint8]
DIGIT_NAMES = tuple("0123456789")


class _PositionError(DataError, IndexError):
    """A position past the end; an IndexError too, which is how Python ends loops over a sequence."""


class Example(NamedTuple):
    """One labelled image, as `digits[7]` gives it: `image, label = digits[7]`."""

    image: Image  # uint8 (H, W) or (H, W, 3)
    label: int

    def _repr_html_(self) -> str | None:
        return notebook_html(self)

    def __repr__(self) -> str:
        return f"Example: image {'×'.join(map(str, self.image.shape))}, label {self.label}"


@checked_class
@dataclass(frozen=True, eq=False, repr=False)
class Digits:
    """N images with the class of each: `Digits(images, labels)`.

    images       uint8 (N, H, W), or (N, H, W, 3) in colour; 0 is paper, 255 is ink
    labels       int64 (N,), each a position in `class_names`
    class_names  what the classes are called, "0" to "9" unless said otherwise
    name         where the images come from, for titles and logs

    `digits[7]` is one `(image, label)`; a slice, positions or a mask give another `Digits`. The methods that
    choose images return new sets and share memory where NumPy does; nothing changes a set in place.
    Every random choice takes a `numpy.random.Generator`.

    Raises DataError for another dtype or shape, unequal counts, a label without a class, or no images at all.
    """

    images: Image
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] = DIGIT_NAMES
    name: str = ""

    _repr_html_ = notebook_html

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.class_names)
        object.__setattr__(self, "class_names", names)
        object.__setattr__(self, "images", _checked_images(np.asarray(self.images)))
        object.__setattr__(self, "labels", _checked_labels(np.asarray(self.labels), len(self.images), names))

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> Example: ...
    @overload
    def __getitem__(self, key: slice | Sequence[int] | NDArray[Any]) -> "Digits": ...
    def __getitem__(self, key: Any) -> "Example | Digits":
        """One `(image, label)` for a number; a `Digits` for a slice, an array of positions, or a mask (N,)."""
        if isinstance(key, slice):
            return self._chosen(key)
        if np.ndim(key) == 0 and hasattr(key, "__index__"):
            at = operator.index(key)
            if not -len(self) <= at < len(self):
                raise _PositionError(f"{self}: got position {at}, expected {-len(self)} to {len(self) - 1}.")
            return Example(self.images[at], int(self.labels[at]))
        positions = np.asarray(key)
        if positions.dtype == bool and positions.shape != self.labels.shape:
            raise DataError(f"{self}: got a mask of shape {positions.shape}, expected ({len(self)},): one per image.")
        if positions.ndim != 1 or (positions.size and positions.dtype.kind not in "biu"):
            raise DataError(f"{self}: got {type(key).__name__}, expected a number, slice, positions or mask.")
        if positions.size and positions.dtype != bool:
            outside = positions[(positions < -len(self)) | (positions >= len(self))]
            if outside.size:
                raise _PositionError(f"{self}: got position {outside[0]}, expected at most {len(self) - 1}.")
        return self._chosen(positions if positions.size else slice(0))

    def __iter__(self) -> Iterator[tuple[Image, int]]:
        return zip(self.images, self.labels.tolist())

    def __repr__(self) -> str:
        size = "×".join(map(str, self.image_shape[:2])) + (" RGB" if len(self.image_shape) == 3 else "")
        counts = self.counts()
        present = [name for name, n in zip(self.class_names, counts) if n]
        if len(present) == len(counts):
            classes = f"{len(counts)} classes ({present[0]}–{present[-1]})"
        else:
            classes = f"{len(present)} of {len(counts)} classes ({', '.join(present)})"
        noun = "image" if len(self) == 1 else "images"
        return f"Digits: {len(self):,} {noun} {size}, {classes}" + (f", {self.name}" if self.name else "")

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(H, W) or (H, W, 3)."""
        return self.images.shape[1:]

    def counts(self) -> NDArray[np.int64]:
        """How many images each class has: int64 (classes,)."""
        return np.bincount(self.labels, minlength=len(self.class_names)).astype(np.int64, copy=False)

    def first(self, n: int) -> "Digits":
        """The first `n` images, in order."""
        return self._chosen(slice(self._count(n, "first(n)")))

    def fraction(self, f: float, rng: np.random.Generator | None = None) -> "Digits":
        """A fraction 0 < f ≤ 1 of the images, at least one: the first ones, or random ones if `rng` is given."""
        if not 0 < f <= 1:
            raise DataError(f"{self}: fraction(f) got {f}, expected a number above 0 and at most 1 (a half is 0.5).")
        n = max(1, round(f * len(self)))
        return self.first(n) if rng is None else self._chosen(np.sort(rng.permutation(len(self))[:n]))

    def sample(self, n_per_class: int, rng: np.random.Generator) -> "Digits":
        """`n_per_class` random images of every class that occurs, in the order they have in this set."""
        counts = self.counts()
        n = self._count(n_per_class, "sample(n_per_class)")
        short = np.flatnonzero((counts > 0) & (counts < n))
        if short.size:
            name, has = self.class_names[short[0]], counts[short[0]]
            raise DataError(
                f"{self}: sample(n_per_class) got {n}, but class {name} has {has} images. Ask for {has} at most."
            )
        picks = [rng.permutation(np.flatnonzero(self.labels == c))[:n] for c in np.flatnonzero(counts)]
        return self._chosen(np.sort(np.concatenate(picks)))

    def only(self, classes: Sequence[int]) -> "Digits":
        """The images of these classes; labels keep their values, so `only([3, 7])` still has 3s and 7s."""
        known = range(len(self.class_names))
        wrong = [c for c in classes if c not in known]
        if wrong or not len(classes):
            raise DataError(
                f"{self}: only(classes) got {wrong[0] if wrong else 'no class'}, expected classes 0–{len(known) - 1}."
            )
        mask = np.isin(self.labels, np.asarray(classes))
        if not mask.any():
            raise DataError(f"{self}: only(classes) got {list(classes)}, of which there are no images here.")
        return self._chosen(mask)

    def shuffled(self, rng: np.random.Generator) -> "Digits":
        """All images in random order."""
        return self._chosen(rng.permutation(len(self)))

    def split(self, *sizes: int) -> "tuple[Digits, ...]":
        """Consecutive parts of these sizes, which add up to the whole; one may be -1, "the rest".

        `train, valid = digits.split(50_000, 10_000)`
        """
        wanted = list(sizes)
        if wanted.count(-1) == 1:
            wanted[wanted.index(-1)] = len(self) - (sum(wanted) + 1)
        if not wanted or min(wanted) < 1 or sum(wanted) != len(self):
            raise DataError(
                f"{self}: split(*sizes) got {sizes}, expected sizes of at least 1 that add up to {len(self):,}; "
                "one may be -1 for the rest."
            )
        ends = np.cumsum(wanted).tolist()
        return tuple(self._chosen(slice(end - size, end)) for size, end in zip(wanted, ends))

    def renamed(self, name: str) -> "Digits":
        """The same set under another name."""
        return replace(self, name=name)

    def show(self, n: int = 25, columns: int = 10) -> "Figure":
        """The first `n` images (or all, if fewer) in rows of `columns` as a matplotlib Figure; opens no window."""
        few = self.first(min(n, len(self)))
        if columns < 1:
            raise DataError(f"{self}: show(columns) got {columns}, expected at least 1.")
        titles = [self.class_names[label] for label in few.labels]
        return image_grid(few.images, titles, columns=min(columns, len(few)))

    plot = show

    def to_frame(self) -> Any:
        """The images as a pandas DataFrame: label, then pixel0, pixel1 … row by row, as Kaggle's files have them.

        Raises ConfigError if pandas is not installed.
        """
        pixels = self.images.reshape(len(self), -1)  # (N, H·W) or (N, H·W·3)
        return as_frame({"label": self.labels} | {f"pixel{i}": column for i, column in enumerate(pixels.T)})

    def batches(self, size: int, rng: np.random.Generator | None = None) -> "Iterator[Digits]":
        """All images in sets of `size`, the last one smaller; in order, or in random order if `rng` is given."""
        size, order = (
            self._count(size, "batches(size)"),
            np.arange(len(self)) if rng is None else rng.permutation(len(self)),
        )
        for start in range(0, len(self), size):
            yield self._chosen(order[start : start + size])

    def as_text(self, i: int, *, ascii_only: bool = False) -> str:
        """Image `i` as lines of shades for a terminal, under a line that names its class."""
        image, label = self[i]
        return f"{self.class_names[label]}\n{image_text(image, ascii_only=ascii_only)}"

    def _chosen(self, key: Any) -> "Digits":
        labels = self.labels[key]
        if not len(labels):
            raise DataError(f"{self}: nothing was chosen, and a set needs at least one image.")
        return replace(self, images=self.images[key], labels=labels)

    def _count(self, n: int, what: str) -> int:
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= len(self):
            raise DataError(f"{self}: {what} got {n!r}, expected a whole number from 1 to {len(self):,}.")
        return int(n)


def concatenate(a: Digits, b: Digits, *more: Digits) -> Digits:
    """One set after the other; DataError unless their images have one shape and their classes are the same."""
    sets = (a, b, *more)
    for other in sets[1:]:
        if other.image_shape != a.image_shape or other.class_names != a.class_names:
            raise DataError(
                f"concatenate: got {a} and {other}, expected one image shape and the same class names. "
                "Resize the images, or rename the classes, of one of them."
            )
    name = " + ".join(dict.fromkeys(s.name for s in sets if s.name))
    return Digits(
        np.concatenate([s.images for s in sets]), np.concatenate([s.labels for s in sets]), a.class_names, name
    )


def require_classes(labels: NDArray[Any], n_classes: int, source: str | os.PathLike[str]) -> None:
    """DataError, naming `source`, if a label is not one of 0 … n_classes-1; labels integers (N,)."""
    wrong = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(wrong):
        at = int(wrong[0])
        raise DataError(
            f"{source}: label number {at} is {labels[at]}, expected 0–{n_classes - 1}, one for each class. "
            "Mend the label, or pass class_names for the classes there are."
        )


def _checked_images(images: NDArray[Any]) -> Image:
    if images.dtype.kind == "f":
        nan = " (and it contains NaN)" if np.isnan(images).any() else ""
        raise DataError(
            f"images: got {images.dtype} of shape {images.shape}{nan}, expected uint8, 0–255. "
            "If they run from 0 to 1: multiply by 255, round, and astype('uint8')."
        )
    if images.dtype != np.uint8:
        raise DataError(f"images: got {images.dtype}, expected uint8, 0–255. Convert with astype('uint8').")
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)):
        raise DataError(
            f"images: got shape {images.shape}, expected (N, H, W), or (N, H, W, 3) in colour. "
            "Rows of 784 become images with reshape(-1, 28, 28); a single image with image[None]."
        )
    if images.size == 0:
        raise DataError(f"images: got an empty set, shape {images.shape}; expected at least one image.")
    return images


def _checked_labels(labels: NDArray[Any], n: int, class_names: tuple[str, ...]) -> NDArray[np.int64]:
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"labels: got {labels.dtype} of shape {labels.shape}, expected whole numbers of shape ({n},). "
            "One-hot rows become labels with argmax(axis=1)."
        )
    if len(labels) != n:
        raise DataError(f"got {n:,} images and {len(labels):,} labels, expected as many of each.")
    require_classes(labels, len(class_names), "labels")
    return labels.astype(np.int64, copy=False)
