"""`digitlab fit FUNCTION`: a network learns a curve."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from digitlab.cli.shared.options import Spec, picture_option, seed_option


@click.command("fit", context_settings={"ignore_unknown_options": True})
@click.argument("function", default="sin(x) + x")
@click.option("--from", "low", type=float, default=-8.0, show_default=True, help="Lower end of the interval.")
@click.option("--to", "high", type=float, default=8.0, show_default=True, help="Upper end of the interval.")
@click.option("--net", default="1-40-40-1", show_default=True, help="Layer sizes, with one input and one output.")
@click.option(
    "--activation", type=Spec("activation"), default="tanh", show_default=True, help="Activation of the hidden layers."
)
@click.option(
    "--optimizer",
    type=Spec("optimizer"),
    default="adam",
    show_default=True,
    help="Optimizer: sgd, momentum, adam, or with a rate as sgd:learning_rate=0.1.",
)
@click.option(
    "--epochs", type=click.IntRange(1), default=200, show_default=True, help="Number of passes through the points."
)
@click.option("--points", type=click.IntRange(2), default=400, show_default=True, help="Number of training points.")
@click.option(
    "--bumps", type=click.IntRange(1), help="Number of bumps to set by hand instead of training (Nielsen, chapter 4)."
)
@seed_option("Seed of the initial weights and the shuffling.")
@picture_option("fit.png")
def command(
    function: str,
    low: float,
    high: float,
    net: str,
    activation: Any,
    optimizer: Any,
    epochs: int,
    points: int,
    bumps: int | None,
    seed: int,
    out: Path,
) -> None:
    """Fit a network to a FUNCTION of x, such as "sin(x) + x", and plot the curve over the epochs."""
    import numpy as np

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.endings import say_diagnosis
    from digitlab.errors import ConfigError
    from digitlab.functions import bumps_network, fit_function, parse_function
    from digitlab.nn import Layer, mlp
    from digitlab.nn.describe import build
    from digitlab.nn.zoo import parse_sizes
    from digitlab.optim import Optimizer
    from digitlab.viz.figures import save_figure
    from digitlab.viz.functions import fit_figure

    f = parse_function(function)
    if bumps is not None:
        context = click.get_current_context()
        learning = ("net", "activation", "optimizer", "epochs", "points", "seed")
        if other := [name for name in learning if context.get_parameter_source(name) is not ParameterSource.DEFAULT]:
            raise click.UsageError(f"--bumps does not train; leave out --{other[0]}")
        network = bumps_network(f, low, high, bumps)
        grid = np.linspace(low, high, 1000)
        curve = network.predict(grid[:, None]).ravel()
        error = float(np.mean((curve - f(grid)) ** 2))
        title = f"{function}: {bumps} bumps, {2 * bumps} neurons"
        figure = fit_figure(grid, f(grid), {"network set by hand": curve}, title=title)
        say(f"{title}: mean squared error {error:.2e}")
    else:
        sizes = parse_sizes(net)
        if sizes is None or sizes[0] != 1 or sizes[-1] != 1:
            raise ConfigError(f"--net: got {net!r}, expected sizes with one input and one output, as 1-40-40-1")
        network = mlp(sizes, activation=build(Layer, activation), loss="mean-squared-error", seed=seed)
        fit = fit_function(
            network, f, low, high, optimizer=build(Optimizer, optimizer), epochs=epochs, points=points, seed=seed
        )
        curves = {f"epoch {epoch}" if epoch else "before training": curve for epoch, curve in fit.curves.items()}
        figure = fit_figure(fit.grid, fit.target, curves, title=f"{function}: {net}, {activation['type']}")
        for epoch in fit.curves:
            if epoch:
                say(f"epoch {epoch:>5}  mean squared error {fit.history[epoch - 1]['valid_loss']:.2e} (validation)")
        say_diagnosis(fit.diagnosis, rate=f"--optimizer {optimizer['type'].lower()}:learning_rate=")
        say(f"{function} on [{low:g}, {high:g}]: mean squared error {fit.error:.2e} on 1,000 new points")
    save_figure(figure, out)
    say(f"plot: {out}")
