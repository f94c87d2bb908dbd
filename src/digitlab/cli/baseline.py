"""`digitlab baseline NAME`: what one can reach without a network."""

from pathlib import Path

import click

from digitlab.cli.options import PictureFile

NAMES = ("darkness", "nearest-mean", "logistic", "svm")  # as in digitlab.baselines, which is imported when needed


@click.command("baseline")
@click.argument("name", type=click.Choice(NAMES))
@click.option("--data", "source", default="auto", show_default=True,
              help="mnist, digits, or a path; auto: mnist where it can be had, else digits.")  # fmt: skip
@click.option("--train-size", type=click.IntRange(2), help="Learn from the first n images only.")
@click.option("--part", type=click.Choice(["valid", "test"]), default="test", show_default=True,
              help="Which set to judge by.")  # fmt: skip
@click.option("--setting", type=click.Choice(["book", "today"]),
              help="Of svm: γ as scikit-learn chose it in the book's day, or today. [default: book]")  # fmt: skip
@click.option("--out", type=PictureFile(), help="Save the confusion matrix as a picture.")
def command(name: str, source: str, train_size: int | None, part: str, setting: str | None, out: Path | None) -> None:
    """Classify images without a network: darkness, nearest-mean, logistic, svm.

    Prints the share that is right, the time, and which digits are taken for which.
    """
    from digitlab.baselines import fit, judge, make_baseline
    from digitlab.cli.console import say, table
    from digitlab.cli.counted import counted
    from digitlab.cli.sets import load_sets
    from digitlab.see.confusion import confusion_figure
    from digitlab.see.figures import save_figure

    if setting is not None and name != "svm":
        raise click.UsageError(f"--setting is of svm; {name} has none")
    baseline = make_baseline(name, **({"setting": setting} if setting else {}))
    splits = load_sets({"source": source} | ({"train_size": train_size} if train_size else {}))
    train, judged = splits.train, splits.part(part)
    say(f"{name}: {baseline.described()}")
    say(f"fitting on {len(train):,} images of {train.name}, pixels byte/256 ...")
    # scikit-learn does not say how far it is: only that there is work, and for how long, can be shown.
    with counted("fitting", None):
        seconds = fit(baseline, train)
    say(f"fitted in {_seconds(seconds)}" + (f"; {text}" if (text := baseline.learned()) else ""))
    with counted(f"judging {judged.name}", len(judged)) as advance:
        result = judge(baseline, judged, advance=advance)
    classes = judged.class_names
    say(table(["is \\ said", *classes], [[c, *map(str, row)] for c, row in zip(classes, result.confusion)]))
    say(f"judged {len(judged):,} images in {_seconds(result.seconds)}")
    wrong = len(judged) - round(result.accuracy * len(judged))
    say(f"{100 * result.accuracy:.2f} % of {judged.name} correct, {wrong:,} of {len(judged):,} wrong")
    if out is not None:
        title = f"{name}, {len(train):,} training images: {100 * result.accuracy:.2f} % of {judged.name}"
        save_figure(confusion_figure(result.confusion, classes, title=title), out)
        say(f"picture: {out}")


def _seconds(seconds: float) -> str:
    from digitlab.train.callbacks import duration

    return f"{seconds:.2f} s" if seconds < 10 else duration(seconds)
