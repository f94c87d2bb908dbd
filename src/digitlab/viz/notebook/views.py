"""What a notebook shows of each class, found by the class's name or that of a class it is made from."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.figure import COLOURS
from digitlab.nn.combine import Combine
from digitlab.nn.io.summary import count, count_text, described_rows, frozen, shape_text
from digitlab.nn.network import Network, Parameter
from digitlab.train.columns import MEASURES, heading, unit
from digitlab.train.history import History
from digitlab.viz.explain import Walk, shorten
from digitlab.viz.explain import shape_text as array_shape
from digitlab.viz.failures import Failures
from digitlab.viz.figures import Array
from digitlab.viz.imagine import Imagined
from digitlab.viz.inversions import reading
from digitlab.viz.notebook.drawing import network_drawing
from digitlab.viz.notebook.parts import PARTS, Curve, bar, bars, card, curves, note, part, table, tiles
from digitlab.viz.pages import as_bytes, data_uri, signed_pixels

if TYPE_CHECKING:
    from digitlab.data.dataset import Digits, Example
    from digitlab.functions.fitting import Fit
    from digitlab.gradients.check import GradientReport
    from digitlab.lab.net import Net
    from digitlab.parallel.results import GroupResult
    from digitlab.predictions import Predictions
    from digitlab.search.rate_range import RangeTest
    from digitlab.search.study import Study, Trial
    from digitlab.viz.animation import Animation

FEW, MANY = 10, 24  # rows of a table, tiles of a grid, at most
View = TypeVar("View", bound=Callable[..., str])
VIEWS: dict[str, Callable[..., str]] = {}


def html(shown: object) -> str | None:
    """The fragment for an object; None if its class has no view here."""
    names = [cls.__name__ for cls in type(shown).__mro__ if cls.__module__.startswith("digitlab.")]
    view = next((VIEWS[name] for name in names if name in VIEWS), None)
    return None if view is None else view(shown)


def shows(name: str) -> Callable[[View], View]:
    """Register a function as the view of a class."""

    def register(view: View) -> View:
        VIEWS[name] = view
        return view

    return register


@shows("Digits")
def digits(shown: "Digits") -> str:
    """The first images with their labels, and how many images each class has."""
    few = shown.first(min(MANY, len(shown)))
    names = [shown.class_names[label] for label in few.labels]
    counts = ", ".join(f"{name}: {n:,}" for name, n in zip(shown.class_names, shown.counts().tolist()))
    more = f"the first {len(few)} of {len(shown):,}; " if len(few) < len(shown) else ""
    return card(repr(shown), tiles(few.images, names, side=42), note(f"{more}images per class: {counts}"))


@shows("Example")
def example(shown: "Example") -> str:
    """One image, enlarged, with its label."""
    return card(repr(shown), tiles([shown.image], [f"label {shown.label}"], side=112))


@shows("Network")
def network(shown: Network, *more: str, title: str = "") -> str:
    """A drawing, and a table of layers with shapes and parameters."""
    rows = [("", "input", shape_text(shown.input_shape), "")]
    for i, layer in enumerate(shown.layers):
        first, *inner = described_rows(str(i), layer)
        rows.append((str(i), first[1], shape_text(shown.shapes[i + 1]), count_text(layer)))
        rows += [(name, text, "", count_text(child)) for name, text, child in inner]
    total, still = sum(map(count, shown.layers)), sum(map(frozen, shown.layers))
    rows.append(("", f"loss: {shown.loss!r}", "", f"{total:,}"))
    members = next((len(layer.sizes) for layer in shown.layers if isinstance(layer, Combine)), 0)
    kind = f"Ensemble of {members} networks" if members else "Network"
    text = f"{title or kind}: {total:,} parameters" + (f", {still:,} of them frozen" if still else "")
    listed = table(["", "layer", "output", "parameters"], rows, numbers=[3])
    return card(text, *([network_drawing(shown)] if shown.layers else []), listed, *more)


@shows("Net")
def net(shown: "Net") -> str:
    """The network, and the curves of its training."""
    more = [history_curves(shown.history)] if len(shown.history) else []
    return network(shown.network, *more, title=repr(shown) if shown.sizes else "Net")


@shows("Parameter")
def parameter(shown: Parameter) -> str:
    """How the values are distributed, as a histogram."""
    values = np.asarray(to_numpy(shown.value), np.float64).ravel()
    numbers, edges = np.histogram(values, bins=min(40, max(values.size // 4, 4)))
    steps = np.repeat(edges, 2)[1:-1].tolist(), np.repeat(numbers, 2).tolist()
    line: Curve = ("values", COLOURS[0], "", *steps)
    return card(repr(shown), curves({"how many parameters have which value": [line]}, label="histogram"))


def history_curves(shown: History) -> str:
    """Loss and accuracy over the epochs: training dotted, validation solid, test dashed."""
    panels: dict[str, list[Curve]] = {}
    for measure, name in MEASURES.items():
        for name_of_set, (colour, dash) in PARTS.items():
            column = f"{name_of_set}_{measure}"
            rows = [row for row in shown if row.get(column) is not None]
            values = [unit(column).scale * row[column] for row in rows]
            if rows:
                line = (name_of_set, colour, dash, [row["epoch"] for row in rows], values)
                panels.setdefault(f"{name} over the epochs", []).append(line)
    return curves(panels, label="curves of the training")


@shows("History")
def history(shown: History) -> str:
    """Curves over the epochs."""
    return card(repr(shown), *([history_curves(shown)] if len(shown) else []))


@shows("Imagined")
def imagined(shown: Imagined) -> str:
    """The picture: red and blue where it has numbers below 0, which are evidence against the digit, else dark ink."""
    picture = signed_pixels(shown.picture) if shown.picture.min() < 0 else as_bytes(shown.picture)
    return card(f"Imagined {shown.digit}", tiles([picture], [reading(shown)], side=140))


@shows("Predictions")
def predictions(shown: "Predictions") -> str:
    """Of one image the probability of every class as bars; of several the most probable class as one, and the next."""
    if shown.probabilities is None:
        return card(repr(shown), table(["image", "output"], list(zip(shown.image_names[:FEW], shown.classes))))
    if len(shown) == 1:
        return card(repr(shown), bars(dict(zip(shown.class_names, shown.probabilities[0].tolist()))))
    rows = [
        [
            name,
            best[0][0],
            f"{100 * best[0][1]:.1f} %",
            bar(best[0][1]),
            *(f"{c} ({100 * p:.1f} %)" for c, p in best[1:]),
        ]
        for name, best in zip(shown.image_names, shown.best(2)[:FEW])
    ]
    headings = ["image", "class", "confidence", "from 0 to 100 %", "then"][: len(rows[0]) if rows else 5]
    return card(repr(shown), table(headings, rows, numbers=[2]), *_left_out(len(rows), len(shown), "images"))


@shows("Walk")
def walk(shown: Walk) -> str:
    """The outputs as bars, and each step's arrays, forward and then backward."""
    outputs = note("outputs: " + shorten(shown.outputs, most=12))

    def rows(steps: Sequence[Any], kind: str) -> list[list[str]]:
        found = []
        for step in steps:
            for i, (name, array) in enumerate(getattr(step, kind).items()):
                found.append([step.name if not i else "", name, array_shape(array), shorten(array, most=4)])
        return found

    forward = table(["forward", "array", "shape", "values"], rows(shown.steps, "forward"))
    backward = table(["backward", "array", "shape", "values"], rows(shown.steps[::-1], "backward"))
    return card(repr(shown), outputs, forward, backward)


