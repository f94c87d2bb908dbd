"""`digitlab baseline NAME`: what one can reach without a network."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.json_output import json_option, report
from digitlab.cli.shared.options import PictureFile, data_options

NAMES = ("darkness", "nearest-mean", "logistic", "svm")  # as in digitlab.baselines, which is imported when needed


@click.command("baseline")
@click.argument("name", type=click.Choice(NAMES))
@data_options(part="Set of images to classify. [default: test]")
@click.option("--train-size", type=click.IntRange(2), help="Number of training images to use, from the first.")
@click.option(
    "--setting",
    type=click.Choice(["book", "today"]),
    help="Value of γ for svm: scikit-learn's default when the book was written, or today's. [default: book]",
)
@click.option("--out", type=PictureFile(), help="File for a picture of the confusion matrix.")
@json_option
def command(
    name: str, data: dict[str, Any], part: str | None, train_size: int | None, setting: str | None, out: Path | None
) -> None:
    """Classify images without a network: darkness, nearest-mean, logistic, svm.

    Prints the accuracy, the time, and the most frequent confusions.
    """
    from digitlab.baselines import fit, judge, make_baseline
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.progress import counted
    from digitlab.cli.shared.sets import load_set, load_sets
    from digitlab.viz.confusion import confusion_figure
    from digitlab.viz.figures import save_figure

    if setting is not None and name != "svm":
        raise click.UsageError(f"--setting is of svm; {name} has none")
    baseline = make_baseline(name, **({"setting": setting} if setting else {}))
    data |= {"train_size": train_size} if train_size else {}
    splits = load_sets(data)
    train, judged = splits.train, load_set(data, part).digits if part == "all" else splits.part(part or "test")
    say(f"{name}: {baseline.described()}")
    say(f"fitting on {len(train):,} images of {train.name}, pixels byte/256 ...")
    # scikit-learn does not say how far it is: only that there is work, and for how long, can be shown.
    with counted("fitting", None):
        seconds = fit(baseline, train)
    say(f"fitted in {_seconds(seconds)}" + (f"; {text}" if (text := baseline.learned()) else ""))
    with counted(f"classifying {judged.name}", len(judged)) as advance:
        result = judge(baseline, judged, advance=advance)
    classes = judged.class_names
    say(table(["is \\ said", *classes], [[c, *map(str, row)] for c, row in zip(classes, result.confusion)]))
    say(f"classified {len(judged):,} images in {_seconds(result.seconds)}")
    wrong = len(judged) - round(result.accuracy * len(judged))
    say(f"{100 * result.accuracy:.2f} % of {judged.name} correct, {wrong:,} of {len(judged):,} wrong")
    report(baseline=name, settings=baseline.described(), train_images=len(train), data=judged.name)
    report(images=len(judged), accuracy=result.accuracy, wrong=wrong, classes=classes, confusion=result.confusion)
    report(seconds_fitting=seconds, seconds_classifying=result.seconds)
    if out is not None:
        title = f"{name}, {len(train):,} training images: {100 * result.accuracy:.2f} % of {judged.name}"
        save_figure(confusion_figure(result.confusion, classes, title=title), out)
        say(f"picture: {out}")


def _seconds(seconds: float) -> str:
    from digitlab.train.callbacks import duration

    return f"{seconds:.2f} s" if seconds < 10 else duration(seconds)
