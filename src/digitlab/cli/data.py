"""`digitlab data list|show|fetch|make`: the images to learn from."""

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.options import Group, OutputFile, PictureFile, data_options, seed_option

if TYPE_CHECKING:
    from digitlab.data import Digits


@click.group("data", cls=Group)
def command() -> None:
    """List, show, download or make data sets."""


@command.command("list")
def list_() -> None:
    """List the data sets, and the places where digitlab looks for MNIST."""
    from digitlab.cli.shared.console import say
    from digitlab.data import mnist_status
    from digitlab.data.formats.shared.families import FAMILIES

    say("mnist    70,000 handwritten digits, 28×28 (LeCun, Cortes, Burges)")
    say("digits   1,797 handwritten digits, 8×8; they come with scikit-learn")
    say("PATH     a file or folder: a table (CSV, Parquet), IDX files, your own pictures,")
    say("         or arrays (.npz, .npy, .mat, a pickle)")
    families = f"FAMILY   or FAMILY:FOLDER, files in MNIST's form: {', '.join(FAMILIES)}"
    say(textwrap.fill(families, 80, subsequent_indent=" " * 9, break_on_hyphens=False))
    say(str(mnist_status()))


@command.command("show")
@data_options(part="Set of images to show. [default: train; all of a source that is not divided into sets]")
@click.option(
    "-n", "count", type=click.IntRange(1, 400), default=30, show_default=True, help="Number of images to show."
)
@click.option("--out", type=PictureFile(), help="File of the picture. [default: digits.png]")
def show(data: dict[str, Any], part: str | None, count: int, out: Path | None) -> None:
    """Save the first images as a picture; on a terminal, print the first one as text."""
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.sets import load_set
    from digitlab.viz.figures import save_figure

    digits = load_set(data, part, "train").digits
    say(repr(digits))
    counts = digits.counts()
    say("per class: " + "  ".join(f"{name} {n:,}" for name, n in zip(digits.class_names, counts)))
    if sys.stdout.isatty():
        say(digits.as_text(0))
    path = out or Path("digits.png")
    save_figure(digits.show(min(count, len(digits))), path)
    say(f"picture: {path}")


@command.command("fetch")
def fetch() -> None:
    """Download MNIST into the user's cache if it is not on this machine."""
    from digitlab.cli.shared.console import say
    from digitlab.data import fetch_mnist, find_mnist

    found = find_mnist()
    say(f"MNIST is here: {found if found is not None else fetch_mnist()}")


