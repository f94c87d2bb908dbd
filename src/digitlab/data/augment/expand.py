"""A larger training set by fixed changes, as in the books: every image, and changed copies of it.

Nielsen ch. 6, "Expanding the training data": 50,000 images become 250,000, each with its four shifts by a pixel.
Rashid, part 3, "Rotating the images": 60,000 become 180,000, each turned by 10° both ways.

Validation and test images stay as they are: changes would make the test easier or harder, and a changed copy of a
training image in the validation set is not new to the network.
"""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.augment.affine import rotation
from digitlab.data.augment.warp import warp
from digitlab.data.dataset import DIGIT_NAMES, Digits
from digitlab.data.formats.idx import idx_file
from digitlab.data.formats.mnist_files import CLASSES
from digitlab.data.formats.npz import write_class_names
from digitlab.data.formats.shared.replacing import beside, finish, replace_set
from digitlab.data.splits import Splits
from digitlab.errors import DataError
from digitlab.files import Claim, atomic_write, write_text

Maps = NDArray[np.float32]  # (V, 3, 3): the variants of each image, the first of them unchanged
BLOCK = 10_000  # images at a time: a block needs little memory, compared with the set


def shifts(pixels: int = 1) -> Maps:
    """The image, and the same moved down, up, right and left; the rows or columns left empty are paper, 0.

    Exact, no pixel is blurred. This is the order of Nielsen's expand_mnist.py.
    """
    maps = _identities(5)
    maps[1:, :2, 2] = [[-pixels, 0], [pixels, 0], [0, -pixels], [0, pixels]]  # where it comes from: the other side
    return maps


def rotations(degrees: float = 10.0) -> Maps:
    """The image, and the same turned anticlockwise and clockwise by this angle."""
    maps = _identities(3)
    rotation(maps[1:], np.array([degrees, -degrees]))
    return maps


def expanded_blocks(
    digits: Digits, variants: Maps, rng: np.random.Generator | None = None, *, block: int = BLOCK
) -> Iterator[Digits]:
    """The expanded set as a stream of smaller ones: variants of the first image, of the second ...; memory stays low.

    With `rng` in random order over the whole set, which training without shuffling needs.
    """
    total = len(digits) * len(variants)
    order = np.arange(total) if rng is None else rng.permutation(total)
    for start in range(0, total, block):
        which, variant = np.divmod(order[start : start + block], len(variants))
        yield Digits(
            warp(digits.images[which], variants[variant], None), digits.labels[which], digits.class_names, digits.name
        )


def expand(digits: Digits, variants: Maps, rng: np.random.Generator | None = None) -> Digits:
    """The expanded set in memory: `expand(train, shifts())` has five times as many images."""
    images = np.empty((len(digits) * len(variants), *digits.image_shape), np.uint8)
    labels = np.empty(len(images), np.int64)
    at = 0
    for part in expanded_blocks(digits, variants, rng):
        images[at : at + len(part)], labels[at : at + len(part)] = part.images, part.labels
        at += len(part)
    return Digits(images, labels, digits.class_names, f"{digits.name} expanded".strip())


def write_expanded(
    path: str | os.PathLike[str],
    splits: Splits,
    variants: Maps,
    rng: np.random.Generator | None = None,
    *,
    compress: bool = True,
    advance: Callable[[int], None] = lambda images: None,
) -> list[Path]:
    """Write expanded training images with the untouched validation and test images; returns the files.

    A path that ends in .npz becomes one archive (x_train, y_train, x_valid ... y_test), another a folder of IDX files
    under MNIST's names, gzip-compressed with `compress`, with valid-images and valid-labels.
    `digitlab.load(path)` reads both, with the classes' names. `advance` is called with the size of each block written.

    An older set in the folder is whole until the new one is: a kill at any moment leaves one of both to be loaded.
    Raises DataError for another suffix, or more classes than a byte can count; ConfigError while another process
    writes into the folder.
    """
    path = Path(path)
    if path.suffix not in ("", ".npz"):
        raise DataError(f"{path}: expected a folder (IDX files) or a file name that ends in .npz")
    train = splits.train
    if len(train.class_names) > 256:
        raise DataError(f"{path}: got {len(train.class_names)} classes, expected 256 at most: labels are kept as bytes")
    labels = np.empty(len(train) * len(variants), np.uint8)

    def blocks() -> Iterator[NDArray[np.uint8]]:
        at = 0
        for block in expanded_blocks(train, variants, rng):
            labels[at : at + len(block)] = block.labels
            at += len(block)
            yield block.images
            advance(len(block))

    # Images before labels, which are known once the images are written. The training set is written last.
    arrays: dict[tuple[str, str], tuple[tuple[int, ...], Any]] = {}
    for name, part in (("valid", splits.valid), ("test", splits.test)):
        if part is not None:
            arrays[name, "images"] = part.images.shape, [part.images]
            arrays[name, "labels"] = part.labels.shape, [part.labels.astype(np.uint8)]
    arrays["train", "images"] = (len(labels), *train.image_shape), blocks()
    arrays["train", "labels"] = labels.shape, [labels]
    if path.suffix == ".npz":
        with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for (name, kind), (shape, values) in arrays.items():
                _write_member(archive, f"{'x' if kind == 'images' else 'y'}_{name}", shape, values, compress)
            if train.class_names != DIGIT_NAMES:
                write_class_names(archive, train.class_names)
        return [path]
    stems = {"train": "train", "valid": "valid", "test": "t10k"}
    forms = {"images": "images-idx3", "labels": "labels-idx1"}
    end = "-ubyte.gz" if compress else "-ubyte"
    targets = {key: path / f"{stems[key[0]]}-{forms[key[1]]}{end}" for key in arrays}
    with Claim(path):
        finish(path)
        named = train.class_names != DIGIT_NAMES
        with ExitStack() as files:
            for key, (shape, values) in arrays.items():
                with idx_file(files.enter_context(atomic_write(beside(targets[key]))), shape) as file:
                    for block in values:
                        file.write(np.ascontiguousarray(block).data)
            if named:
                write_text(beside(path / CLASSES), "\n".join(train.class_names) + "\n")
        replace_set(path, [*[CLASSES] * named, *(target.name for target in targets.values())])
    return [targets[name, kind] for name in stems for kind in forms if (name, kind) in targets]


def _identities(n: int) -> Maps:
    return np.tile(np.eye(3, dtype=np.float32), (n, 1, 1))


def _write_member(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], blocks: Any, compress: bool) -> None:
    """One array of an .npz, block by block: `numpy.savez` would want all of it at once."""
    info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))  # no time stamp: the same values, the same bytes
    info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    member: IO[bytes]
    with archive.open(info, "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": shape})  # type: ignore[no-untyped-call,unused-ignore]
        for values in blocks:
            member.write(np.ascontiguousarray(values).data)
