"""Targets as rows like the network's outputs, and the weights of examples in a loss."""

from digitlab.arrays import Array, array_namespace, like
from digitlab.errors import DataError, ShapeError


def target_rows(targets: Array, logits: Array, low: float, high: float, smoothing: float) -> Array:
    """Targets as an array like the logits (N, out): each label (N,) becomes a row of `low` with `high` at the label.

    With `smoothing` s a row t of a label becomes (1 − s) t + s/out. An array (N, out) is returned as it is.
    Raises DataError for a label without an output, ShapeError for another shape.
    """
    xp = array_namespace(logits)
    labels = targets.ndim == 1 and xp.isdtype(targets.dtype, "integral")
    if labels and targets.shape[0] == logits.shape[0] and logits.ndim == 2:
        classes = xp.arange(logits.shape[1], device=targets.device)
        hits = targets[:, None] == classes  # (N, out)
        if int(xp.count_nonzero(hits)) != logits.shape[0]:
            got, last = f"{xp.min(targets)} to {xp.max(targets)}", logits.shape[1] - 1
            raise DataError(f"got labels from {got}, expected 0 to {last}: one for each output")
        rows = xp.astype(hits, logits.dtype)  # (N, out)
        if (low, high) != (0.0, 1.0):
            rows = rows * (high - low) + low
        return rows * (1 - smoothing) + smoothing / logits.shape[1] if smoothing else rows
    if targets.shape != logits.shape:
        raise ShapeError(
            f"targets of shape {tuple(targets.shape)} for outputs of shape {tuple(logits.shape)}; "
            f"expected whole-number labels ({logits.shape[0]},) or an array of the outputs' shape"
        )
    return targets


def weighted(rows: Array, weights: Array | None) -> Array:
    """Each example's row times its weight; the rows themselves if there are no weights."""
    if weights is None:
        return rows
    return rows * array_namespace(rows).reshape(like(weights, rows), (-1, *[1] * (rows.ndim - 1)))


def given(weights: Array | None) -> dict[str, Array]:
    """The weights as an argument, if there are any: a loss or a gradient of your own may do without them."""
    return {} if weights is None else {"weights": weights}
