"""Is this gradient right? Backpropagation against differences, number by number."""

from dataclasses import dataclass, replace

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import Array, array_namespace, placed_with, to_numpy
from digitlab.errors import ConfigError, ShapeError
from digitlab.gradients.base import Backpropagation, Gradient
from digitlab.gradients.differences import CentralDifferences, ComplexStep, _OneAtATime, moved
from digitlab.gradients.loss_at import LossAt, Vector
from digitlab.nn.examples import examples
from digitlab.nn.network import Network, Shape
from digitlab.notebook_html import notebook_html

__all__ = ["GradientReport", "ReportRow", "check_gradients"]


@dataclass(frozen=True)
class ReportRow:
    """The worst element of one parameter, or of the input: its place, the value by each method, and the error."""

    name: str
    shape: Shape
    checked: int  # how many elements were compared
    kinks: int  # how many of them are on a kink, where there is no one derivative (see `check_gradients`)
    worst: tuple[int, ...]  # the index of the element with the largest error
    backprop: float
    other: float
    error: float
    passed: bool


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradients` found: a row for each parameter and one for the input. `print(report)` shows a table.

    It is true if all agree, so that you can write `assert check_gradients(...)`.
    """

    way: Gradient
    tolerance: float
    loss: float
    rows: list[ReportRow]
    tested: Gradient | None = None  # what was put to the test; None: backpropagation

    _repr_html_ = notebook_html

    def __repr__(self) -> str:
        wrong = [row.name for row in self.rows if not row.passed]
        verdict = f"wrong: {', '.join(wrong)}" if wrong else f"all {len(self.rows)} gradients agree"
        return f"GradientReport: {verdict} (tolerance {self.tolerance:.0e}, loss {self.loss:.6g})"

    @property
    def passed(self) -> bool:
        """Whether every element of every row is within the tolerance."""
        return all(row.passed for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        other = type(self.way).__name__
        tested = "backprop" if self.tested is None else type(self.tested).__name__
        table = [("parameter", "shape", "worst at", tested, other, "error", "")]
        for row in self.rows:
            shape, at = "×".join(map(str, row.shape)), ",".join(map(str, row.worst))
            values = (f"{row.backprop:+.6e}", f"{row.other:+.6e}", f"{row.error:.1e}")
            verdict = "ok" if row.passed else "WRONG"
            table.append((row.name, shape, f"[{at}]", *values, verdict + f", {row.kinks} on a kink" * bool(row.kinks)))
        widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
        lines = ["  ".join(f"{text:<{width}}" for text, width in zip(line, widths)).rstrip() for line in table]
        wrong = [row.name for row in self.rows if not row.passed]
        verdict = f"wrong: {', '.join(wrong)}" if wrong else "all gradients agree"
        return "\n".join([*lines, f"{verdict} (tolerance {self.tolerance:.0e}, loss {self.loss:.6g})"])


@checked
def check_gradients(
    network: Network,
    x: Array,
    targets: Array,
    *,
    method: Gradient | None = None,
    tested: Gradient | None = None,
    tolerance: float | None = None,
    samples: int | None = None,
    training: bool | None = None,
    rng: np.random.Generator | None = None,
    way: Gradient | None = None,
) -> GradientReport:
    """Backpropagation against another method, element by element, for every parameter and for the input x.

    method      the other method: ComplexStep() unless given, or CentralDifferences() where a layer is not analytic;
                ForwardDifferences() is the third; `way` is the former name of this argument
    tested      another rule than backpropagation to put to the test (RashidRule); the input is then left out
    tolerance   the largest error that passes; the method's own unless given: 10⁻⁹ for a complex step, 10⁻⁵ for central
                differences, 2·10⁻³ for forward ones
    samples     check this many elements of each parameter, drawn by `rng`, instead of all: for larger networks
    training    which pass is checked: True the one of training, with the same dropout masks in every evaluation and
                the batch's own statistics; False the one of prediction; None, the default: that of prediction, and
                where the outputs differ in training, that of training as well, in rows such as "0.W, training"

    The error of an element, with a by backpropagation and n by the other method, is |a − n| / max(|a|, |n|, floor).
    Relative to the element itself it would be unfair to the tiny ones, of which a difference of losses sees only
    round-off. So the floor is the largest of 1 % of that parameter's largest element, 10⁻⁴ of the largest element
    anywhere, and 10⁻⁴ |L|. A formula that is wrong misses by a part of 1; a right one stays under 10⁻⁷.

    Where the input of a ReLU is exactly 0, or two numbers of a pool are equal, the loss has a kink: one slope on each
    side, and backpropagation may give any number between them (a subgradient). An element that differs is therefore
    compared with the slopes on both sides: it counts as on a kink if these differ and it is between them, or a complex
    step agrees with it. Where a complex step disagrees and central differences agree to 10⁻⁶, a layer that takes no
    complex numbers is the cause, and the element passes.

    It runs on a float64 copy, so the network stays as it is, its gradients included.
    Raises GradientError where backpropagation or the other method does not support a layer; DataError or ShapeError for
    examples that do not fit the network, NaN among them.
    """
    method = method or way or exactest(network)
    if not isinstance(method, _OneAtATime):
        raise ConfigError(f"got {method!r}; expected ForwardDifferences, CentralDifferences or ComplexStep")
    tolerance = method.tolerance if tolerance is None else tolerance
    if samples is not None and rng is None:
        raise ConfigError("samples= draws elements at random; pass rng=numpy.random.default_rng(0) with it")
    (tested or Backpropagation()).require(network)
    method.require(network)
    twin, first = float64_copy(network), next(iter(network.state().values()), None)
    x, targets = (placed_with(first, some) for some in examples((x, targets), twin, "gradient check"))
    x = twin.prepare(x)
    modes = [training] if training is not None else [False, *[True] * differs_in_training(network, x)]
    parts = [_compared(network, x, targets, method, tested, tolerance, samples, mode, rng) for mode in modes]
    rows = [row for _, some in parts for row in some]
    if len(parts) > 1:
        rows[len(parts[0][1]) :] = [replace(row, name=f"{row.name}, training") for row in parts[1][1]]
    return GradientReport(method, tolerance, parts[0][0], rows, tested)


def _compared(
    network: Network,
    x: Array,
    targets: Array,
    way: "_OneAtATime",
    tested: Gradient | None,
    tolerance: float,
    samples: int | None,
    training: bool,
    rng: np.random.Generator | None,
) -> tuple[float, list[ReportRow]]:
    """The loss of one kind of pass, and a row for each parameter and the input."""
    twin = float64_copy(network)
    if tested is None:
        grad_x, value = backpropagated(twin, x, targets, training=training)
        arrays = {name: p.grad for name, p in twin.parameters().items()} | {"input": grad_x}
    else:
        value = float(tested.gradient(twin, x, targets, training=training, rng=rng))
        arrays = {name: p.grad for name, p in twin.parameters().items()}
    backprops = {name: to_numpy(array).ravel() for name, array in arrays.items()}
    overall = max(float(np.max(np.abs(a), initial=0.0)) for a in backprops.values())
    rows = []
    second = CentralDifferences() if isinstance(way, ComplexStep) else exactest(network)
    with (
        LossAt(float64_copy(network), x, targets, training=training, dtype=way.dtype, with_input=True) as loss,
        LossAt(float64_copy(network), x, targets, training=training, dtype=second.dtype, with_input=True) as again,
    ):
        here = loss(loss.start)
        for name in arrays:
            block = loss.blocks[name]
            places = picked(block, samples, rng)
            n = np.array([way.slope(loss, loss.start, int(i), here) for i in places])
            a = backprops[name][places - block.start]
            largest = float(np.max(np.abs(backprops[name]), initial=0.0))
            floor = max(1e-2 * largest, 1e-4 * overall, 1e-4 * abs(value))
            errors = relative_errors(a, n, floor)
            kinks: int = 0
            for j in np.flatnonzero(errors > tolerance):
                agrees = second_agrees(second, again, int(places[j]), float(a[j]), floor)
                kink = on_kink(loss, int(places[j]), float(a[j]), floor, agrees=agrees)
                kinks += int(kink)
                if kink or (agrees and isinstance(way, ComplexStep) and errors[j] > 1e-6):
                    errors[j] = 0.0
            k = int(np.argmax(errors))  # a NaN counts as the largest
            shape = tuple(arrays[name].shape)
            worst = tuple(int(j) for j in np.unravel_index(places[k] - block.start, shape))
            error = float(errors[k])
            figures = (float(a[k]), float(n[k]), error)
            rows.append(ReportRow(name, shape, len(places), kinks, worst, *figures, error <= tolerance))
    return value, rows


def differs_in_training(network: Network, x: Array) -> bool:
    """Whether these examples have other outputs in training. A batch that training refuses, as of one, has none."""
    try:
        outputs = [to_numpy(float64_copy(network).forward(x, training=mode)[0]) for mode in (False, True)]
    except ShapeError:
        return False
    return not np.array_equal(*outputs)


def exactest(network: Network) -> "_OneAtATime":
    """The method with the smallest error for this network: a complex step, or central differences.

    A complex step is exact and stays on the side of a kink that its real part is on, as backpropagation does. Central
    differences mix both sides: blank pixels put many ReLUs exactly on their kink.
    """
    return ComplexStep() if ComplexStep().unsupported_reason(network) is None else CentralDifferences()


def relative_errors(a: Vector, n: Vector, floor: float) -> Vector:
    """|a − n| / max(|a|, |n|, floor), elementwise; 0 where all of them are 0."""
    scale = np.maximum(np.maximum(np.abs(a), np.abs(n)), max(floor, np.finfo(np.float64).tiny))
    errors: Vector = np.abs(a - n) / scale
    return errors


def second_agrees(way: "_OneAtATime", loss: LossAt, i: int, slope: float, floor: float) -> bool:
    """Whether a second method gives `slope` for the i-th derivative, too."""
    other = way.slope(loss, loss.start, i, loss(loss.start))
    return float(relative_errors(np.array([slope]), np.array([other]), floor)[0]) <= min(way.tolerance, 1e-6)


def on_kink(loss: LossAt, i: int, slope: float, floor: float, *, agrees: bool = False) -> bool:
    """Whether the loss has two different slopes at its i-th number, and `slope` is between them or `agrees`.

    Several kinks at once, as of a pool over ReLUs, can give a derivative outside; a complex step gives the same.

    The step is far smaller than that of central differences, so a kink next to this place does not count;
    round-off is then 10⁻⁸ |L|, and the sides of a smooth loss agree to that.
    """
    step = 1e-8
    here = float(loss(loss.start).real)
    right = (float(loss(moved(loss.start, i, step)).real) - here) / step
    left = (here - float(loss(moved(loss.start, i, -step)).real)) / step
    margin = 1e-3 * max(abs(left), abs(right), floor)
    between = min(left, right) - margin <= slope <= max(left, right) + margin
    return abs(right - left) > 2 * margin and (between or agrees)


def picked(block: slice, samples: int | None, rng: np.random.Generator | None) -> Vector:
    """The places of a block that are to be checked: all, or `samples` of them without repetition."""
    places = np.arange(block.start, block.stop)
    if samples is None or rng is None or samples >= places.size:
        return places
    return np.sort(rng.choice(places, samples, replace=False))


def backpropagated(network: Network, x: Array, targets: Array, *, training: bool) -> tuple[Array, float]:
    """∂L/∂x and the loss; every parameter's grad is assigned on the way."""
    logits, caches = network.forward(x, training=training)
    loss, cache = network.loss.forward(logits, targets)
    return network.backward(network.loss.backward(cache), caches), float(loss)


def float64_copy(network: Network) -> Network:
    """An independent network with the same values in double precision."""
    twin = network.copy()
    twin.dtype = "float64"
    for _, layer in twin.named_layers():
        for p in layer.params.values():
            p.value = in_float64(p.value)
        layer.buffers.update({key: in_float64(buffer) for key, buffer in layer.buffers.items()})
    return twin


def in_float64(array: Array) -> Array:
    """The array in double precision, if it holds floating-point numbers at all."""
    xp = array_namespace(array)
    return xp.astype(array, xp.float64) if xp.isdtype(array.dtype, "real floating") else array
