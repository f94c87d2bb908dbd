"""Three methods that compute a picture of a digit from a network, compared."""

import textwrap
from collections.abc import Mapping, Sequence

from digitlab.arguments import checked
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.network import Network
from digitlab.viz.ascent import ascend
from digitlab.viz.figures import Figure, new_figure, show_signed, without_ticks
from digitlab.viz.imagine import Imagined, imagine, linear_back
from digitlab.viz.inverse_query import inverse_query

METHODS = {"linear": "linear inversion", "inverse": "inverse query", "ascent": "gradient ascent"}
Answers = dict[str, list[Imagined] | str]  # method → a picture per digit, or why it does not apply


@checked
def imagine_all(network: Network, digits: Sequence[int]) -> Answers:
    """Each method's picture of each digit, with the network's prediction, or a line why the method does not apply.

    linear     a one-hot output through the transposed weights (imagine.py)
    inverse    Rashid's backquery through the inverse of each activation (inverse_query.py)
    ascent     gradient ascent to the picture with the largest lead (ascent.py); works for every network
    """
    if not len(digits):
        raise ConfigError("imagine_all: got no digits, expected at least one")
    answers: Answers = {}
    for method, picture in (("linear", linear_back), ("inverse", inverse_query)):
        try:
            answers[method] = [imagine(network, digit, picture(network, digit)) for digit in digits]
        except ShapeError as error:
            answers[method] = str(error)
    climbed = ascend(network, digits)
    answers["ascent"] = [imagine(network, digit, climbed[i], stretch=False) for i, digit in enumerate(digits)]
    return answers


def imagined(network: Network, digit: int) -> Imagined:
    """The network's picture of a digit: by the linear inversion for a chain of dense layers, else by gradient ascent.

    Raises ConfigError for a digit without an output.
    """
    try:
        return imagine(network, digit)
    except ShapeError:
        return imagine(network, digit, ascend(network, [digit])[0], stretch=False)


@checked
def inversions_figure(answers: Mapping[str, list[Imagined] | str], *, title: str = "") -> Figure:
    """Heat maps, a column per digit and a row per method (a single digit has one row), with the predictions.

    The linear inversion is blue where a pixel is evidence against the digit and red where it is evidence for it; the
    others are pictures with dark ink.
    """
    served = {method: found for method, found in answers.items() if not isinstance(found, str)}
    refused = {method: why for method, why in answers.items() if isinstance(why, str)}
    if not served:
        raise ConfigError("inversions_figure: got no pictures, expected those of `imagine_all`")
    n = max(len(found) for found in served.values())
    rows, columns = (1, len(served)) if n == 1 else (len(served), n)
    wide, high = (3.1, 3.2) if n == 1 else (1.55, 2.15)
    width = max(wide * columns, 5.0)
    notes = [line for why in refused.values() for line in textwrap.wrap(why, int(15 * width))]
    figure = new_figure(width, high * rows + 0.2 + 0.2 * len(notes))
    for row, (method, found) in enumerate(served.items()):
        for column, seen in enumerate(found):
            axes = figure.add_subplot(rows, columns, (row + column if n == 1 else row * columns + column) + 1)
            heading = f"{METHODS[method]} to a {seen.digit}" if n == 1 else f"{seen.digit} by {method}"
            words = reading(seen) if n == 1 else reading(seen).replace(" (", "\n(")
            if method == "linear":
                image = show_signed(axes, seen.picture)
            else:
                image = axes.imshow(seen.picture, cmap="gray_r")
            without_ticks(axes, f"{heading}\n{words}", 9 if n == 1 else 7)
            if n == 1:
                figure.colorbar(image, ax=axes, shrink=0.7)
    figure.suptitle("\n".join(filter(None, [title, *notes])), fontsize=9)
    return figure


def reading(seen: Imagined) -> str:
    """The network's prediction for a picture in short: "read as 3, then 8 (+120 %)"."""
    return f"read as {seen.first}, then {seen.second} ({margin_text(seen.margin)})"


def margin_text(margin: float) -> str:
    """A margin in per cent; very large ones, as of softmax outputs, as "over +10,000 %"."""
    return "over +10,000 %" if margin > 1e4 else f"+{margin:,.0f} %"


imagine_ways, ways_figure = imagine_all, inversions_figure  # former names
