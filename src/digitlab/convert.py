"""Data in any container as NumPy arrays: `as_array` for arrays and tables, `as_examples` for sets with targets.

Both keep the numbers and their dtype; nn/examples.py decides what the numbers mean to a network.
No library is imported for this: each is recognized by what its objects can do.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.errors import ConfigError, DataError, ShapeError, in_brief

LARGEST_NUMBER = 16  # whole numbers of a picture above this are probably bytes; scikit-learn's digits end here
INPUT_NAMES = ("x", "X", "images", "image", "img", "data", "inputs", "pixels", "features")
TARGET_NAMES = ("y", "Y", "labels", "label", "target", "targets", "class", "digit")

Array = np.ndarray[Any, Any]


def as_array(values: Any, what: str = "data") -> Array:
    """Numbers (or text) in any container as a NumPy array, dtype unchanged.

    Arrays of NumPy, PyTorch, TensorFlow, JAX and CuPy, h5py data sets, pandas and polars tables and columns, SciPy
    sparse matrices, pictures of Pillow, and lists of any of these or of numbers.
    Raises DataError for rows of different lengths, and for lists that mix pixel bytes (uint8) with other numbers.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise DataError(f"{what}: got a masked array, expected one without a mask; array.filled(0) makes one")
    if isinstance(values, np.ndarray):
        array = values
    elif hasattr(values, "toarray"):  # SciPy sparse
        array = np.asarray(values.toarray())
    elif hasattr(values, "detach") or (hasattr(values, "get") and hasattr(values, "device")):  # PyTorch, CuPy
        try:
            array = to_numpy(values)
        except (TypeError, RuntimeError) as error:  # bfloat16 and sparse tensors, among others
            raise DataError(f"{what}: got a tensor that is no NumPy array ({in_brief(error)})") from None
    elif hasattr(values, "to_numpy"):  # pandas, polars
        array = np.asarray(values.to_numpy())
    elif isinstance(values, list | tuple):
        array = _stacked(values, what)
    elif not isinstance(values, Mapping | set | str | bytes) and (
        hasattr(values, "__array__") or hasattr(values, "__array_interface__") or np.isscalar(values)
    ):
        array = np.asarray(values)
    else:
        raise DataError(f"{what}: got {type(values).__name__}; expected an array, a table or a list of numbers")
    return _without_objects(array, what) if array.dtype.kind == "O" else array


def as_examples(data: Any, what: str = "data") -> tuple[Array, Array]:
    """(x, y) from a set of examples: inputs (N, ...) and targets (N, ...), both as `as_array` gives them.

    data   a Digits; a pair (x, y); a list, generator or data set object that gives (x, y) examples, or batches of
           them (a torch Dataset or DataLoader, a Keras PyDataset, a tf.data.Dataset); a mapping or a table of mappings
           with names such as "image" and "label", as scikit-learn's and Hugging Face's data sets are
    what   the name of the set in messages: "training set"

    Raises DataError for other containers and empty ones, ShapeError where x and y have different lengths.
    """
    x, y = _split(data, what)
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise ShapeError(
            f"{what}: got inputs of shape {x.shape} with targets of shape {y.shape}; "
            "expected one row of inputs per target"
        )
    return x, y


def looks_like_bytes(x: Array) -> bool:
    """Whether numbers of another dtype than uint8 are pixel bytes by their values: whole, from 0 to 255, some large."""
    return bool(x.size and x.min() >= 0 and LARGEST_NUMBER < x.max() <= 255 and (x == np.rint(x)).all())


def require_no_bytes(x: Array, what: str, other: str = "") -> None:
    """Raise DataError if x, which is not uint8, `looks_like_bytes`; `other` is one more way to correct it."""
    if looks_like_bytes(x):
        raise DataError(
            f"{what}: got whole numbers from {x.min():g} to {x.max():g} as {x.dtype}; pixel bytes must be uint8. "
            f"Pass x.astype('uint8') or x / 255{other}"
        )


def _split(data: Any, what: str) -> tuple[Array, Array]:
    if hasattr(data, "_fields") and not {"x", "y"} <= set(data._fields):
        raise DataError(f"{what}: got {type(data).__name__}; expected one of its sets, such as splits.train")
    if isinstance(data, Mapping):
        return _named(data, what)
    if hasattr(data, "images") and hasattr(data, "labels"):
        return as_array(data.images, what), as_array(data.labels, what)
    arrays = isinstance(data, list | tuple) and bool(data) and all(_is_set_of_arrays(part) for part in data)
    tensors = getattr(data, "tensors", None)  # torch's TensorDataset, without a call per example
    for pair in (data if isinstance(data, tuple) or arrays else None, tensors):
        if isinstance(pair, tuple | list) and len(pair) == 2:
            return as_array(pair[0], what), as_array(pair[1], what)
    if isinstance(data, tuple) and arrays:
        raise DataError(f"{what}: got a tuple of {len(data)} arrays; expected Digits or a pair (x, y)")
    if isinstance(data, np.ndarray) or hasattr(data, "columns") or hasattr(data, "detach"):
        raise DataError(
            f"{what}: got one {type(data).__name__} without targets; expected a pair (x, y), for a table "
            "(table.drop(columns='label'), table['label'])"
        )
    return _from_items(data, what)


