"""`digitlab export NET --to onnx`: a network for another program."""

from pathlib import Path

import click

TO = ("onnx", "safetensors", "json", "npz", "csv", "pytorch", "keras", "numpy-script", "html")


@click.command("export")
@click.argument("net", required=False)
@click.option("--to", type=click.Choice(TO), required=True, help="Format of the exported network.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write. [default: next to NET, with its name]")
def command(net: str | None, to: str, out: Path | None) -> None:
    """Write a network for another program.

    NET is a network file or a run folder. [default: the latest run in runs/, or else the shipped network]
    docs/other-programs.md says what each format holds.
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.networks import load_named
    from digitlab.cli.shared.progress import counted
    from digitlab.exporting import export_formats, export_network
    from digitlab.nn.scaling import describe_scaling
    from digitlab.shipped import PATH

    path, network = load_named(net)
    chosen = export_formats()[to]
    folder = Path() if path == PATH else path.parent
    if out is None:
        module = chosen.suffix == ".py"  # of several formats, each with a file of weights
        out = folder / f"{path.stem}{f'-{to}' if module or not chosen.suffix else ''}{chosen.suffix}"
        if out == path:
            raise click.UsageError(f"{path} is in that format already; name another file with --out")
    with counted(f"writing {out.name}", None):  # text formats of large networks take seconds
        written = export_network(network, out, to)
    say(f"{path} as {to}, {chosen.about}:")
    for file in written:
        say(f"{file}, {file.stat().st_size:,} bytes")
    say(f"input {network.input_shape}, uint8 pixels scaled by {describe_scaling(network.scaling)}")
