"""`digitlab predict NET FILE`: classes and probabilities for images without labels."""

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.console import visible, visible_json
from digitlab.cli.shared.looking import PART_HELP, how_many, same_source, training_data
from digitlab.cli.shared.options import PARTS, READING, OutputFile, settings_options
from digitlab.errors import quoted

if TYPE_CHECKING:
    from digitlab.predictions import Predictions

FEW = 10  # rows that are shown of a long set
WIDTH = 80  # columns of the terminal


class Columns(click.ParamType[Any]):
    """Two names for the columns of a CSV file: `ImageId,Label`."""

    name = "id,class"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        names = tuple(name.strip() for name in value.split(","))
        if len(names) != 2 or not all(names):
            self.fail(f"got {value!r}, expected two names: of the image's number and of its class", param, ctx)
        return names


@click.command("predict")
@click.argument("net_and_images", nargs=-1, required=True, metavar="[NET] FILE|FOLDER…")
@click.option("--net", help="Network: a file, a run folder, or `shipped`. [default: the latest run, or shipped]")
@click.option(
    "-o", "--out", type=OutputFile("predictions", ".csv", ".json"), help="File for the predictions, .csv or .json."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), help="Format of the output. [default: table]"
)
@click.option("--kaggle", is_flag=True, help="Write CSV with the columns ImageId,Label; images are numbered from 1.")
@click.option("--columns", type=Columns(), help="Names of the two columns of a CSV; images are numbered from 1.")
@click.option(
    "--top", type=click.IntRange(1), metavar="K", help="Number of classes per image, the most probable first."
)
@click.option(
    "--proba/--no-proba", default=True, help="Whether to write the probability of every class. [default: yes]"
)
@settings_options(*READING)
@click.option("--part", type=click.Choice(PARTS), help=PART_HELP)
def command(
    net_and_images: tuple[str, ...],
    net: str | None,
    out: Path | None,
    form: str | None,
    kaggle: bool,
    columns: tuple[str, str] | None,
    top: int | None,
    proba: bool,
    part: Any,
    **how: Any,
) -> None:
    """Predict the class of images, with probabilities.

    FILE is a CSV file (one image per line), a picture of one digit, an IDX file, a NumPy array (.npy, .npz), or a data
    set; FOLDER holds pictures. Labels are not needed; if there are labels, the accuracy is shown. NET, if given, comes
    first: a network file or a run folder. [default: the latest run in runs/, or else the shipped network]

    \b
    digitlab predict test.csv -o submission.csv --kaggle
    digitlab predict shipped photo.png
    """
    from digitlab.cli.shared.console import say, tell
    from digitlab.cli.shared.networks import network_file, split_network
    from digitlab.cli.shared.progress import counted
    from digitlab.predicting import predict
    from digitlab.predictions import KAGGLE
    from digitlab.shipped import PATH

    named, images = split_network(net_and_images) if net is None else (net, list(net_and_images))
    if not images:
        example = f"digitlab predict {quoted(named)} FILE"
        raise click.UsageError(f"got the network {named} and no images; expected `{example}`")
    if kaggle or columns:
        if form in ("table", "json") or (out is not None and out.suffix.lower() != ".csv"):
            raise click.UsageError("--kaggle and --columns are for CSV")
        if top is not None:
            raise click.UsageError("--kaggle and --columns write one class per image; leave out --top")
        form = form or ("csv" if out is None else None)
    choices: dict[str, Any] = {"top": top or 0, "proba": proba}
    if out is not None and out.exists() and any(Path(image).exists() and out.samefile(image) for image in images):
        raise click.UsageError(f"-o {out}: is the file to be read; choose another name")
    path = network_file(named)
    named = "the shipped network" if path == PATH else str(path)
    with counted("reading pictures", None) as advance:
        found = predict(path, images, part=part, advance=advance, **how)
    if found.labels is None and (top or kaggle or columns or how["class_names"]):
        raise click.UsageError(
            f"{path}: gives numbers, not classes; leave out --top, --kaggle, --columns, --class-names"
        )
    as_csv = choices | {"columns": KAGGLE if kaggle else columns}
    if out is not None:
        found.save(out, **(choices if out.suffix.lower() == ".json" else as_csv))
    if form in ("csv", "json"):
        if form == "json":
            text = visible_json(found.json(**choices))
        else:
            text = visible(found.csv(**as_csv)) if sys.stdout.isatty() else found.csv(**as_csv)
        click.echo(text, nl=False)
    else:
        for line in table_of(found, top, proba, saved=out is not None):
            say(line)
    for line in filter(None, [found.note]):
        tell(line)
    for line in found.skipped:
        tell(f"skipped: {line}")
    seen = found.part != "test" and any(same_source(run, image) for run in training_data(path) for image in images)
    for line in summary_of(found, named, images, out, seen=seen):
        (tell if form in ("csv", "json") else say)(line)
    if found.skipped:
        raise click.exceptions.Exit(1)


