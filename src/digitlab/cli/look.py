"""`digitlab look NET`: a folder of pictures from inside a network."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.looking import PART_HELP, SOURCE_HELP
from digitlab.cli.shared.options import data_options, seed_option

KINDS = (
    "confusion",
    "accuracy",
    "calibration",
    "weights",
    "filters",
    "maps",
    "activations",
    "saliency",
    "neurons",
    "gradients",
    "embedding",
    "surface",
)


class Kinds(click.ParamType[Any]):
    """Names from KINDS separated by commas."""

    name = "what,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        chosen = [word.strip() for word in value.split(",")] if isinstance(value, str) else value
        if wrong := [word for word in chosen if word not in KINDS]:
            self.fail(f"{wrong[0]!r}: there are {', '.join(KINDS)}", param, ctx)
        return chosen


@click.command("look")
@click.argument("net", required=False)
@click.option("--what", type=Kinds(), help=f"Pictures to draw, separated by commas: {', '.join(KINDS)}.")
@data_options(part=PART_HELP, default="", source_help=SOURCE_HELP)
@click.option(
    "--image",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Position of the image that passes through the layers.",
)
@seed_option("Seed of t-SNE and of the directions of the loss surface.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the pictures. [default: look in the run's folder]"
)
@click.option("--svg", is_flag=True, help="Write SVG files instead of PNG.")
def command(
    net: str | None,
    what: list[str] | None,
    data: dict[str, Any],
    part: str | None,
    image: int,
    seed: int,
    out: Path | None,
    svg: bool,
) -> None:
    """Draw pictures of a network's inside into a folder, with a page index.html that shows them.

    NET is a network file or a run folder. [default: the latest run in runs/, or else the shipped network] Gradient
    norms over the epochs need a run trained with --record. Pictures that do not apply to the network, such as filters,
    are skipped with a message.
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.looking import how_many, part_for
    from digitlab.cli.shared.networks import beside, load_named
    from digitlab.cli.shared.progress import Bar
    from digitlab.errors import ConfigError, DataError, ShapeError
    from digitlab.files import atomic_folder
    from digitlab.train.evaluation import classifies
    from digitlab.train.history import History
    from digitlab.train.recorders import GRADIENTS
    from digitlab.viz.figures import save_figure
    from digitlab.viz.look import WHAT, Subject
    from digitlab.viz.pages import render

    path, network = load_named(net)
    if not classifies(network):
        raise ConfigError(f"{path}: gives outputs {network.shapes[-1]}, no classes; these pictures are of classes")
    digits, set_name = part_for(network, path, data, part)
    if image >= len(digits):
        raise DataError(f"--image: got {image}, expected at most {len(digits) - 1}: there are {len(digits):,} images")
    out, recorded = out or beside(path, "look"), path.parent / GRADIENTS
    subject = Subject(
        network,
        digits.images,
        digits.labels,
        digits.class_names,
        image,
        seed=seed,
        progress=lambda kind, done, total: bar.update(completed=kinds.index(kind) + done / total),
        gradient_rows=History.load(recorded).rows if recorded.is_file() else [],
    )
    say(f"{path} and {how_many(digits, set_name)} of {digits.name}")
    drawn, kinds = [], what or KINDS
    with atomic_folder(out) as folder:
        with Bar("drawing", len(kinds)) as bar:
            for number, kind in enumerate(kinds):
                bar.update(completed=number, now=kind)
                try:
                    for picture in WHAT[kind](subject):
                        file = f"{picture.name}.{'svg' if svg else 'png'}"
                        save_figure(picture.figure, folder / file)
                        drawn.append({"name": picture.name, "caption": picture.caption, "file": file})
                except ShapeError as error:
                    say(f"{kind}: left out: {error}")
        if not drawn:
            raise ConfigError("none of these pictures applies to this network; leave out --what to see all that do")
        title = f"Inside {path.parent.name or path.name}"
        text = render("look.html", title, local_pictures=True, summary=network.summary(), pictures=drawn)
        (folder / "index.html").write_text(text, encoding="utf-8")
    for found in drawn:
        say(f"{out / found['file']}: {found['caption']}")
    say(f"all of them: {out / 'index.html'}")
