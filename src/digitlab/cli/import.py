"""`digitlab import FILE`: a network that another program wrote."""

from pathlib import Path

import click

from digitlab.cli.shared.options import OutputFile


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--net", help="Network that takes the weights, where FILE holds weights alone: its sizes or its name.")
@click.option("--activation", default="relu", show_default=True, help="Activation of the hidden layers of --net SIZES.")
@click.option(
    "--map",
    "names",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Parameter of --net and the array of FILE for it, such as 0.W=encoder.weight; others are matched by shape.",
)
@click.option("--scaling", help="Scaling of pixels that the network was trained with: /255, /256, 0.01-1, none.")
@click.option("--out", type=OutputFile("a saved network", ".safetensors"), help="File to write. [default: by FILE]")
def command(
    file: Path, net: str | None, activation: str, names: tuple[str, ...], scaling: str | None, out: Path | None
) -> None:
    """Read a network that another program wrote, and save it as digitlab's own file.

    FILE is recognized by its content: ONNX, network2's JSON, the pickles and .npy pairs of the books' programs; with
    --net also weights of PyTorch (safetensors) and Keras (.h5, .npz). The notes say what was assumed.
    """
    from digitlab.cli.shared.console import say
    from digitlab.errors import quoted
    from digitlab.nn import load_network
    from digitlab.nn.io.foreign_weights import take_weights
    from digitlab.nn.scaling import as_scaling, describe_scaling
    from digitlab.nn.zoo import build_named, parse_net, parse_sizes

    if pair := next((pair for pair in names if "=" not in pair), None):
        raise click.UsageError(f"--map: got {pair!r}, expected OURS=THEIRS such as 0.W=encoder.weight")
    if names and net is None:
        raise click.UsageError("--map names parameters of a network; give it with --net")
    if net is None:
        network = load_network(file)
    else:
        sizes = parse_sizes(net)
        chain = {"activation": activation, "loss": "log-likelihood"}
        network = parse_net(net, **chain) if sizes else build_named(net)
        for line in take_weights(network, file, dict(pair.split("=", 1) for pair in names)):
            say(line)
    if scaling is not None:
        network.scaling = as_scaling(scaling)
    say(network.summary())
    biases = any(name.endswith(".b") for name in network.parameters())
    kind = type(network.loss).__name__
    say(
        f"assumed: pixels (uint8) scaled by {describe_scaling(network.scaling)} (--scaling sets another), "
        f"{'biases' if biases else 'no biases'}, loss {kind}"
        + (f", which makes {network.loss.owns} of the outputs" if network.loss.owns else "")
    )
    if out is None:
        out = file.with_suffix(".safetensors")
        if out.exists():
            out = file.with_name(f"{file.stem}-imported.safetensors")
    network.save(out)
    say(f"saved: {out}; try: digitlab test {quoted(out)}")