def table_of(found: "Predictions", top: int | None, proba: bool, *, saved: bool = False) -> list[str]:
    """The first rows for a terminal: with every class's probability in per cent where they fit, else the best three."""
    from digitlab.cli.shared.console import table

    names = found.image_names[:FEW]
    few = len(names)
    if found.probabilities is None or found.confidence is None:
        rows = [[name, text] for name, text in zip(names, found.classes)]
        headings = ["image", "output"]
    else:
        every = proba and top is None and len(found.class_names) <= 10 and max(map(len, found.class_names)) <= 3
        rows = [
            [name, label, f"{100 * p:.2f} %"] for name, label, p in zip(names, found.classes, found.confidence.tolist())
        ]
        headings = ["image", "class", "confidence"]
        if every:
            headings += list(found.class_names)
            for row, shares in zip(rows, found.probabilities.tolist()):
                row += [f"{100 * p:.0f}" if p >= 0.005 else "·" for p in shares]
        elif proba or top:
            best = found.best(top or 3)[:few]
            headings.append("most probable")
            for row, some in zip(rows, best):
                row.append(", ".join(f"{label} {100 * p:.0f} %" for label, p in some))
    width = max(len(row[0]) for row in rows)
    over = max(len(line) for line in table(headings, rows).splitlines()) - WIDTH
    room = max(8, width - over) if over > 0 else width
    for row in rows:
        row[0] = row[0] if len(row[0]) <= room else "…" + row[0][1 - room :]
    lines = table(headings, rows).splitlines()
    if len(found) > few:
        lines.append(f"… and {len(found) - few:,} more images{'' if saved else '; -o FILE.csv writes all'}")
    return lines


def summary_of(found: "Predictions", net: str, images: list[str], out: Path | None, *, seen: bool) -> list[str]:
    """How many images, what was predicted how often, the accuracy where labels were found, and the file.

    `seen` says whether images of the network's own training may be among them.
    """
    import numpy as np

    source = images[0] if len(images) == 1 else f"{len(images)} sources"
    lines = [f"{how_many(found, found.part)} of {source}, predicted by {net}"]
    if found.labels is not None and len(found) > FEW:
        counts = np.bincount(found.labels, minlength=len(found.class_names)).tolist()
        pairs = [f"{name}: {count:,}".replace(" ", "\xa0") for name, count in zip(found.class_names, counts) if count]
        told = "per class  " + "  ".join(pairs[:12]) + ("  …" if len(pairs) > 12 else "")
        lines += [line.replace("\xa0", " ") for line in textwrap.wrap(told, WIDTH, subsequent_indent=" " * 11)]
    if found.accuracy is not None:
        wrong = round((1 - found.accuracy) * len(found))
        lines.append(f"labels found: {100 * found.accuracy:.2f} % correct, {wrong:,} wrong")
        if seen:
            lines.append("the network was trained on some of these images: it does better on them than on others")
    if out is not None:
        lines.append(f"saved: {out}")
    return lines
