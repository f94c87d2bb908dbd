"""`digitlab failures NET`: the images that a network gets wrong."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.json_output import json_option, report
from digitlab.cli.shared.looking import PART_HELP, SOURCE_HELP
from digitlab.cli.shared.options import OutputFile, PageFile, PictureFile, data_options


@click.command("failures")
@click.argument("nets", nargs=-1, metavar="[NET]…")
@data_options(part=PART_HELP, default="", source_help=SOURCE_HELP)
@click.option(
    "--out",
    type=PictureFile(),
    help="File of the picture. [default: failures.png or learning.png in the run's folder, or mislabelled.png]",
)
@click.option("--page", type=PageFile(), help="File of the HTML page. [default: failures.html in the run's folder]")
@click.option("--csv", type=OutputFile("a table", ".csv"), help="File for a table of all misclassified images.")
@click.option("--list", "listed", is_flag=True, help="List the misclassified images, up to --limit.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=96,
    show_default=True,
    help="Maximum number of images in the picture and the list.",
)
@click.option(
    "--watch",
    "run",
    type=click.Path(path_type=Path),
    help="Folder of a recorded run: show which images were learned and forgotten.",
)
@click.option("--mislabelled", is_flag=True, help="List images whose label all NETs contradict in the same way.")
@json_option
def command(
    nets: tuple[str, ...],
    data: dict[str, Any],
    part: str | None,
    out: Path | None,
    page: Path | None,
    csv: Path | None,
    listed: bool,
    limit: int,
    run: Path | None,
    mislabelled: bool,
) -> None:
    """Show the images that a network misclassifies, as a picture and an HTML page.

    NET is a network file or a run folder. [default: the latest run in runs/, or else the shipped network] With --watch
    RUN (trained with --record), show which images were learned, forgotten and never learned. With --mislabelled and
    several NETs, list the labels that may be wrong. Images are numbered from 0 by their position in the set, as
    `digitlab explain --image` takes them.
    """
    if (csv or listed) and (run is not None or mislabelled):
        raise click.UsageError("--csv and --list are for the failures of one network")
    if run is not None:
        if nets or mislabelled:
            raise click.UsageError("--watch RUN goes by itself, without NET and --mislabelled")
        follow_run(run, data, out or run / "learning.png")
    elif mislabelled:
        if len(nets) < 2:
            raise click.UsageError("--mislabelled needs several networks to agree: name two or more")
        suspect(nets, data, part, out or Path("mislabelled.png"), limit)
    elif len(nets) > 1:
        raise click.UsageError("give one NET, or several with --mislabelled")
    else:
        show(nets[0] if nets else None, data, part, out, page, csv, limit, listed=listed)


def show(
    net: str | None,
    data: dict[str, Any],
    part: str | None,
    out: Path | None,
    page: Path | None,
    csv: Path | None,
    limit: int,
    *,
    listed: bool,
) -> None:
    """Picture and page of one network's failures, and if asked for, a list and a table of them."""
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.looking import how_many
    from digitlab.cli.shared.networks import beside, load_named
    from digitlab.errors import quoted
    from digitlab.files import write_text
    from digitlab.viz.failures import failures_figure, find_failures
    from digitlab.viz.failures_page import failures_page
    from digitlab.viz.figures import save_figure

    path, network = load_named(net)
    digits, set_name, probabilities = _asked(path, network, data, part)
    failures, names = find_failures(probabilities, digits.labels), digits.class_names
    wrong, total = len(failures.positions), len(digits)
    say(f"{path} on {how_many(digits, set_name)} of {digits.name}: {wrong:,} wrong ({100 * wrong / total:.2f} %)")
    found = zip(failures.positions, failures.labels, failures.guesses, failures.confidences)
    rows = [
        {"image": at, "label": names[label], "prediction": names[guess], "confidence": confidence}
        for at, label, guess, confidence in found
    ]
    report(network=path, data=digits.name, images=total, wrong=wrong, failures=rows)
    pairs: dict[tuple[int, int], int] = {}
    for pair in zip(failures.labels.tolist(), failures.guesses.tolist()):
        pairs[pair] = pairs.get(pair, 0) + 1
    often = sorted(pairs.items(), key=lambda item: -item[1])[:5]
    if often:
        say(table(["most often", "images"], [[f"{names[a]} read as {names[b]}", str(n)] for (a, b), n in often]))
    if listed and wrong:
        cells = [
            [str(row["image"]), row["label"], row["prediction"], f"{100 * row['confidence']:.1f}"]
            for row in rows[:limit]
        ]
        say("")
        say(table(["image", "label", "prediction", "confidence (%)"], cells))
    if csv is not None:
        write_text(csv, csv_text(rows))
        say(f"table: {csv}")
    if not wrong:
        say("nothing to draw")
        return
    out, page = out or beside(path, "failures.png"), page or beside(path, "failures.html")
    save_figure(failures_figure(digits.images, failures, names, total=total, limit=limit), out)
    title = f"Images misclassified by {path.parent.name or path.name}"
    write_text(page, failures_page(digits.images, failures, names, total=total, title=title))
    say(f"picture: {out}, page: {page}")
    named = f" {quoted(net)}" if net else ""
    say(f"see a gradient step on the first with: digitlab explain{named} --image {rows[0]['image']}")


