"""Parquet tables: Hugging Face's MNIST, whose images are PNG files in a column, and tables with a column a pixel.

It needs PyArrow, which `pip install 'digitlab[parquet]'` brings along.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.shared.contents import WHOLE, Reading, UnlabelledError
from digitlab.data.formats.shared.csv_table import Table
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.named_arrays import IMAGES
from digitlab.data.formats.shared.pixels import to_images
from digitlab.data.formats.shared.raw import Raw
from digitlab.data.formats.shared.safe_gzip import MAX_BYTES
from digitlab.data.formats.shared.table_layout import LABEL_NAMES, find_layout
from digitlab.errors import DataError, in_brief

MAX_PIXELS = 1 << 20  # of one image


def read_parquet(path: Path, reading: Reading) -> dict[str, Raw]:
    """The labelled images in a Parquet file: a column of pictures and one of labels, or a column for each pixel.

    Raises DataError if PyArrow is not installed, or if the file is damaged or holds neither.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError(
            f"{path}: is a Parquet file, which PyArrow reads; install it: pip install pyarrow (or 'digitlab[parquet]')."
        ) from None
    try:
        file = pq.ParquetFile(path)
        groups = range(file.metadata.num_row_groups)
        size = sum(file.metadata.row_group(i).total_byte_size for i in groups)
        if size > MAX_BYTES:
            raise DataError(f"{path}: unpacks to {size:,} bytes, expected {MAX_BYTES:,} at most.")
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: is not a readable Parquet file ({in_brief(error)}). Fetch it again.") from error
    if not table.num_rows:
        raise DataError(f"{path}: holds no images, expected a row for each.")
    names: list[str] = table.column_names
    pictures = [name for name in names if _may_be_pictures(table.schema.field(name).type, pa)]
    if not pictures:
        return {WHOLE: _from_columns(table, path, reading)}
    column = min(pictures, key=lambda name: IMAGES.index(name.lower()) if name.lower() in IMAGES else len(IMAGES))
    images = _pictures(table.column(column).to_pylist(), path, column, reading)
    others = [name for name in names if name not in pictures]
    if not others and reading.label_column is None:
        raise UnlabelledError(f"{path}: has a column of images alone; expected one called label.", images)
    label = _label_name(others, reading, path)
    labels = np.asarray(table.column(label).to_pylist())
    own = _class_names(table.schema.metadata, label)
    return {WHOLE: Raw(images, labels, str(path), lambda i: f"{path}: row {i} (from 0)", names=own)}


def _may_be_pictures(kind: Any, pa: Any) -> bool:
    """Whether a column holds files of pictures (bytes, or bytes in a struct) or lists of pixels."""
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    types = pa.types
    return any(is_(kind) for is_ in (types.is_binary, types.is_large_binary, types.is_list, types.is_fixed_size_list))


def _label_name(names: Sequence[str], reading: Reading, path: Path) -> str:
    """The column of labels that goes with a column of pictures."""
    if reading.label_column is not None and str(reading.label_column) in names:
        return str(reading.label_column)
    found = [name for name in names if name.lower() in LABEL_NAMES] or (list(names) if len(names) == 1 else [])
    if reading.label_column is not None or len(found) != 1:
        raise DataError(
            f"{path}: has the columns {', '.join(names) or 'of images alone'}; expected one called label. "
            "If another column holds the label name it: --label-column NAME, or label_column."
        )
    return found[0]


def _class_names(metadata: dict[bytes, bytes] | None, label: str) -> tuple[str, ...] | None:
    """What the classes are called, where Hugging Face's description of the table says so."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        names = tuple(map(str, features[label]["names"]))
    except (KeyError, ValueError, TypeError):
        return None
    return names or None


def _pictures(values: list[Any], path: Path, column: str, reading: Reading) -> NDArray[np.uint8]:
    """A column's pictures, uint8 (N, H, W) or (N, H, W, 3): files of pictures as they are, or lists of pixels."""
    images: list[NDArray[Any]] = []
    for row, value in enumerate(values):
        where = f"{path}: row {row} (from 0), {column}"
        content = value.get("bytes") if isinstance(value, dict) else value
        images.append(_decoded(content, where) if isinstance(content, bytes) else np.asarray(content))
        if not row and images[0].nbytes * len(values) > MAX_BYTES:
            raise DataError(f"{where}: is {images[0].shape}, too large for {len(values):,} images; expected small.")
        if images[-1].shape != images[0].shape:
            raise DataError(f"{where}: is {images[-1].shape}, and others {images[0].shape}; expected one size.")
    if images[0].dtype.kind not in "biuf":
        raise DataError(f"{path}: row 0 (from 0), {column}: holds no picture.")
    return to_images(
        np.stack(images),
        lambda row, pixel: f"{path}: row {row} (from 0), pixel {pixel}",
        f"{path}: {column}",
        image_shape=reading.image_shape,
    )


def _decoded(content: bytes, where: str) -> NDArray[np.uint8]:
    """The picture in a PNG or JPEG file, uint8 (H, W) or (H, W, 3); its size is looked at before it is decoded."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise DataError(f"{where}: has {picture.width} × {picture.height} pixels, expected a small image.")
            array: NDArray[np.uint8] = np.asarray(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: is no readable picture ({in_brief(error)}).") from error
    return array


def _from_columns(table: Any, path: Path, reading: Reading) -> Raw:
    """A table with a column for each pixel, as pandas writes it."""
    columns, words = [table.column(name).to_numpy() for name in table.column_names], {}
    for i, values in enumerate(columns):
        if values.dtype.kind not in "biuf":
            words[i] = [str(value) for value in values.tolist()]
            columns[i] = np.zeros(len(values), dtype=np.uint8)
    made = Table(np.column_stack(columns), words, tuple(table.column_names), "", 0)
    layout = find_layout(made, f"{path}: row 0", reading)
    images = layout.images(made, lambda row, pixel: f"{path}: row {row} (from 0), pixel {pixel}")
    if layout.label is None:
        raise UnlabelledError(f"{path}: has no column called label.", images)
    labels = words.get(layout.label, made.values[:, layout.label])
    return Raw(images, labels, str(path), lambda i: f"{path}: row {i} (from 0)")


FORMAT = Format(("parquet",), read_parquet, table=True)
