"""`digitlab test NET`: how well a saved network reads."""

from typing import Any

import click

from digitlab.cli.shared.looking import PART_HELP, SOURCE_HELP, how_many, part_for
from digitlab.cli.shared.options import data_options


@click.command("test")
@click.argument("net", required=False)
@data_options(part=PART_HELP, default="", source_help=SOURCE_HELP)
def command(net: str | None, data: dict[str, Any], part: str | None) -> None:
    """Print the accuracy of a saved network on test images.

    NET is a network file or a run folder. [default: the latest run in runs/, or else the shipped network]
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.networks import load_named
    from digitlab.train.evaluation import evaluate

    path, network = load_named(net)
    digits, name = part_for(network, path, data, part)
    loss, accuracy = evaluate(network, digits)
    say(f"{path} on {how_many(digits, name)} of {digits.name}")
    if accuracy is not None:
        wrong = round((1 - accuracy) * len(digits))
        say(f"{100 * accuracy:.2f} % correct, {wrong:,} wrong, loss {loss:.4f}")
    else:
        say(f"loss {loss:.6f}")
