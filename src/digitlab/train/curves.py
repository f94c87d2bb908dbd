"""The curves of training histories as a figure: loss and accuracy over the epochs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from digitlab.figure import COLOURS, finish_axes, new_figure, write_below
from digitlab.train.columns import MEASURES, unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from digitlab.train.history import History

PART_DASHES = {"train": ":", "valid": "-", "test": "--"}
FEW = 4  # histories whose best values can be told apart; above that, names stand beside the curves


def curves_figure(histories: "Mapping[str, History]", *, title: str = "Training") -> "Figure":
    """Loss and accuracy over epochs, one colour per history, one line style per set.

    Left: mean loss per example (for a single run all sets, for several the training loss dotted and validation whole).
    Right, where the networks classify: accuracy in per cent, with a dot at each history's best validation epoch, unless
    there are many.
    """
    many = len(histories) > FEW
    accurate = any(f"{name}_accuracy" in row for h in histories.values() for row in h.rows[:1] for name in PART_DASHES)
    figure = new_figure(10.0 if accurate else 6.0, max(4.2, 0.18 * len(histories) + 1.0) if many else 4.2)
    figure.suptitle(f"{title}: training dotted, validation solid, test dashed" if many else title)
    panels = [measure for measure in MEASURES if measure == "loss" or accurate]
    for place, measure in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), place)
        for colour, (name, history) in zip(_cycle(len(histories)), histories.items()):
            epochs = [row["epoch"] for row in history]
            for part, dash in PART_DASHES.items():
                column = f"{part}_{measure}"
                if not len(history) or column not in history[0]:
                    continue
                values = [unit(column).scale * value for value in history.column(column)]
                text = part if len(histories) == 1 else name if many else f"{name}: {part}"
                axes.plot(epochs, values, dash, color=colour, label=text, marker="." if len(epochs) == 1 else None)
                if many:
                    continue
                if measure == "accuracy" and part == "valid":
                    best = max(range(len(values)), key=values.__getitem__)
                    axes.plot(epochs[best], values[best], "o", color=colour)
                    write_below(axes, (epochs[best], values[best]), f"{values[best]:.2f}", color=colour)
        finish_axes(axes, "epoch", MEASURES[measure], legend=not many)
    if many:  # one entry for each, beside the curves instead of over them
        lines = {str(line.get_label()): line for axes in figure.axes for line in axes.get_lines()}
        figure.legend(lines.values(), lines.keys(), loc="outside right upper", fontsize=7)
    return figure


def _cycle(n: int) -> list[Any]:
    """As many colours: those of every figure while they last, else as many steps of one scale."""
    if n <= len(COLOURS):
        return list(COLOURS[:n])
    import matplotlib

    return [matplotlib.colormaps["viridis"](0.95 * i / (n - 1)) for i in range(n)]
