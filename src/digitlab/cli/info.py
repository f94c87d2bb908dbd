"""`digitlab info NET`: what a saved network is made of."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitlab.cli.shared.json_output import json_option, report, run_facts

if TYPE_CHECKING:
    from digitlab.nn import Network


@click.command("info")
@click.argument("net", required=False)
@click.option("--engine", is_flag=True, help="Show which engine would train the network here, and why.")
@json_option
def command(net: str | None, engine: bool) -> None:
    """Show the layers, parameters and training settings of a saved network.

    NET is a network file or a run folder. [default: the latest run in runs/, or else the shipped network]
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.networks import load_named
    from digitlab.nn import describe_network
    from digitlab.nn.scaling import describe_scaling

    path, network = load_named(net)
    say(f"{path}, {path.stat().st_size:,} bytes, {network.dtype}, pixels scaled by {describe_scaling(network.scaling)}")
    say(network.summary())
    described = describe_network(network)
    layers = [
        layer | {"output_shape": shape, "parameters": sum(p.value.size for p in inner.params.values())}
        for layer, shape, inner in zip(described.pop("layers"), network.shapes[1:], network.layers)
    ]
    report(network=path, bytes=path.stat().st_size, **described, layers=layers)
    report(parameters=sum(p.value.size for p in network.parameters().values()), class_names=network.class_names)
    run = path.parent if (path.parent / "config.toml").is_file() else None
    if run is not None:
        _say_run(run)
    if engine:
        _say_engine(network, run)


def _say_engine(network: "Network", run: Path | None) -> None:
    """The engine that trains it with the run's settings, or without a run, by gradient descent."""
    from digitlab.cli.shared.console import say
    from digitlab.engine import select_engine
    from digitlab.optim import SGD
    from digitlab.train import RunConfig

    if run is None:
        chosen, reason = select_engine("auto", network, SGD())
    else:
        c = RunConfig.load(run / "config.toml", run=True)
        chosen, reason = select_engine(
            c.engine,
            network,
            c.optimizer,
            c.regularizers,
            gradient=c.gradient,
            device=c.device,
            mixed_precision=c.mixed_precision,
        )
    report(engine=chosen.name, engine_reason=reason)
    say(f"engine: {chosen.name}: {reason}")


def _say_run(place: Path) -> None:
    from digitlab.cli.shared.console import say
    from digitlab.train import History, RunConfig

    config = RunConfig.load(place / "config.toml", run=True)
    say(
        f"trained with {config.optimizer!r}, {config.schedule!r}, batches of {config.batch_size}, "
        f"seed {config.seed}, on {config.data.get('source')}"
    )
    if not (place / "history.jsonl").is_file():
        return
    history = History.load(place / "history.jsonl")
    report(run=run_facts(place.name, config, history))
    if not len(history):
        return
    name = history.monitored(config.monitor)
    s = history.statistics(name)
    if s.epochs == 1:
        say(f"1 epoch; {name} {s.best:.4f}")
    else:
        say(f"{s.epochs} epochs; best {name} {s.best:.4f} in epoch {s.best_epoch}; mean {s.mean:.4f}, sd {s.sd:.4f}")
