"""`digitlab fit FUNCTION`: a network learns a curve."""

import itertools
from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.options import SETTINGS, OutputFile, PictureFile, option_for, read_setting, settings_options

USUAL = {"net": "1-40-40-1", "activation": "tanh", "optimizer": "adam", "epochs": "200", "seed": "0"}
POINTS = 400
MOST, FPS = 100, 10.0  # curves of an animation at most, and how many of them a second


class FitCommand(click.Command):
    """Takes "-x^2" for a function, and still names an option that there is not."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {name for param in self.get_params(ctx) for name in param.opts}
        for word in itertools.takewhile(lambda word: word != "--", args):
            if word.startswith("--") and (name := word.partition("=")[0]) not in known:
                raise click.NoSuchOption(name, ctx=ctx)
        return super().parse_args(ctx, args)


@click.command("fit", cls=FitCommand, context_settings={"ignore_unknown_options": True})
@click.argument("function", default="sin(x) + x")
@click.option("--from", "low", type=float, default=-8.0, show_default=True, help="Lower end of the interval.")
@click.option("--to", "high", type=float, default=8.0, show_default=True, help="Upper end of the interval.")
@option_for(SETTINGS["net"], text=f"Layer sizes, with one input and one output. [default: {USUAL['net']}]")
@settings_options("activation", "optimizer", "epochs", "seed", usual=USUAL)
@click.option("--points", type=click.IntRange(2), help=f"Number of training points. [default: {POINTS}]")
@click.option(
    "--bumps", type=click.IntRange(1), help="Number of bumps to set by hand instead of training (Nielsen, chapter 4)."
)
@click.option(
    "--run", "named", type=click.Path(path_type=Path), help="Folder of the run. [default: runs/NUMBER-fit-NET]"
)
@click.option(
    "--out",
    type=PictureFile(),
    help="File of the picture; its suffix selects PNG, SVG or PDF. [default: fit.png in the run's folder; of --bumps "
    "in this folder]",
)
@click.option(
    "--animation",
    type=OutputFile("an animation", ".gif", ".mp4"),
    help="File for the curve's epochs as a moving picture, .gif, or .mp4 if ffmpeg is installed.",
)
def command(
    function: str,
    low: float,
    high: float,
    bumps: int | None,
    named: Path | None,
    out: Path | None,
    animation: Path | None,
    **chosen: Any,
) -> None:
    """Fit a network to a FUNCTION of x, such as "sin(x) + x", and plot the curve over the epochs.

    The network, its history and its curves are kept in a run's folder, for `digitlab runs`, `compare` and `animate`.
    """
    import numpy as np

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.endings import say_diagnosis
    from digitlab.errors import ConfigError
    from digitlab.functions import bumps_network, fit_function, parse_function
    from digitlab.functions.fitting import shown_epochs
    from digitlab.nn import mlp
    from digitlab.nn.describe import build
    from digitlab.nn.zoo import parse_sizes
    from digitlab.optim import Optimizer
    from digitlab.run_folders import run_folder
    from digitlab.viz.animate import curve_figures, drawn
    from digitlab.viz.animation import require_animation
    from digitlab.viz.figures import save_figure
    from digitlab.viz.functions import fit_figure

    if animation is not None:
        require_animation(animation)
    f = parse_function(function)
    if bumps is not None:
        if other := [
            name for name, value in {**chosen, "run": named, "animation": animation}.items() if value is not None
        ]:
            raise click.UsageError(f"--bumps does not train; leave out --{other[0]}")
        network = bumps_network(f, low, high, bumps)
        grid = np.linspace(low, high, 1000)
        curve = network.predict(grid[:, None]).ravel()
        error = float(np.mean((curve - f(grid)) ** 2))
        title = f"{function}: {bumps} bumps, {2 * bumps} neurons"
        figure = fit_figure(grid, f(grid), {"network set by hand": curve}, title=title)
        say(f"{title}: mean squared error {error:.2e}")
    else:
        net, activation, optimizer, epochs, seed = (
            read_setting(name, text) if chosen[name] is None else chosen[name] for name, text in USUAL.items()
        )
        points = chosen["points"] or POINTS
        sizes = parse_sizes(net)
        if sizes is None or sizes[0] != 1 or sizes[-1] != 1:
            raise ConfigError(f"--net: got {net!r}, expected sizes with one input and one output, as 1-40-40-1")
        network = mlp(sizes, activation=activation, loss="mean-squared-error", seed=seed)
        with run_folder(named, f"fit-{net}") as folder:
            fit = fit_function(
                network,
                f,
                low,
                high,
                optimizer=build(Optimizer, optimizer),
                epochs=epochs,
                points=points,
                seed=seed,
                curves=5 if animation is None else MOST,
                folder=folder,
            )
        out = out or folder / "fit.png"
        shown = shown_epochs(epochs)
        curves = {"before training": fit.curves[0]}
        curves |= {f"epoch {epoch}": curve for epoch, curve in fit.curves.items() if epoch in shown}
        several = activation if isinstance(activation, list) else [activation]
        words = ", ".join(table["type"] for table in several)
        figure = fit_figure(fit.grid, fit.target, curves, title=f"{function}: {net}, {words}", points=fit.points)
        for epoch in fit.curves:
            if epoch in shown:
                say(f"epoch {epoch:>5}  mean squared error {fit.history[epoch - 1]['valid_loss']:.2e} (validation)")
        say_diagnosis(fit.diagnosis, rate=f"--optimizer {optimizer['type'].lower()}:learning_rate=")
        say(f"{function} on [{low:g}, {high:g}]: mean squared error {fit.error:.2e} on 1,000 new points")
        if animation is not None:
            drawn(curve_figures(fit.grid, fit.curves, fit.target), fps=FPS).save(animation)
        say(f"run: {folder}")
    out = out or Path("fit.png")
    save_figure(figure, out)
    say(f"plot: {out}" + (f"; animation: {animation}" if animation is not None else ""))
