"""What was read on photos: as lines for people, as JSON, as CSV, as pictures of every stage, beside the truth."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitlab.reading import Read, Reading

FEW = 5  # marks that are no digit and are told of one by one: a patterned paper has hundreds
FAST = 1  # of PNG's levels of compression, up to 9: a photo's grain hardly shrinks, and level 6 takes twice the time
HEADING = ("photo", "line", "column", "label", "confidence", "left", "top", "right", "bottom")


def lines_of(photo: str, reading: "Reading") -> list[str]:
    """What was read, for people: each line of writing, each digit's confidence under it, and what is no digit."""
    from digitlab.data.photos.marks import MAX_MARKS

    count, rows = len(reading.digits), len(reading.lines)
    if not count:
        why = "the page is blank" if not reading.others else "no mark looks like one"
        lines = [f"{photo}: no digit found; {why}", f"  try: {reading.advice}"]
    else:
        lines = [f"{photo}: {count} digit{'s' * (count > 1)} in {rows} line{'s' * (rows > 1)}"]
    if reading.page.crowded and not reading.cells:
        lines.append(
            f"  warning: more than {MAX_MARKS:,} marks; the smallest were not read. Crop the picture into parts"
        )
    if reading.cells:
        return [lines[0], *(f"  {row}" for row in reading.text.split("\n"))]
    for row in reading.lines:
        lines.append("  " + "".join(f"{reading.class_names[d.label]:>5}" for d in row))
        lines.append("  " + "".join(f"{100 * d.confidence:>4.0f}%" for d in row))
    for other in reading.others[:FEW]:
        left, top, *_ = reading.page.in_photo(other.box)
        lines.append(f"  no digit at {left},{top}: {other.why_not}")
    if (more := len(reading.others) - FEW) > 0:
        lines.append(f"  and {more} more mark{'s' * (more > 1)} that {'are' if more > 1 else 'is'} no digit (--json)")
    return lines


def table_of(photo: str, reading: "Reading") -> dict[str, Any]:
    """What was read, as JSON; boxes are left, top, right, bottom in pixels of a picture of `size`, turned upright."""
    h, w = reading.page.size

    def box(read: "Read") -> list[int]:
        return list(reading.page.in_photo(read.box))

    return {
        "photo": photo,
        "size": [w, h],
        "text": reading.text,
        **({"cells": reading.cells} if reading.cells else {}),
        "digits": [
            {
                "label": reading.class_names[d.label],
                "confidence": round(d.confidence, 4),
                "line": d.line,
                "column": d.column,
                "box": box(d),
                "probabilities": [round(float(p), 4) for p in d.probabilities],
            }
            for d in reading.digits
        ],
        "others": [{"why_not": o.why_not, "box": box(o)} for o in reading.others],
    }


def save_stages(reading: "Reading", folder: Path, title: str) -> None:
    """The annotated photo and every stage: PNGs that are numbered as they follow, and all of them in one figure.

    All files are written, or none.
    """
    import numpy as np

    from digitlab.files import atomic_folder
    from digitlab.viz.figures import save_figure
    from digitlab.viz.reading import annotated_figure, stages_figure

    page, reads = reading.page, [*reading.digits, *reading.others]
    boxes = [r.box for r in reads]
    texts = [f"{reading.class_names[r.label]} {100 * r.confidence:.0f}%" if not r.why_not else "no" for r in reads]
    fine = [not r.why_not for r in reads]
    flat = np.clip(255 * (1 - page.ink.flat / page.ink.strength), 0, 255).astype(np.uint8)
    stages = [
        ("photo", page.photo),
        ("grey", np.round(255 * page.ink.grey).clip(0, 255).astype(np.uint8)),
        ("flattened", flat),
        ("binary", ~page.ink.binary),
        ("rules-removed", ~page.clean),
        ("marks", coloured_marks(reading)),
    ]
    images = np.stack([r.image for r in reads]) if reads else np.zeros((0, 28, 28), np.uint8)
    with atomic_folder(folder) as temporary:
        for number, (name, plane) in enumerate(stages, start=1):
            _save_png(temporary / f"{number}-{name}.png", plane)
        for number, read in enumerate(reads):
            _save_png(temporary / "digits" / f"{number:03}-{texts[number].replace(' ', '-')}.png", read.image)
        save_figure(annotated_figure(page.photo, boxes, texts, fine, title=title), temporary / "7-answers.png")
        save_figure(stages_figure(stages, boxes, texts, fine, images, title=title), temporary / "stages.png")


def coloured_marks(reading: "Reading") -> Any:
    """Each mark in a colour of its own on white, (H, W, 3); grey what is no digit."""
    import numpy as np

    from digitlab.viz.figures import COLOURS

    page = reading.page
    plane = np.full(page.photo.shape, 255, np.uint8)
    for number, read in enumerate([*reading.digits, *reading.others]):
        colour = "#999999" if read.why_not else COLOURS[number % len(COLOURS)]
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        left, top, right, bottom = read.box
        plane[top:bottom, left:right][read.mask] = rgb
    return plane


def _save_png(path: Path, plane: Any) -> None:
    from PIL import Image

    from digitlab.files import atomic_write

    with atomic_write(path) as temporary:
        Image.fromarray(plane).save(temporary, compress_level=FAST)


def say_score(tables: Iterable[dict[str, Any]], truths: dict[str, Any], check: Path, *, err: bool) -> None:
    """Compare the tables of the photos (see table_of) with the labels from the file: counts, and every failure."""
    from digitlab.cli.shared.console import say, tell
    from digitlab.data.photos.scoring import Score, score_reading

    write, score = tell if err else say, Score()
    for table in tables:
        name = Path(table["photo"]).name
        if name not in truths:
            tell(f"{check} has no labels for {name}")
            continue
        read = [(int(d["label"]), tuple(d["box"])) for d in table["digits"]]
        score += score_reading(truths[name], read, name=name)
    for failure in score.failures:
        write(failure)
    write(str(score))


def write_csv(tables: Iterable[dict[str, Any]], path: Path) -> None:
    """Write every digit of several photos, a row each, atomically; a photo without digits has a row without a label."""
    import csv
    import io

    from digitlab.files import write_text

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADING)
    for table in tables:
        if not table["digits"]:
            writer.writerow([table["photo"]] + [""] * (len(HEADING) - 1))
        for d in table["digits"]:
            row = [table["photo"], d["line"], d["column"], d["label"], f"{d['confidence']:.4f}", *d["box"]]
            writer.writerow(row)
    write_text(path, text.getvalue())
