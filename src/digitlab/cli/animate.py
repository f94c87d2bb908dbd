"""`digitlab animate RUN`: how a network changed over its training, as a moving picture."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.looking import SOURCE_HELP
from digitlab.cli.shared.options import OutputFile, data_options

WHAT = ("curve", "boundary", "weights", "filters", "imagined", "embedding")
MOST = 60  # frames, unless --frames says otherwise


@click.command("animate")
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.argument("what", required=False, type=click.Choice(WHAT))
@data_options(part="Set of images for the embedding. [default: test]", default="", source_help=SOURCE_HELP)
@click.option(
    "--out",
    type=OutputFile("an animation", ".gif", ".mp4"),
    help="File of the animation as .gif, or as .mp4 if ffmpeg is installed. [default: WHAT.gif in the run's folder]",
)
@click.option("--fps", type=click.FloatRange(0.1, 60), default=5, show_default=True, help="Frames per second.")
@click.option(
    "--frames",
    "most",
    type=click.IntRange(2),
    default=MOST,
    show_default=True,
    help="Maximum number of frames, more of them early.",
)
def command(
    run: Path | None, what: str | None, data: dict[str, Any], part: str | None, out: Path | None, fps: float, most: int
) -> None:
    """Draw how the network of a RUN changed from epoch to epoch.

    RUN is the folder of a run trained with --record. [default: the latest run in runs/] WHAT is one of: the fitted
    curve of a network with one input; the boundary between the classes of a network with two inputs; weights of the
    neurons in the first layer; filters of the first convolution; imagined digits; the embedding, which is the last
    hidden layer in two dimensions. [default: the first that fits the network]
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.looking import part_for
    from digitlab.cli.shared.progress import Bar
    from digitlab.run_folders import newest_run
    from digitlab.train.recorders import recorded_networks
    from digitlab.viz.animate import Epochs, animate, fitting
    from digitlab.viz.animation import require_animation

    if run is not None and what is None and str(run) in WHAT and not run.exists():
        run, what = None, str(run)
    run = run or newest_run(of_images=False)
    networks = recorded_networks(run, most)
    epochs = Epochs(networks)
    what = what or fitting(epochs)
    if what == "embedding":
        digits, _ = part_for(epochs.last, run / "network.safetensors", data, part)
        epochs = Epochs(networks, digits.images, digits.labels, digits.class_names)
    elif data or part:
        raise click.UsageError(f"{what} needs no images; leave out the options that choose them")
    out = out or run / f"{what}.gif"
    require_animation(out)
    with Bar(what, len(networks), "frames") as bar:
        drawn = animate(epochs, what, fps=fps, progress=bar.advance)
    drawn.save(out)
    say(f"{what} after epochs {min(networks)} to {max(networks)}, {len(drawn.frames)} frames")
    say(f"animation: {out}")
