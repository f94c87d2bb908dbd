"""What an ensemble gains over its members, as `digitlab ensemble` prints and draws it."""

from pathlib import Path
from typing import TYPE_CHECKING

from digitlab.cli.shared.console import say, table
from digitlab.cli.shared.json_output import report

if TYPE_CHECKING:
    from digitlab.data import Digits
    from digitlab.nn import Network

SHOWN = 40  # errors in the picture


def say_gain(
    whole: "Network", names: list[str], validation: "Digits | None", images: "Digits", how: str, covers: list[list[int]]
) -> None:
    """The table of members and whole, then diversity and errors; the test set chooses nothing here."""
    from digitlab.ensemble import doubts, gain
    from digitlab.statistics import summarize

    test = gain(whole, images.images, images.labels, covers)
    valid = gain(whole, validation.images, validation.labels, covers) if validation is not None else None
    rows = []
    for i, name in enumerate(names):
        own = f" (tells apart {', '.join(map(str, covers[i]))}, other)" if covers[i] else ""
        rows.append([name + own, *([f"{100 * valid.members[i]:.2f}"] if valid else []), f"{100 * test.members[i]:.2f}"])
    rows.append([f"ensemble ({how})", *([f"{100 * valid.whole:.2f}"] if valid else []), f"{100 * test.whole:.2f}"])
    say(table(["network", *(["valid (%)"] if valid else []), "test (%)"], rows))
    accuracies = [
        {"network": name, "valid": valid.members[i] if valid else None, "test": test.members[i]}
        for i, name in enumerate(names)
    ]
    report(members=accuracies, combine=how, valid=valid.whole if valid else None, test=test.whole)
    report(images=len(images), errors=test.errors, shared=test.shared, mended=test.mended, spoilt=test.spoilt)
    report(oracle=test.oracle, diversity=test.diversity._asdict())
    s, d = summarize(test.members), test.diversity
    if any(covers):  # members for other questions are not to be compared with the whole
        say(f"{len(test.errors):,} errors on {len(images):,} images")
        return
    say(
        f"members on the test set: mean {100 * s.mean:.2f} %, sd {100 * s.sd:.2f}; "
        f"ensemble {100 * (test.whole - s.mean):+.2f} points from their mean, "
        f"{100 * (test.whole - s.maximum):+.2f} from the best of them"
    )
    if how == "stack":
        say("the stacking network was trained on the validation set: its validation accuracy is too high")
    say(
        f"pairs of members: disagreement {100 * d.disagreement:.2f} %, Q statistic {d.q:.3f}, "
        f"both wrong {100 * d.double_fault:.2f} %"
    )
    say(
        f"{len(test.errors):,} errors on {len(images):,} images: {test.shared:,} made by every member; "
        f"{test.mended:,} errors of the best member corrected, {test.spoilt:,} new ones; "
        f"at least one member is right on {100 * test.oracle:.2f} %"
    )
    for line in doubts(test, names, images.labels):
        say(f"warning: {line}")


def save_errors(whole: "Network", test: "Digits", path: Path) -> None:
    """A picture of the first test images that the whole gets wrong: "label → what it reads"."""
    from digitlab.data.grids import image_grid
    from digitlab.ensemble import gain
    from digitlab.viz.figures import save_figure

    found = gain(whole, test.images, test.labels)
    wrong = found.errors[:SHOWN]
    if not len(wrong):
        say("no errors; no picture is drawn")
        return
    names = test.class_names
    titles = [f"{names[test.labels[i]]} → {names[found.predicted[i]]}" for i in wrong]
    figure = image_grid(test.images[wrong], titles, columns=min(10, len(wrong)))
    figure.suptitle(f"The first {len(wrong)} of {len(found.errors)} errors: label → prediction")
    save_figure(figure, path)
    say(f"errors: {path}")
