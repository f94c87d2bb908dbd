"""`digitlab draw NET`: the network as neurons and the weights between them."""

from pathlib import Path

import click

from digitlab.cli.shared.options import picture_option


@click.command("draw")
@click.argument("net", required=False)
@click.option(
    "--max-neurons",
    type=click.IntRange(2, 200),
    default=16,
    show_default=True,
    help="Maximum number of neurons to draw per layer.",
)
@picture_option("network.png")
def command(net: str | None, max_neurons: int, out: Path) -> None:
    """Draw a network: its neurons and the weights between them.

    NET is a network file, a run folder, layer sizes such as 784-30-10, or a name such as lenet5 (with new weights).
    [default: the latest run in runs/, or else the shipped network] Positive weights are orange, negative ones blue;
    thick lines are large weights.
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.networks import network_for
    from digitlab.viz.drawing import network_figure
    from digitlab.viz.figures import save_figure

    name, network = network_for(net)
    name = Path(name).parent.name or name
    save_figure(network_figure(network, most=max_neurons, title=name), out)
    say(f"drawing: {out}")
