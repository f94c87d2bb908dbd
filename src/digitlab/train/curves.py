"""The curves of training histories as a figure: loss and accuracy over the epochs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from digitlab.figure import COLOURS, finish_axes, new_figure
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
    The legend names that best value; for several histories it is outside of the panels, an entry for each.
    The epochs are on a logarithmic axis where some histories are much longer than others.
    """
    single, many = len(histories) == 1, len(histories) > FEW
    losses = losses or {}
    accurate = any(f"{name}_accuracy" in row for h in histories.values() for row in h.rows for name in PART_DASHES)
    kinds = list(dict.fromkeys(losses.get(name, "") for name in histories)) or [""]
    panels = [("loss", kind) for kind in kinds] + ([("accuracy", "")] if accurate else [])
    width = (10.0 if accurate else 6.0) + 4.5 * (len(kinds) - 1)
    figure = new_figure(width, max(4.2, 0.18 * len(histories) + 1.0) if many else 4.2)
    figure.suptitle(title if len(histories) < 2 else f"{title}: training dotted, validation solid, test dashed")
    lengths = [len(history) for history in histories.values() if len(history)]
    uneven = bool(lengths) and max(lengths) >= UNEVEN * min(lengths)
    for place, (measure, kind) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), place)
        for colour, (name, history) in zip(_cycle(len(histories)), histories.items()):
            if measure == "loss" and losses.get(name, "") != kind:
                continue
            _curves_of(axes, name, history, measure, colour, single=single, dots=not many)
        several = f"{kind}: " if len(kinds) > 1 and kind else ""
        finish_axes(axes, "epoch", several + MEASURES[measure], legend=single)
        if uneven:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set_xlabel("epoch, logarithmic")
    if not single:  # one entry for each, beside the curves instead of over them
        lines = {str(line.get_label()): line for axes in figure.axes for line in axes.get_lines()}
        names = {name: name if many else name + _best_text(histories[name]) for name in histories if name in lines}
        where, columns = ("outside right center", 1) if many else ("outside lower center", 2)
        handles = [lines[name] for name in names]
        figure.legend(handles, names.values(), loc=where, ncols=columns, fontsize=7 if many else 8)
    return figure


def _curves_of(
    axes: Any, name: str, history: "History", measure: str, colour: Any, *, single: bool, dots: bool
) -> None:
    """One history's curves of a measure, a line for each set that has it."""
    for part, dash in PART_DASHES.items():
        column = f"{part}_{measure}"
        rows = [row for row in history if row.get(column) is not None]  # calls of Net.train measure different sets
        if not rows:
            continue
        epochs = [row["epoch"] for row in rows]
        values = [unit(column).scale * row[column] for row in rows]
        best = column == "valid_accuracy" and dots
        text = (part + (_best_text(history) if best else "")) if single else name
        axes.plot(epochs, values, dash, color=colour, label=text, marker="." if len(epochs) == 1 else None)
        if best:
            place = max(range(len(values)), key=values.__getitem__)
            axes.plot(epochs[place], values[place], "o", color=colour)


def _best_text(history: "History") -> str:
    """What a legend says of the best validation epoch: ", best 95.00 % in epoch 9"; "" without one."""
    if not any(row.get("valid_accuracy") is not None for row in history):
        return ""
    found = history.statistics("valid_accuracy")
    return f", best {unit('valid_accuracy').shown(found.best)} in epoch {found.best_epoch}"


def _cycle(n: int) -> list[Any]:
    """As many colours: those of every figure while they last, else as many steps of one scale."""
    if n <= len(COLOURS):
        return list(COLOURS[:n])
    import matplotlib

    return [matplotlib.colormaps["viridis"](0.95 * i / (n - 1)) for i in range(n)]
