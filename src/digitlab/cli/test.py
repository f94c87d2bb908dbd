"""`digitlab test NET`: how well a saved network reads."""

import click

from digitlab.cli.looking import PARTS, SOURCE_HELP, part_for


@click.command("test")
@click.argument("net", required=False)
@click.option("--data", "source", help=SOURCE_HELP)
@click.option("--part", type=PARTS, default="test", show_default=True,
              help="Which of the three sets.")  # fmt: skip
def command(net: str | None, source: str | None, part: str) -> None:
    """Say how well a saved network reads the test images.

    NET is a .safetensors file or a run folder; without it, the newest run in runs/, else the one shipped.
    """
    from digitlab.cli.console import say
    from digitlab.cli.options import load_named
    from digitlab.train.evaluation import evaluate

    path, network = load_named(net)
    _, digits = part_for(network, path, source, part)
    loss, accuracy = evaluate(network, digits)
    say(f"{path} on {len(digits):,} {part} images of {digits.name}")
    if accuracy is not None:
        wrong = round((1 - accuracy) * len(digits))
        say(f"{100 * accuracy:.2f} % correct, {wrong:,} wrong, loss {loss:.4f}")
    else:
        say(f"loss {loss:.6f}")
