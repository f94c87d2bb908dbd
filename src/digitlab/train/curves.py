"""The curves of training histories as a figure: loss and accuracy over the epochs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from digitlab.figure import COLOURS, finish_axes, new_figure, write_below
from digitlab.train.columns import MEASURES, unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from digitlab.train.history import History

PART_DASHES = {"train": ":", "valid": "-", "test": "--"}
UNEVEN = 8  # times longer than the shortest history, at which the epochs are on a logarithmic axis
FEW = 4  # histories whose best values can be told apart; above that, names stand beside the curves


def curves_figure(
    histories: "Mapping[str, History]", *, title: str = "Training", losses: Mapping[str, str] | None = None
) -> "Figure":
    """Loss and accuracy over epochs, one colour per history, one line style per set.

    Left: mean loss per example (for a single run all sets, for several the training loss dotted and validation solid),
    with a panel for each kind of loss in `losses` (history name → kind), since their scales differ. Right, where the
    networks classify: accuracy in per cent, with a dot at each history's best validation epoch, unless there are many.
    The epochs are on a logarithmic axis where some histories are much longer than others.
    """
    many = len(histories) > FEW
    losses = losses or {}
    accurate = any(f"{name}_accuracy" in row for h in histories.values() for row in h.rows for name in PART_DASHES)
    kinds = list(dict.fromkeys(losses.get(name, "") for name in histories)) or [""]
    panels = [("loss", kind) for kind in kinds] + ([("accuracy", "")] if accurate else [])
    width = (10.0 if accurate else 6.0) + 4.5 * (len(kinds) - 1)
    figure = new_figure(width, max(4.2, 0.18 * len(histories) + 1.0) if many else 4.2)
    figure.suptitle(f"{title}: training dotted, validation solid, test dashed" if many else title)
    lengths = [len(history) for history in histories.values() if len(history)]
    uneven = bool(lengths) and max(lengths) >= UNEVEN * min(lengths)
    for place, (measure, kind) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), place)
        for colour, (name, history) in zip(_cycle(len(histories)), histories.items()):
            if measure == "loss" and losses.get(name, "") != kind:
                continue
            _curves_of(axes, name, history, measure, colour, single=len(histories) == 1, many=many)
        several = f"{kind}: " if len(kinds) > 1 and kind else ""
        finish_axes(axes, "epoch", several + MEASURES[measure], legend=not many)
        if uneven:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set_xlabel("epoch, logarithmic")
    if many:  # one entry for each, beside the curves instead of over them
        lines = {str(line.get_label()): line for axes in figure.axes for line in axes.get_lines()}
        figure.legend(lines.values(), lines.keys(), loc="outside right upper", fontsize=7)
    return figure


def _curves_of(
    axes: Any, name: str, history: "History", measure: str, colour: Any, *, single: bool, many: bool
) -> None:
    """One history's curves of a measure, a line for each set that has it."""
    for part, dash in PART_DASHES.items():
        column = f"{part}_{measure}"
        rows = [row for row in history if row.get(column) is not None]  # calls of Net.train measure different sets
        if not rows:
            continue
        epochs = [row["epoch"] for row in rows]
        values = [unit(column).scale * row[column] for row in rows]
        text = part if single else name if many else f"{name}: {part}"
        axes.plot(epochs, values, dash, color=colour, label=text, marker="." if len(epochs) == 1 else None)
        if measure == "accuracy" and part == "valid" and not many:
            best = max(range(len(values)), key=values.__getitem__)
            axes.plot(epochs[best], values[best], "o", color=colour)
            write_below(axes, (epochs[best], values[best]), f"{values[best]:.2f}", color=colour)


def _cycle(n: int) -> list[Any]:
    """As many colours: those of every figure while they last, else as many steps of one scale."""
    if n <= len(COLOURS):
        return list(COLOURS[:n])
    import matplotlib

    return [matplotlib.colormaps["viridis"](0.95 * i / (n - 1)) for i in range(n)]
