"""`digitlab expand`: a larger training set by fixed changes, as in the books, written to files."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.options import data_options, seed_option


@click.command("expand")
@data_options()
@click.option(
    "--split",
    type=click.Choice(["50k/10k/10k", "60k/10k"]),
    default="50k/10k/10k",
    show_default=True,
    help="Split of MNIST; 60k/10k expands all published training images.",
)
@click.option("--train-size", type=click.IntRange(1), help="Number of training images to expand, from the first.")
@click.option(
    "--variants",
    "by",
    type=click.Choice(["shifts", "rotations"]),
    default="shifts",
    show_default=True,
    help="Variants to add: four shifts of each image (Nielsen), or two rotations (Rashid).",
)
@click.option("--pixels", type=click.IntRange(1), help="Distance of a shift in pixels. [default: 1]")
@click.option(
    "--degrees", type=click.FloatRange(0, 180, min_open=True), help="Angle of a rotation in degrees. [default: 10]"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for IDX files, or a file with the suffix .npz.",
)
@click.option("--raw", is_flag=True, help="Write uncompressed files: faster, and four to ten times larger.")
@click.option("--in-order", is_flag=True, help="Keep the order of the images instead of shuffling them once.")
@seed_option("Seed of the shuffling.")
@click.option("--overwrite", is_flag=True, help="Replace an existing expanded set.")
def command(
    data: dict[str, Any],
    split: str,
    train_size: int | None,
    by: str,
    pixels: int | None,
    degrees: float | None,
    out: Path,
    raw: bool,
    in_order: bool,
    seed: int,
    overwrite: bool,
) -> None:
    """Write an expanded training set: 50,000 images become 250,000 with four one-pixel shifts of each.

    Validation and test images are copied unchanged. Train with `digitlab train --data OUT`.
    """
    import numpy as np

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.progress import counted
    from digitlab.cli.shared.sets import load_sets
    from digitlab.data.augment import rotations, shifts, write_expanded
    from digitlab.data.formats.shared.replacing import finish
    from digitlab.errors import ConfigError, quoted
    from digitlab.nn.zoo import recommended_net

    if by == "shifts" and degrees is not None:
        raise click.UsageError("--degrees needs --variants rotations")
    if by == "rotations" and pixels is not None:
        raise click.UsageError("--pixels needs --variants shifts")
    pixels, degrees = pixels or 1, degrees or 10.0
    if out.suffix not in ("", ".npz"):
        raise ConfigError(f"--out: got {out}, expected a folder (IDX files) or a file name that ends in .npz")
    finish(out)
    if not overwrite and (out.is_file() or (out.is_dir() and any(out.glob("train-labels-*")))):
        raise ConfigError(f"{out}: already exists; choose another name, or replace it by --overwrite")
    splits = load_sets({**data, "split": split} | ({"train_size": train_size} if train_size else {}))
    if by == "shifts" and pixels >= min(splits.train.image_shape[:2]):
        raise ConfigError(f"--pixels: got {pixels} for images of {splits.train.image_shape}; nothing would be left")
    variants = shifts(pixels) if by == "shifts" else rotations(degrees)
    total = len(splits.train) * len(variants)
    how = f"shifted by {pixels} pixel{'s'[: pixels > 1]}" if by == "shifts" else f"turned by {degrees:g}° both ways"
    say(f"{len(splits.train):,} images of {splits.train.name}, each also {how}: {total:,}")
    with counted("writing images", total) as advance:
        rng = None if in_order else np.random.default_rng(seed)
        files = write_expanded(out, splits, variants, rng, compress=not raw, advance=advance)
    for file in files:
        say(f"{file}  {file.stat().st_size:,} bytes")
    # Cut from an expanded set, validation images would have their own variants in training.
    net = recommended_net(splits.train.image_shape)
    options = (f" --net {net}" if net else "") + (" --split 60k/10k" if splits.valid is None else "")
    say(f"train on them with: digitlab train --data {quoted(out)}{options}")
