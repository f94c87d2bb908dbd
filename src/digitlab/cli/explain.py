"""`digitlab explain NET --image 7`: one training step under the microscope."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.looking import PART_HELP, SOURCE_HELP
from digitlab.cli.shared.options import PageFile, data_options

if TYPE_CHECKING:
    from digitlab.nn import Network


@click.command("explain")
@click.argument("net", required=False)
@click.option(
    "--image",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Position of the image in its set, counted from 0.",
)
@data_options(part=PART_HELP, default="", source_help=SOURCE_HELP)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    metavar="η",
    help="Learning rate of the step. [default: that of the run if it trained by SGD, else the default for SGD]",
)
@click.option("--out", type=PageFile(), help="File of an HTML page that shows the arrays as pictures.")
def command(
    net: str | None, image: int, data: dict[str, Any], part: str | None, learning_rate: float | None, out: Path | None
) -> None:
    """Show one training step: the shape, values and formula of every array.

    NET is a network file, a run folder, layer sizes such as 784-30-10, or a name such as lenet5 (with new weights).
    [default: the latest run in runs/, or else the shipped network] The gradients are those of one training step. It
    ends with the parameters before and after the step; the network's file does not change.
    """
    import numpy as np

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.looking import check_classes, digits_for
    from digitlab.cli.shared.networks import network_for, saved_file
    from digitlab.data.grids import image_text
    from digitlab.errors import DataError
    from digitlab.files import write_text
    from digitlab.nn.examples import examples
    from digitlab.viz.explain import check_label, walk, walk_text
    from digitlab.viz.explain_page import explain_page
    from digitlab.viz.explain_step import step_text, take_step

    digits, set_name = digits_for(saved_file(net), data, part)
    name, network = network_for(net, digits)
    examples(digits, network, f"{set_name} set")
    check_classes(network, digits)
    if image >= len(digits):
        raise DataError(f"--image: got {image}, expected at most {len(digits) - 1}: there are {len(digits):,} images")
    pixels, label = digits[image]
    check_label(network, label)
    found = walk(network, pixels, np.int64(label))
    title = f"Image {image} of {digits.name}, a {digits.class_names[label]}, through {name}"
    say(title)
    say(image_text(pixels))
    say(walk_text(found, digits.class_names, label=label))
    step = take_step(network, pixels, np.int64(label), learning_rate or usual_rate(saved_file(net), network))
    say(f"\n{step_text(step)}")
    if out is not None:
        write_text(out, explain_page(found, digits.class_names, label=label, title=title, step=step))
        say(f"\npage: {out}")


def usual_rate(file: Path | None, network: "Network") -> float:
    """η of the run that the network belongs to, where that trained by plain gradient descent; else the default."""
    from digitlab.optim import SGD
    from digitlab.train import RunConfig
    from digitlab.train.default_rate import default_learning_rate

    if file is not None and (config := file.parent / "config.toml").is_file():
        optimizer = RunConfig.load(config, run=True).optimizer
        if type(optimizer) is SGD and optimizer.learning_rate is not None:
            return optimizer.learning_rate
    return default_learning_rate(SGD(), network)
