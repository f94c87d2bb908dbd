"""`digitlab gradcheck NET`: is backpropagation right for this network?"""

from typing import Any

import click

from digitlab.cli.shared.looking import PART_HELP, SOURCE_HELP, digits_for, examples_for
from digitlab.cli.shared.options import Spec, data_options, seed_option


@click.command("gradcheck")
@click.argument("net", required=False)
@data_options(part=PART_HELP.replace("test;", "train;"), default="", source_help=SOURCE_HELP)
@click.option(
    "--batch-size", type=click.IntRange(1), default=5, show_default=True, help="Number of images in the batch."
)
@click.option(
    "--samples",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Number of random elements to check of each parameter.",
)
@click.option(
    "--method",
    "way",
    type=Spec("gradient"),
    help="Gradient method to compare with, such as central-differences. [default: complex-step where possible]",
)
@seed_option("Seed of the random elements.")
def command(
    net: str | None, data: dict[str, Any], part: str | None, batch_size: int, samples: int, way: Any, seed: int
) -> int:
    """Check a network's gradients against another gradient method.

    The default method is the complex step, which is exact. --method central-differences needs no complex numbers, but
    is inaccurate where a ReLU or a pooling window is about to switch.
    Layers that compute something else in training, such as Dropout and BatchNorm, are checked in both modes.

    NET is a network file, a run folder, layer sizes such as 784-30-10, or a name such as lenet5 (with new weights).
    [default: the latest run in runs/, or else the shipped network] The exit code is 1 if a gradient is wrong.
    """
    import numpy as np

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.networks import network_for, saved_file
    from digitlab.cli.shared.progress import counted
    from digitlab.gradients import Gradient, check_gradients
    from digitlab.nn.describe import build

    file, rng = saved_file(net), np.random.default_rng(seed)
    fresh, (digits, _) = file is None, digits_for(file, data, part, "train")
    name, network = network_for(net, digits)
    x, y = examples_for(network, digits, batch_size, rng, insist="source" in data)
    # Some fresh networks start with weights of 0 above, through which no gradient comes: nothing would be checked.
    if fresh:
        for p in network.parameters().values():
            p.value = p.value + rng.normal(0, 0.05, p.value.shape).astype(p.value.dtype)
    chosen = build(Gradient, way) if way is not None else None
    say(f"{name}: {len(x)} images, float64, up to {samples} elements of each parameter")
    with counted("checking", None):  # a convolution takes seconds
        report = check_gradients(network, x, y, method=chosen, samples=samples, rng=rng)
    say(str(report))
    return 0 if report.passed else 1