@command.command("make")
@click.argument("kind")
@data_options(source_help="Source of 28×28 images to start from: mnist, or the path of a file or folder.")
@click.option(
    "-n",
    "count",
    type=click.IntRange(1),
    help="Number of training images, of scenes, of pictures (own), or of pages per style (pages). "
    "[default: all; 20; 100; 1]",
)
@click.option("--style", help="Style of the pages, for the kind pages only. [default: all styles]")
@seed_option("Seed of the random numbers.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File for a data set, or folder for pictures. [default: KIND.npz, or KIND]",
)
def make(kind: str, data: dict[str, Any], count: int | None, style: str | None, seed: int, out: Path | None) -> None:
    """Make a data set or pictures of digits in colour, with backgrounds, or on pages.

    \b
    colour-mnist     colour digits, thin and thick, on four kinds of paper
    colour-plain, colour-gradient, colour-noise, colour-texture
                     colour digits on one kind of paper
    handwriting      grey digits, rotated, sheared, thinner and thicker pens
    mnist-rgb        the images unchanged, with three equal channels
    scenes           pictures of several digits in colour, with labels and
                     boxes in truth.json
    pages            pages of pen, print and MNIST digits in several styles,
                     with labels and boxes in truth.json
    own              pictures of handwritten digits, one folder per class
    photo            a page of handwritten digits on ruled paper, photo.png
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.sets import load_sets
    from digitlab.data import write_npz
    from digitlab.data.synthetic import APPEARANCES, make_appearance
    from digitlab.data.synthetic.sets import FORMER_KINDS
    from digitlab.errors import not_among, quoted

    name, kind = kind, FORMER_KINDS.get(kind, kind)  # files get the name that was typed
    if kind in ("scenes", "pages"):
        make_pictures(kind, data, count, style, seed, out or Path(name))
        return
    if kind in ("own", "photo"):
        if style is not None:
            raise click.UsageError("--style needs the kind pages")
        if click.get_current_context().get_parameter_source("source") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--data: {kind} is drawn and needs no data set; leave out --data")
        make_sample(kind, count, seed, out)
        return
    if kind not in APPEARANCES:
        known = [*APPEARANCES, "scenes", "pages", "own", "photo"]
        raise click.UsageError(f"got {not_among(kind, known)}")
    if style is not None:
        raise click.UsageError("--style needs the kind pages")
    path = out or Path(f"{name}.npz")
    OutputFile("a NumPy archive", ".npz").convert(path, None, None)
    splits = load_sets(data)
    _require_28(splits.train)
    train, test = make_appearance(kind, splits, n=count, seed=seed)
    write_npz(path, train, test)
    valid = len(train) // 6
    say(f"{path}: {len(train) - valid:,} images to train, {valid:,} to validate, {len(test):,} to test; seed {seed}")
    appearance = APPEARANCES[kind]
    say(f"made of {splits.train.name.removesuffix(' train')}: {appearance.about}")
    say(f"train on them with: digitlab train --data {quoted(path)} {appearance.training}")


def make_pictures(kind: str, data: dict[str, Any], count: int | None, style: str | None, seed: int, out: Path) -> None:
    """Pictures of several digits, made of test images, with their truth in JSON."""
    import numpy as np

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.sets import load_set
    from digitlab.data.synthetic import draw_scene
    from digitlab.data.synthetic.pages import STYLES, draw_page, write_pages
    from digitlab.errors import quoted

    digits = load_set(data, None).digits
    _require_28(digits)
    if kind == "scenes":
        if style is not None:
            raise click.UsageError("--style needs the kind pages")
        streams = np.random.default_rng(seed).spawn(count or 20)
        sheets = [draw_scene(digits, rng) for rng in streams]
    else:
        styles = [style] if style is not None else list(STYLES)
        streams = np.random.default_rng(seed).spawn((count or 1) * len(styles))
        sheets = [draw_page(styles[i % len(styles)], rng, digits=digits) for i, rng in enumerate(streams)]
    path = write_pages(out, sheets)
    say(f"{out}: {len(sheets)} pictures with {sum(len(s.truth) for s in sheets)} digits; labels and boxes: {path}")
    say(f"read them with: digitlab read {quoted(out)}/*.png --check {quoted(path)}")


def make_sample(kind: str, count: int | None, seed: int, out: Path | None) -> None:
    """A page of handwriting, or a folder of pictures: something to try other commands with."""
    from digitlab.cli.shared.console import say
    from digitlab.data.synthetic.samples import write_own, write_photo

    if kind == "photo":
        if count is not None:
            raise click.UsageError("-n: a photo is one page; leave out -n, or use the kind pages")
        path = OutputFile("a photo", ".png", ".jpg", ".jpeg", ".webp").convert(out or Path("photo.png"), None, None)
        text = write_photo(path, seed)
        say(f"{path}: a page with {text.count(chr(10)) + 1} lines of handwritten digits\n{text}")
        say(f"`digitlab read {path}` reads it")
        return
    folder = out or Path("own")
    write_own(folder, count or 100, seed)
    say(f"{folder}: {count or 100} pictures of handwritten digits, a folder for each class")
    say(f"`digitlab train --from shipped --data {folder}` trains on them")


def _require_28(digits: "Digits") -> None:
    """ConfigError unless the images are of MNIST's form."""
    from digitlab.errors import ConfigError

    if digits.image_shape != (28, 28):
        raise ConfigError(f"--data: got images of {digits.image_shape}, expected (28, 28), as MNIST's")
