"""`digitlab gradients NET`: every way of taking the gradient, what it costs and how near it comes."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.looking import PART_HELP, SOURCE_HELP, digits_for, examples_for
from digitlab.cli.shared.options import data_options, picture_option, seed_option


@click.command("gradients")
@click.argument("net", required=False)
@data_options(part=PART_HELP.replace("test;", "train;"), default="", source_help=SOURCE_HELP)
@click.option(
    "--batch-size", type=click.IntRange(1), default=10, show_default=True, help="Number of images in the batch."
)
@click.option(
    "--max-evaluations",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Maximum number of network evaluations of a method; others are left out.",
)
@seed_option("Seed of the random directions.")
@picture_option("gradients.png")
def command(
    net: str | None, data: dict[str, Any], part: str | None, batch_size: int, max_evaluations: int, seed: int, out: Path
) -> None:
    """Compare gradient methods: error, number of evaluations, time.

    NET is a network file, a run folder, layer sizes such as 784-30-10, or a name such as lenet5 (with new weights).
    [default: the latest run in runs/, or else the shipped network]
    """
    import numpy as np

    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.networks import network_for, saved_file
    from digitlab.gradients import Gradient, compare_gradients
    from digitlab.viz.figures import save_figure
    from digitlab.viz.gradients import gradients_figure

    (digits, _), rng = digits_for(saved_file(net), data, part, "train"), np.random.default_rng(seed)
    name, network = network_for(net, digits)
    x, y = examples_for(network, digits, batch_size, rng, insist="source" in data)
    ways = [cls() for cls in dict.fromkeys(Gradient.registry.values())]
    served = [
        way for way in ways if way.unsupported_reason(network) is None and way.evaluations(network) <= max_evaluations
    ]
    ahead = sum(way.evaluations(network) for way in served)
    say(f"{name}: one gradient on {len(x)} images, in float64; about {ahead:,} evaluations of the network ahead")
    rows = compare_gradients(network, x, y, served, rng)
    lines = [
        [repr(r.way), f"{r.evaluations:,}", f"{r.seconds:.4f}", f"{r.relative_error:.1e}", f"{r.cosine:.6f}"]
        for r in rows
    ]
    say(table(["method", "evaluations", "seconds", "relative error", "cosine"], lines))
    for way in ways:
        if refusal := way.unsupported_reason(network):
            say(f"{way!r} not supported: {refusal}")
        elif way not in served:
            say(f"{way!r} skipped: it needs {way.evaluations(network):,} evaluations (--max-evaluations)")
    if not rows:
        return
    save_figure(gradients_figure(rows, title=f"Gradient methods on {name}"), out)
    say(f"plot: {out}")
