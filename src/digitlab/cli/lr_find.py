"""`digitlab lr-find`: a learning rate by one short training in which it grows."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared import train_settings
from digitlab.cli.shared.json_output import json_option, report
from digitlab.cli.shared.options import from_file_option, picture_option, settings_options

# Settings of the test itself, and of what happens after an epoch, which it has not.
OF_THE_TEST = [
    "start",
    "learning_rate",
    "schedule",
    "epochs",
    "averaging",
    "augment",
    "early_stop",
    "keep",
    "monitor",
    "evaluate_train",
]


@click.command("lr-find")
@click.option(
    "--min-rate",
    "low",
    type=click.FloatRange(0, min_open=True),
    default=1e-4,
    show_default=True,
    help="Learning rate of the first step.",
)
@click.option(
    "--max-rate",
    "high",
    type=click.FloatRange(0, min_open=True),
    default=100.0,
    show_default=True,
    help="Learning rate of the last step.",
)
@click.option("--steps", type=click.IntRange(20), help="Number of steps. [default: one epoch, but 200 to 2,000]")
@settings_options(without=OF_THE_TEST)
@from_file_option
@picture_option("lr-find.png")
@json_option
def command(low: float, high: float, steps: int | None, out: Path, **chosen: Any) -> None:
    """Find a learning rate by a short training with growing rates.

    The options of `digitlab train` set the network, loss, optimizer and batches. The network is not saved.
    """
    from digitlab.cli.shared.console import say
    from digitlab.search import range_test
    from digitlab.search.figures import range_figure
    from digitlab.viz.figures import save_figure

    given = {name: value for name, value in chosen.items() if value is not None}
    config, splits = train_settings.settings(given, given.pop("from_file", None))
    test = range_test(config, splits.train, low=low, high=high, steps=steps)
    say(
        f"{len(test.rates):,} steps with batches of {config.batch_size}, rates from {test.rates[0]:.2g} "
        f"to {test.rates[-1]:.2g}; loss {test.smoothed[0]:.4f}, at best {test.smoothed.min():.4f}"
    )
    say(f"loss falls fastest at {test.steepest:.2g}, is smallest at {test.lowest:.2g}")
    say(f"suggested learning rate: {test.reason}")
    report(suggested=test.suggested, reason=test.reason, steepest=test.steepest, lowest=test.lowest, figure=out)
    report(rates=test.rates, losses=test.losses, smoothed=test.smoothed, settings=config.table())
    save_figure(range_figure(test), out)
    say(f"curve: {out}; with the same options: digitlab train --learning-rate {test.suggested:g}")