def csv_text(rows: list[dict[str, Any]]) -> str:
    """The rows as CSV, under their names."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, ["image", "label", "prediction", "confidence"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def follow_run(run: Path, data: dict[str, Any], out: Path) -> None:
    """What the images of a recorded run went through."""
    import numpy as np

    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.looking import digits_for
    from digitlab.errors import DataError
    from digitlab.train.recorders import PREDICTIONS, Recorded
    from digitlab.viz.figures import save_figure
    from digitlab.viz.learning import follow, learning_figure, learning_images_figure

    recorded = Recorded.load(run / PREDICTIONS)
    digits, _ = digits_for(run / PREDICTIONS, data, recorded.part)
    if not np.array_equal(digits.labels, recorded.labels):
        raise DataError(f"{run / PREDICTIONS}: was recorded on other images than {digits}; name them by --data")
    learning = follow(recorded.predictions, digits.labels)
    say(f"{run}: {len(digits):,} images ({recorded.part} set) after epochs {recorded.epochs[0]}–{recorded.epochs[-1]}")
    say(table(["kind", "images"], [[name, f"{n:,}"] for name, n in learning.counts().items()]))
    lost = np.argsort(-learning.forgettings, kind="stable")[:5]
    words = [
        f"no. {i} (a {digits.class_names[digits.labels[i]]}) {learning.forgettings[i]}×"
        for i in lost
        if learning.forgettings[i]
    ]
    if learning.forgettings.any():
        say("forgotten most often: " + ", ".join(words))
    report(run=run, images=len(digits), epochs=recorded.epochs, counts=learning.counts())
    report(forgettings=learning.forgettings)
    images = out.with_name(f"{out.stem}-images{out.suffix}")
    save_figure(learning_figure(recorded.epochs.tolist(), learning, title=f"{run.name}: learned and forgotten"), out)
    grid = learning_images_figure(digits.images, digits.labels, recorded.predictions[-1], learning, digits.class_names)
    save_figure(grid, images)
    say(f"pictures: {out}, {images}")


def suspect(nets: tuple[str, ...], data: dict[str, Any], part: str | None, out: Path, limit: int) -> None:
    """Labels that several networks contradict."""
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.looking import how_many
    from digitlab.cli.shared.networks import load_named
    from digitlab.errors import DataError
    from digitlab.viz.failures import find_mislabelled, suspects_figure
    from digitlab.viz.figures import save_figure

    several, digits = [], None
    for net in nets:
        path, network = load_named(net)
        own, set_name, probabilities = _asked(path, network, data, part)
        if digits is not None and (len(own) != len(digits) or (own.labels != digits.labels).any()):
            raise DataError(f"{net}: was trained on other images than {nets[0]}; name the images by --data")
        digits = own
        several.append(probabilities)
    assert digits is not None
    found, names = find_mislabelled(several, digits.labels), digits.class_names
    count = len(found.positions)
    say(
        f"{len(nets)} networks on {how_many(digits, set_name)}: {count} labels that at least 80 % of them "
        "contradict in the same way"
    )
    suspects = [
        {"image": at, "label": names[label], "prediction": names[guess], "agreement": agree, "doubt": doubt}
        for at, label, guess, agree, doubt in zip(*found)
    ]
    report(networks=nets, images=len(digits), suspects=suspects)
    rows = [
        [f"no. {at}", names[label], names[guess], f"{100 * agree:.0f} %", f"{doubt:.3f}"]
        for at, label, guess, agree, doubt in zip(*(array[:15] for array in found))
    ]
    if count:
        say(table(["image", "label", "they say", "agree", "doubt"], rows))
        save_figure(suspects_figure(digits.images, found, names, limit=limit), out)
        say(f"picture: {out}" + (f"; {count - 15} more images in doubt" if count > 15 else ""))


def _asked(path: Path, network: Any, data: dict[str, Any], part: str | None) -> tuple[Any, str, Any]:
    """The images, what their set is called, and the network's probabilities for them."""
    from digitlab.cli.shared.looking import part_for
    from digitlab.engine.select import predict
    from digitlab.errors import ConfigError
    from digitlab.train.evaluation import class_shares, classifies

    if not classifies(network):
        raise ConfigError(f"{path}: gives outputs {network.shapes[-1]}, not classes; it has no misclassified images")
    digits, set_name = part_for(network, path, data, part)
    return digits, set_name, class_shares(predict(network, digits.images))
