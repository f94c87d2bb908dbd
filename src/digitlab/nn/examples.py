"""What examples mean to a network: the check that inputs and targets pass before it trains, predicts or is tested.

`convert.py` makes arrays of any container; here the arrays are judged by the network: shapes, the range of the numbers,
whether targets are classes or numbers. Every public function that takes data calls `examples` or `inputs`.
scaling.py states the rule for pixels and numbers.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.arrays import Array
from digitlab.convert import LARGEST_NUMBER, as_array, as_examples, looks_like_bytes, require_no_bytes
from digitlab.errors import DataError, ShapeError
from digitlab.nn.scaling import InputRange
from digitlab.nn.shapes import same_order

if TYPE_CHECKING:
    from digitlab.nn.network import Network

SMALLEST_PICTURE = 8  # pixels a side: a network of fewer inputs is not taken for one that sees pictures


def examples(data: Any, network: "Network", what: str, *, training: bool = False) -> tuple[Array, Array]:
    """(x, y) of a set in any container, ready for the network: x uint8 or the network's dtype, y labels or numbers.

    what       the set's name in messages: "training set"
    training   record the range of x in the network (`network.input_range`), and refuse whole numbers up to 255 that
               are not uint8 where the network sees pictures, unless it was made with a `scaling`

    Raises DataError or ShapeError, which say what was found, what was expected and how to correct it.
    """
    x, y = as_examples(data, what)
    if x.ndim < 2 and network.input_shape != (1,):
        raise ShapeError(
            f"{what}: got inputs of shape {x.shape} with targets of shape {y.shape}; "
            "expected one row of inputs per target"
        )
    return inputs(x, network, what, training=training), targets(y, network, what)


def inputs(x: Any, network: "Network", what: str = "input", *, training: bool = False) -> Array:
    """A batch (N, ...) from inputs in any container; a single example (without the batch axis) is a batch of one.

    The batch is a NumPy array, whatever library the network's weights are in (`placed_with` moves it there).
    Raises ShapeError for other shapes; DataError for NaN, for an empty set, and for numbers far outside the range
    that the network was trained on.
    """
    network.check_complete()
    if hasattr(x, "images") and hasattr(x, "labels"):  # Digits
        x = x.images
    x = as_array(x, what)
    if x.dtype.kind not in "buif":
        raise DataError(f"{what}: got inputs of type {x.dtype}; expected pixel bytes (uint8) or numbers")
    if x.ndim == 0:
        expected = ", ".join(map(str, ("N", *network.input_shape)))
        raise ShapeError(f"{what}: got a single number; expected inputs of shape ({expected})")
    if x.ndim == 1 and network.input_shape == (1,):
        x = x[:, None]  # (N, 1): values of a single feature
    batch = x.ndim > 1 and same_order(x.shape[1:], network.input_shape)
    if not batch and x.ndim and same_order(x.shape, network.input_shape):
        x = x[None]
    try:
        network.prepare(x[:1] if batch else x)  # of a wrong shape, the message names all of it
    except (ShapeError, DataError) as error:
        raise type(error)(f"{what}: {error}{_image_size(x, network)}") from None
    found = None
    if x.dtype == np.uint8 and network.scaling.factor != 1:
        found = _pixels(x, network, what, training)
    else:
        x, found = _numbers(x, network, what, training)
    if training:
        network.input_range = found.joined(network.input_range)
    return x


def _image_size(x: Any, network: "Network") -> str:
    """For a message on images that a network of flat inputs cannot take: how many inputs each of them needs."""
    size = math.prod(x.shape[1:])
    if x.ndim not in (3, 4) or len(network.input_shape) != 1 or size == network.input_shape[0]:
        return ""
    return f"; images of {'×'.join(map(str, x.shape[1:]))} need a network with {size} inputs"


def _pixels(x: Any, network: "Network", what: str, training: bool) -> InputRange:
    """The range of pixel bytes, checked against the network's."""
    if training and not network.scaling_is_explicit and 0 < (largest := int(x.max())) <= LARGEST_NUMBER:
        raise DataError(
            f"{what}: got uint8 inputs no larger than {largest}; uint8 means pixels from 0 to 255. "
            "Cast numbers with x.astype('float32'); multiply black-and-white pixels by 255"
        )
    low, high = network.scaling.ends
    known = network.input_range
    if known is not None and not known.pixels and not (0.5 * high <= known.high <= 2 * high and known.low > -high):
        raise DataError(
            f"{what}: got pixel bytes (uint8), which this network scales to {low:g} to {high:g}; it was trained on "
            f"numbers from {known.low:g} to {known.high:g}. Pass x.astype('float32'), scaled as in training"
        )
    return InputRange(low, high, pixels=True)