def _from_items(data: Any, what: str) -> tuple[Array, Array]:
    """Inputs and targets of a sequence or iterable, which gives examples or batches of them."""
    own = isinstance(data, list | tuple | zip)
    if isinstance(data, str | bytes):
        items: list[Any] | None = None
    elif not own and hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        items = [data[i] for i in range(len(data))]  # a data set need not raise IndexError at its end
    else:
        items = list(data) if isinstance(data, Iterable) else None
    if items is None:
        raise DataError(f"{what}: got {type(data).__name__}; expected Digits, a pair (x, y) or a list of (x, y) pairs")
    if not items:
        raise DataError(f"{what}: got an empty {type(data).__name__}; expected at least one (x, y) example")
    xs, ys = [], []
    for i, item in enumerate(items):
        if isinstance(item, Mapping):
            x, y = _named(item, f"{what}, example {i}")
        elif isinstance(item, tuple | list) and len(item) == 2:
            x, y = (as_array(part, f"{what}, example {i}") for part in item)
        else:
            size = f" of {len(item)}" if isinstance(item, tuple | list) else ""
            raise DataError(
                f"{what}: example {i} is a {type(item).__name__}{size}; expected (x, y) pairs: inputs and their target"
            )
        xs.append(x)
        ys.append(y)
    # Only data sets of libraries give batches; a list holds examples, even if x and y are equally long.
    batches = not own and all(x.ndim > 1 and y.ndim > 0 and len(x) == len(y) for x, y in zip(xs, ys))
    if batches:
        _same([x.shape[1:] for x in xs], [x.dtype for x in xs], f"{what}, inputs")
        _same([y.shape[1:] for y in ys], [], f"{what}, targets")
        return np.concatenate(xs), np.concatenate(ys)
    return _stacked(xs, f"{what}, inputs"), _stacked(ys, f"{what}, targets")


def _named(table: Mapping[Any, Any], what: str) -> tuple[Array, Array]:
    inputs = next((name for name in INPUT_NAMES if name in table), None)
    targets = next((name for name in TARGET_NAMES if name in table), None)
    if "data" in table and "target" in table:  # scikit-learn's, which has "images" besides
        inputs, targets = "data", "target"
    if inputs is None or targets is None:
        raise DataError(
            f"{what}: got a table with {', '.join(map(str, table)) or 'nothing'}; "
            "expected names such as 'image' and 'label', or a pair (x, y)"
        )
    return as_array(table[inputs], what), as_array(table[targets], what)


def _is_set_of_arrays(part: Any) -> bool:
    """Whether part of a list [x, y] is a whole array, rather than one (x, y) example."""
    return not isinstance(part, list | tuple) and hasattr(part, "shape") and len(part.shape) > 0


def _stacked(values: Any, what: str) -> Array:
    """A list as one array; its elements may be arrays of other libraries."""
    if any(hasattr(value, "shape") or hasattr(value, "detach") or hasattr(value, "size") for value in values):
        arrays = [as_array(value, what) for value in values]
        _same([a.shape for a in arrays], [a.dtype for a in arrays], what)
        return np.stack(arrays)
    lists = bool(values) and all(isinstance(value, list | tuple) for value in values)
    if lists and any(hasattr(item, "shape") for row in values for item in row):  # lists of lists of arrays
        return _stacked([_stacked(row, what) for row in values], what)
    try:
        return np.asarray(values)
    except ValueError:
        lengths = sorted({len(value) for value in values if hasattr(value, "__len__")})
        raise DataError(f"{what}: got rows of different lengths, {lengths[:4]}; expected all of one length") from None


def _same(shapes: list[tuple[int, ...]], dtypes: list[Any], what: str) -> None:
    if len(found := sorted(set(shapes))) > 1:
        raise DataError(f"{what}: got different shapes, {found[0]} and {found[1]}; expected one shape for all")
    if len({dtype == np.uint8 for dtype in dtypes}) > 1:
        other = next(dtype for dtype in dtypes if dtype != np.uint8)
        raise DataError(f"{what}: got uint8 and {other} together; expected either pixel bytes (uint8) or numbers")


def _without_objects(array: Array, what: str) -> Array:
    """An array of Python objects as numbers or text."""
    try:
        found = np.array(array.tolist())
    except ValueError:
        raise DataError(f"{what}: got rows of different lengths; expected all of one length") from None
    if found.dtype.kind == "O":
        odd = [type(value).__name__ for value in array.ravel().tolist() if not isinstance(value, int | float | str)]
        among = odd[0] if odd else "a whole number of more than 64 bits"
        raise DataError(f"{what}: got {among} among the values; expected numbers")
    return found


def as_frame(table: Any) -> Any:
    """A pandas DataFrame of rows or columns. Raises ConfigError if pandas is not installed."""
    try:
        import pandas  # type: ignore[import-untyped]
    except ImportError:
        raise ConfigError("to_frame needs pandas, which is not installed: pip install pandas") from None
    return pandas.DataFrame(table)
