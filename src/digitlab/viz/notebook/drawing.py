"""A small drawing of a network as SVG: columns of neurons with the weights between them, maps as stacks."""

from typing import Any

import numpy as np
from markupsafe import Markup

from digitlab.arrays import to_numpy
from digitlab.figure import COLOURS
from digitlab.nn.io.summary import shape_text
from digitlab.nn.network import Dense, Network
from digitlab.viz.drawing import Stage, neuron_heights, stages
from digitlab.viz.notebook.parts import part

STEP, HEIGHT, TOP, BOTTOM = 92, 150, 10, 112  # pixels
NEURONS, SHEETS, WIDEST = 7, 4, 8  # drawn at most: of a layer, of a stack of maps, columns


def network_drawing(network: Network) -> Markup:
    """The network from left to right: positive weights orange, negative ones blue, large ones strong.

    Of a long network the first and last columns are drawn.
    """
    columns = stages(network, most=NEURONS)
    if len(columns) > WIDEST:
        columns = [*columns[: WIDEST // 2], *columns[-WIDEST // 2 :]]
    lines: list[dict[str, Any]] = []
    neurons, sheets, labels = [], [], []
    heights = [TOP + (1 - neuron_heights(len(stage.neurons))) * (BOTTOM - TOP) for stage in columns]
    for place, (stage, ys) in enumerate(zip(columns, heights)):
        x = STEP * (place + 0.5)
        neurons += [(x, round(float(y), 1)) for y in ys if stage.neurons]
        sheets += [] if stage.neurons else _sheets(x, stage, columns)
        labels.append((x, "input" if stage.maker is None else type(stage.maker).__name__, shape_text(stage.shape)))
        before = columns[place - 1]
        if place and isinstance(stage.maker, Dense) and before.neurons:
            W = to_numpy(stage.maker.connected(stage.maker.params["W"].value))[np.ix_(before.neurons, stage.neurons)]
            strength = np.abs(W) / (float(np.abs(W).max()) or 1.0)
            for (i, j), share in np.ndenumerate(strength):
                lines.append(
                    _line(
                        x - STEP + 4,
                        float(heights[place - 1][i]),
                        x - 4,
                        float(ys[j]),
                        float(share),
                        positive=W[i, j] > 0,
                    )
                )
        elif place:
            middle = (TOP + BOTTOM) / 2
            lines.append(_line(x - 0.62 * STEP, middle, x - 0.38 * STEP, middle, 0.6, colour="currentColor"))
    label = f"network with {len(columns)} columns: {', '.join(f'{name} {shape}' for _, name, shape in labels)}"
    drawn = {"lines": lines, "neurons": neurons, "sheets": sheets, "labels": labels}
    return part("network", **drawn, width=STEP * len(columns), height=HEIGHT, label=label)


def _line(
    x1: float, y1: float, x2: float, y2: float, share: float, *, positive: bool = True, colour: str = ""
) -> dict[str, Any]:
    places = {"x1": round(x1, 1), "y1": round(y1, 1), "x2": round(x2, 1), "y2": round(y2, 1)}
    strength = {"width": round(0.3 + 1.5 * share, 2), "alpha": round(0.15 + 0.8 * share, 2)}
    return {**places, **strength, "colour": colour or COLOURS[1 if positive else 0]}


def _sheets(x: float, stage: Stage, columns: list[Stage]) -> list[tuple[float, float, float, float]]:
    """The rectangles of a stack of maps, (left, top, width, height), the larger the maps the larger."""
    largest = max(column.shape[0] for column in columns if not column.neurons)
    side = 14 + 34 * stage.shape[0] / largest
    count = min(stage.shape[2] if len(stage.shape) == 3 else 1, SHEETS)
    middle = (TOP + BOTTOM) / 2
    shifts = [5 * (k - (count - 1) / 2) for k in range(count)]
    return [
        (round(x - side / 2 + s, 1), round(middle - side / 2 - s, 1), round(side, 1), round(side, 1)) for s in shifts
    ]