def _numbers(x: Any, network: "Network", what: str, training: bool) -> tuple[Any, InputRange]:
    """Numbers in the network's dtype and their range, checked against the network's."""
    with np.errstate(over="ignore"):
        cast = x.astype(network.dtype, copy=False)
    low, high = float(cast.min()), float(cast.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        row = int(np.argwhere(~np.isfinite(cast.reshape(len(cast), -1)).all(axis=1))[0, 0])
        raise DataError(f"{what}: input {row} is NaN or infinite; expected finite numbers. Leave it out or correct it")
    known, plain = network.input_range, network.scaling.factor == 1
    like_bytes = LARGEST_NUMBER < high <= 255 and sees_pictures(network) and looks_like_bytes(x)
    if like_bytes and network.scaling_is_explicit and not plain:
        return x.astype(np.uint8), InputRange(*network.scaling.ends, pixels=True)  # as the user's `scaling` says
    if like_bytes and known is None and not plain:
        other = ", or make the network with scaling='none' to take them as they are" if training else ""
        require_no_bytes(x, what, other)
    if known is not None:
        _require_near(low, high, known, network, what, fractions=not like_bytes)
    return cast, InputRange(low, high)


def _require_near(
    low: float, high: float, known: InputRange, network: "Network", what: str, *, fractions: bool
) -> None:
    """Raise DataError for numbers far outside the range of the training, or, for bytes as numbers, far inside it."""
    pictures = sees_pictures(network)
    width = known.high - known.low or max(abs(known.high), 1.0)
    margin = width / 2 if pictures else width
    outside = low < known.low - margin or high > known.high + margin
    shrunk = pictures and fractions and known.high > LARGEST_NUMBER and 0 < high <= 1
    if outside or shrunk:
        trained = (
            f"pixel bytes, as {known.low:g} to {known.high:g}"
            if known.pixels
            else (f"numbers from {known.low:g} to {known.high:g}")
        )
        mend = "Pass pixels as uint8, or scale" if known.pixels else "Scale"
        raise DataError(
            f"{what}: got numbers from {low:g} to {high:g}; this network was trained on {trained}. "
            f"{mend} them as in training; network.input_range = None turns this check off"
        )


def sees_pictures(network: "Network") -> bool:
    """Whether the input has the shape of a picture: (H, W), (H, W, C), or as many numbers as a square one has."""
    shape = network.input_shape
    if len(shape) > 1:
        return min(shape[:2]) >= SMALLEST_PICTURE
    sides = [math.isqrt(shape[0] // channels) for channels in (1, 3) if shape[0] % channels == 0]
    return any(side >= SMALLEST_PICTURE and shape[0] in (side * side, 3 * side * side) for side in sides)


def targets(y: Any, network: "Network", what: str) -> Array:
    """Targets as training and evaluation take them: int64 labels (N,), or numbers of the network's outputs' shape.

    Whole numbers, in any dtype, as (N,), (N, 1) or text, are labels where the network has an output per class.
    A network with one output takes numbers (N,) or (N, 1), 0 and 1 among them. Rows (N, out) are taken as they are,
    one-hot rows too; rows of pixel bytes (uint8) are scaled as the inputs are.
    Raises DataError for labels without an output, targets that are not whole, NaN, and numbers that the loss's
    outputs cannot reach.
    """
    y = as_array(y, what)
    if y.dtype.kind in "US":
        y = _numbered(y, what)
    if y.dtype.kind not in "buif":
        raise DataError(f"{what}: got targets of type {y.dtype}; expected labels or numbers")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError(f"{what}: a target is NaN or infinite; expected finite numbers")
    outputs = network.shapes[-1]
    if math.prod(y.shape[1:]) == 1 and outputs != (1,):
        return _labels(y.reshape(-1), network, what)
    if not (same_order(y.shape[1:], outputs) if y.ndim > 1 else outputs == (1,)):
        raise DataError(f"{what}: got targets of shape {y.shape}; expected {_expected(network)}")
    numbers = y.reshape(len(y), *outputs).astype(network.dtype)  # (N, out)
    if y.dtype == np.uint8 and numbers.max() > 1:
        numbers = numbers * np.asarray(network.scaling.factor, network.dtype) + network.scaling.offset
        numbers = numbers.astype(network.dtype, copy=False)
    if (ends := network.loss.output_range) is not None:
        low, high = float(numbers.min()), float(numbers.max())
        if low < ends[0] - 1e-6 or high > ends[1] + 1e-6:
            raise DataError(
                f"{what}: got targets from {low:g} to {high:g}, which outputs of {network.loss!r} cannot reach: they "
                f"are between {ends[0]:g} and {ends[1]:g}. Rescale the targets, or use loss='mean-squared-error'"
            )
    return numbers


def _labels(y: Any, network: "Network", what: str) -> Array:
    """Whole numbers (N,) as int64 labels, one of the network's outputs each."""
    outputs = network.shapes[-1]
    if y.dtype.kind == "f" and (wrong := np.flatnonzero(y != np.rint(y))).size:
        raise DataError(
            f"{what}: target {wrong[0]} is {y[wrong[0]]:g}; expected {_expected(network)}. "
            "Targets that are numbers need a network with one output"
        )
    if len(outputs) != 1:
        raise DataError(f"{what}: got targets of shape {y.shape}; expected {_expected(network)}")
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= outputs[0]:
        counted = low == 1 and not (y == 0).any()
        hint = f". Are they counted from 1? Then pass y - 1{_classes(high, outputs[0])}" if counted else ""
        raise DataError(
            f"{what}: got labels from {low} to {high}; this network has {outputs[0]} outputs, "
            f"expected labels from 0 to {outputs[0] - 1}{hint}"
        )
    return y.astype(np.int64, copy=False)


def _classes(high: int, outputs: int) -> str:
    return f" to a network with {high} outputs" if high != outputs else ""


def _numbered(y: Any, what: str) -> Any:
    """Labels given as text: "7" is 7; names must be numbered by the user, who knows their order."""
    try:
        numbers = y.astype(np.float64)
    except ValueError:
        name = y.ravel()[0]
        raise DataError(
            f"{what}: got labels that are text, such as {str(name)!r}; expected numbers from 0. "
            "Number them: names, y = np.unique(y, return_inverse=True)"
        ) from None
    return numbers


def _expected(network: "Network") -> str:
    outputs = network.shapes[-1]
    numbers = f"numbers of shape (N, {', '.join(map(str, outputs))})"
    return f"whole-number labels (N,) or {numbers}" if len(outputs) == 1 and outputs[0] > 1 else numbers
