"""`digitlab augment`: a picture of what each augmentation does."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.options import AUGMENT, data_options, picture_option, seed_option

ALL = "shift,rotate,scale,shear,elastic,noise"

MOST = 600  # pictures in one figure: more take minutes to draw and are too small to see


@click.command("augment")
@click.option(
    "--augment",
    "spec",
    type=AUGMENT,
    default=ALL,
    show_default=True,
    help="Augmentation steps with their settings: shift:2,rotate:15,elastic:34:4.",
)
@data_options(part="Set of images to draw. [default: train; all of a source that is not divided into sets]")
@click.option("-n", "count", type=click.IntRange(1, 40), default=6, show_default=True, help="Number of images to draw.")
@click.option(
    "--draws",
    type=click.IntRange(1, 10),
    default=1,
    show_default=True,
    help="Number of augmented versions of each image.",
)
@seed_option("Seed of the random numbers.")
@picture_option("augment.png")
def command(spec: str, data: dict[str, Any], part: str | None, count: int, draws: int, seed: int, out: Path) -> None:
    """Draw images with each augmentation, and with all of them combined.

    `digitlab train --augment ...` applies these changes to the training images, at random in every epoch.
    """
    import numpy as np

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.sets import load_set
    from digitlab.data.augment import Augmentation, parse_augmentation
    from digitlab.viz.augment import augment_figure
    from digitlab.viz.figures import save_figure

    together = parse_augmentation(spec)
    pictures = count * (1 + draws * (len(together.steps) + (len(together.steps) > 1)))
    if pictures > MOST:
        raise click.UsageError(f"these are {pictures} pictures; the maximum is {MOST}: use a smaller -n or --draws")
    images = load_set(data, part, "train").digits.images[:count]
    steps: list[Augmentation] = [*together.steps, *([together] if len(together.steps) > 1 else [])]
    columns = {"as it is": images}
    for step in steps:
        rng = np.random.default_rng(seed)  # each column alike, whichever others there are
        for draw in range(draws):
            name = "all together" if step is together else step.spec.replace(":", " ")
            columns[f"{name} ({draw + 1})" if draws > 1 else name] = step.augment(images, rng)
    save_figure(augment_figure(columns, title=f"Augmentation: {together.spec}"), out)
    for step in together.steps:
        say(repr(step))
    say(f"picture: {out}")