@shows("Failures")
def failures(shown: Failures) -> str:
    """The most confident errors."""
    rows = list(zip(shown.positions, shown.labels, shown.guesses, (f"{100 * p:.1f} %" for p in shown.confidences)))
    listed = table(["image", "label", "predicted", "confidence"], rows[:FEW], numbers=[0, 3])
    return card(repr(shown), listed, *_left_out(len(rows[:FEW]), len(rows), "errors"))


@shows("GradientReport")
def gradient_report(shown: "GradientReport") -> str:
    """A row for each parameter: the element with the largest error, by both methods."""
    tested = "Backpropagation" if shown.tested is None else type(shown.tested).__name__
    rows = [
        [
            row.name,
            "×".join(map(str, row.shape)),
            f"[{','.join(map(str, row.worst))}]",
            f"{row.backprop:+.6e}",
            f"{row.other:+.6e}",
            f"{row.error:.1e}",
            "✓" if row.passed else "✗ wrong",
        ]
        for row in shown.rows
    ]
    headings = ["parameter", "shape", "worst at", tested, type(shown.way).__name__, "error", ""]
    return card(repr(shown), table(headings, rows, numbers=[3, 4, 5]))


@shows("Trial")
def trial(shown: "Trial") -> str:
    """The point of a trial and its value."""
    rows = [[name, _setting(value)] for name, value in shown.point.items()]
    return card(f"Trial {shown.number}: {shown.monitor} {shown.shown()}", table(["setting", "value"], rows))


