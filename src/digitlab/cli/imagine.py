"""`digitlab imagine NET 3`: what does the network think a 3 looks like?"""

from pathlib import Path

import click

from digitlab.cli.shared.options import PictureFile
from digitlab.errors import quoted


@click.command("imagine")
@click.argument("net_and_digits", nargs=-1, metavar="[NET] [DIGIT]…")
@click.option("--all", "every", is_flag=True, help="Draw all classes of the network.")
@click.option("--out", type=PictureFile(), help="File of the figure. [default: imagine-DIGIT.png in the run's folder]")
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder for single pictures as PNG files.")
def command(net_and_digits: tuple[str, ...], every: bool, out: Path | None, pictures: Path | None) -> None:
    """Draw what a digit looks like to a network, by three methods.

    NET is a network file or a run folder. [default: the latest run in runs/, or else the shipped network] The methods
    are: linear inversion, a one-hot output multiplied by the transposed weights; the inverse query, which also inverts
    the activations; and gradient ascent on the output with respect to the picture. The margin says by how many per cent
    the largest output exceeds the second.
    """
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.networks import beside, load_named
    from digitlab.cli.shared.progress import counted
    from digitlab.viz.figures import save_figure
    from digitlab.viz.inversions import METHODS, imagine_all, inversions_figure, margin_text
    from digitlab.viz.pages import write_picture

    words = list(net_and_digits)
    net = words.pop(0) if words and not words[0].isdecimal() else None
    example = f"{quoted(net)} 3" if net else "3"
    if wrong := [word for word in words if not word.isdecimal()]:
        raise click.UsageError(f"got {wrong[0]!r}; expected a digit, as in `digitlab imagine {example}`")
    if net is not None and not words and not every and net != "shipped" and not Path(net).exists():
        raise click.UsageError(f"got {net!r}; expected a digit, as in `digitlab imagine 3`")
    if bool(words) == every:
        raise click.UsageError(f"name a digit, as in `digitlab imagine {example}`, or ask for --all of them")
    path, network = load_named(net)
    if len(network.shapes[-1]) != 1 or network.shapes[-1][0] < 2:
        raise click.UsageError(f"{path} gives outputs {network.shapes[-1]}, not classes; there is no digit to imagine")
    digits = list(range(network.shapes[-1][0])) if every else [int(word) for word in words]
    with counted("imagining", None):
        answers = imagine_all(network, digits)
    rows = []
    for method, found in answers.items():
        if isinstance(found, str):
            say(found)
            continue
        rows += [
            [METHODS[method], *map(str, seen[:1]), str(seen.first), str(seen.second), margin_text(seen.margin)]
            for seen in found
        ]
        for seen in found if pictures is not None else ():
            write_picture(pictures / f"{seen.digit}-{method}.png", seen.picture)  # type: ignore[operator]
    say(table(["method", "digit", "read as", "second", "margin"], rows))
    out = out or beside(path, "imagine-all.png" if every else f"imagine-{'-'.join(words)}.png")
    save_figure(inversions_figure(answers, title=f"imagined by {path.parent.name or path.name}"), out)
    say(f"picture: {out}" + (f"; single pictures: {pictures}" if pictures is not None else ""))
