"""`digitlab test NET`: how well a saved network reads, class by class, and what it confuses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.json_output import json_option, report
from digitlab.cli.shared.looking import PART_HELP, SOURCE_HELP, how_many, part_for
from digitlab.cli.shared.options import data_options

if TYPE_CHECKING:
    import numpy as np

CLASSES = 40  # that a table lists; of more, the worst ones
PAIRS = 5  # confusions that a table lists


@click.command("test")
@click.argument("net", required=False)
@data_options(part=PART_HELP, default="", source_help=SOURCE_HELP)
@json_option
def command(net: str | None, data: dict[str, Any], part: str | None) -> None:
    """Print the accuracy of a saved network on test images, for all classes and for each.

    NET is a network file or a run folder. [default: the latest run in runs/, or else the shipped network] Below the
    accuracy are each class's recall (the share of its images that are recognized) and precision (the share of the
    images given this class that belong to it), and the confusions that cause most errors.
    """
    import numpy as np

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.networks import load_named
    from digitlab.engine.select import make_predictor
    from digitlab.errors import quoted
    from digitlab.train.evaluation import as_labels, classifies, evaluate

    path, network = load_named(net)
    digits, name = part_for(network, path, data, part)
    logits_of, logits = make_predictor(network, logits=True, examples=len(digits)), []

    def kept(x: Any) -> Any:
        logits.append(logits_of(x))
        return logits[-1]

    loss, accuracy = evaluate(network, digits, logits_of=kept)
    say(f"{path} on {how_many(digits, name)} of {digits.name}")
    report(network=path, data=digits.name, images=len(digits), loss=loss, accuracy=accuracy)
    if accuracy is None:
        say(f"loss {loss:.6f}")
        return
    wrong = round((1 - accuracy) * len(digits))
    say(f"{100 * accuracy:.2f} % correct, {wrong:,} wrong, loss {loss:.4f}")
    if classifies(network) and wrong:
        guesses = np.concatenate(logits).argmax(axis=1)
        counts = confusion(as_labels(digits.labels), guesses, network.shapes[-1][0])
        report(wrong=wrong, classes=digits.class_names, confusion=counts)
        say_classes(counts, digits.class_names)
        say(f"see these images with: digitlab failures{f' {quoted(net)}' if net else ''}")


def confusion(labels: Any, guesses: Any, classes: int) -> "np.ndarray[Any, Any]":
    """How many images of each class (rows) got which class (columns), (classes, classes)."""
    import numpy as np

    return np.bincount(classes * np.asarray(labels) + guesses, minlength=classes**2).reshape(classes, classes)


def say_classes(counts: "np.ndarray[Any, Any]", names: Sequence[str]) -> None:
    """A table of the classes, one of the confusions that cost most, and a sentence on where most is to be gained."""
    import numpy as np

    from digitlab.cli.shared.console import say, table

    images, given, right = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    missed = images - right
    order = range(len(names)) if len(names) <= CLASSES else np.argsort(-missed, kind="stable")[:CLASSES].tolist()
    rows = [
        [names[i], f"{images[i]:,}", f"{missed[i]:,}", _share(right[i], images[i]), _share(right[i], given[i])]
        for i in order
    ]
    say("")
    say(table(["class", "images", "wrong", "recall (%)", "precision (%)"], rows))
    errors = counts - np.diag(right)
    total = errors.sum()
    pairs = [divmod(at, len(names)) for at in np.argsort(-errors, axis=None, kind="stable")[:PAIRS].tolist()]
    often = [(a, b) for a, b in pairs if errors[a, b]]
    rows = [[f"{names[a]} read as {names[b]}", str(errors[a, b]), _share(errors[a, b], total)] for a, b in often]
    say("")
    say(table(["most frequent confusions", "images", "of all errors (%)"], rows))
    say("")
    worst = min((i for i in range(len(names)) if images[i]), key=lambda i: right[i] / images[i])
    both = errors + errors.T
    a, b = sorted(divmod(int(both.argmax()), len(names)))
    say(
        f"lowest recall: {names[worst]}; {names[a]} and {names[b]} are confused most, "
        f"{_share(both[a, b], total)} % of all errors"
    )


def _share(part: Any, whole: Any) -> str:
    """In per cent; a dash where there is nothing to take a share of."""
    return f"{100 * part / whole:.2f}" if whole else "–"