@shows("Study")
def study(shown: "Study") -> str:
    """The value of each finished trial, and the best ones."""
    done = [t for t in shown.trials() if t.value is not None and t.score is not None]
    if not done:
        return card(repr(shown))
    scale = unit(shown.monitor).scale
    line: Curve = ("trials", COLOURS[0], ".", [t.number for t in done], [scale * (t.value or 0.0) for t in done])
    best = sorted(done, key=lambda t: (-(t.score or 0.0), t.number))[:FEW]
    names = list(shown.plan.space)
    rows = [[t.number, t.shown(), *(_setting(t.point.get(name)) for name in names)] for t in best]
    listed = table(["trial", heading(shown.monitor), *names], rows, numbers=[0, 1])
    drawn = curves({f"{heading(shown.monitor)} of each trial": [line]}, label="values of the trials")
    return card(repr(shown), drawn, note(f"the best {len(best)} of {len(done)}:"), listed)


@shows("GroupResult")
def group_result(shown: "GroupResult") -> str:
    """The statistics of each setting."""
    if not shown.good:
        return card(repr(shown))
    monitor = shown.good[0].monitor
    show = unit(monitor)
    rows = []
    for label, same in shown.settings().items():
        if same.good:
            found = same.statistics(monitor)
            spread = [show.text(found.sd) if len(same) > 1 else "", show.text(found.minimum), show.text(found.maximum)]
            rows.append([label or "all", len(same), show.text(found.mean), *spread])
    listed = table(["setting", "networks", f"mean {heading(monitor)}", "sd", "least", "most"], rows, [1, 2, 3, 4, 5])
    return card(repr(shown), listed)


@shows("RangeTest")
def range_test(shown: "RangeTest") -> str:
    """The loss over the learning rate, logarithmic."""
    rates = shown.rates.tolist()
    raw: Curve = ("each step", "#8888", "", rates, _near(shown.losses, shown.smoothed).tolist())
    smooth: Curve = ("smoothed", COLOURS[0], "", rates, shown.smoothed.tolist())
    drawn = curves({"loss over the learning rate, logarithmic": [raw, smooth]}, label="range test", log_x=True)
    return card(repr(shown), drawn, note(shown.reason))


@shows("Fit")
def fit(shown: "Fit") -> str:
    """The function and the fitted curve."""
    grid = shown.grid.tolist()
    target: Curve = ("function", "#888", "6 3", grid, shown.target.tolist())
    last = shown.curves[max(shown.curves)]
    fitted: Curve = ("network", COLOURS[0], "", grid, last.tolist())
    return card(f"Fit: mean squared error {shown.error:.2e}", curves({"": [target, fitted]}, label="fitted curve"))


@shows("Animation")
def animation(shown: "Animation") -> str:
    """The moving picture itself."""
    height, width, _ = shown.frames[0].shape
    return card(repr(shown), part("animation", uri=data_uri(shown.gif(), "image/gif"), width=width, height=height))


def _near(losses: Array, smoothed: Array) -> Array:
    """Losses, cut where they would hide the smoothed ones."""
    return np.minimum(losses, 1.5 * float(smoothed.max()))


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _left_out(shown: int, total: int, what: str) -> list[str]:
    return [note(f"{total - shown:,} more {what}")] if total > shown else []
