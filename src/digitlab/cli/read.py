"""`digitlab read PHOTO…`: the digits on photos and scans."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.options import OutputFile

LOOK_EVERY = 1.0  # seconds between two looks into a watched folder


class Grid(click.ParamType[tuple[int, int]]):
    """Rows and columns of a form: "9x9"."""

    name = "grid"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Rows and columns; a usage error for other text."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,3})[x×,](\d{1,3})", str(value).strip().lower())
        if not found:
            self.fail(f"got {value!r}, expected rows and columns, such as 9x9", param, ctx)
        return int(found[1]), int(found[2])


@click.command("read")
@click.argument("net_and_photos", nargs=-1, metavar="[NET] PHOTO…")
@click.option("--net", help="Network: a file, a run folder, or `shipped`. [default: shipped]")
@click.option("--show", is_flag=True, help="Save the annotated photo and every stage as pictures; print their times.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for --show. [default: read-PHOTO]")
@click.option("--json", "as_json", is_flag=True, help="Print labels, probabilities and boxes as JSON.")
@click.option(
    "--csv", "csv_file", type=OutputFile("a table", ".csv"), help="File for the digits of all photos, a row each."
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Minimum confidence of a digit; other marks are reported as no digit.",
)
@click.option("--grid", type=Grid(), metavar="ROWSxCOLUMNS", help="Read a form cell by cell, such as a sudoku: 9x9.")
@click.option("--expect", type=click.IntRange(min=1), help="Number of digits on each photo, where it is known.")
@click.option("--watch", type=click.Path(path_type=Path), help="Folder to watch: read each picture that appears in it.")
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    metavar="TRUTH.JSON",
    help="File with the true labels, as `digitlab data make pages` writes it; errors are listed.",
)
def command(
    net_and_photos: tuple[str, ...],
    net: str | None,
    show: bool,
    out: Path | None,
    as_json: bool,
    csv_file: Path | None,
    min_confidence: float,
    grid: tuple[int, int] | None,
    expect: int | None,
    watch: Path | None,
    check: Path | None,
) -> None:
    """Recognize the handwritten digits on photos or scans, line by line.

    PHOTO is a JPEG, PNG, WebP, TIFF, BMP or GIF file: dark on light or light on dark, in any lighting, on ruled or
    coloured paper. NET, if given, comes first: a network file or a run folder. Other marks are reported as no digit.
    """
    import json

    from digitlab.cli.shared.console import say, tell
    from digitlab.cli.shared.networks import load_named, split_network
    from digitlab.cli.shared.readings import lines_of, save_stages, say_score, table_of, write_csv
    from digitlab.data.photos import open_photo
    from digitlab.data.synthetic.pages import read_truth
    from digitlab.errors import DigitlabError, quoted
    from digitlab.reading import read_grid, read_photo

    given = net is not None or not net_and_photos
    net, photos = (net, list(net_and_photos)) if given else split_network(net_and_photos)
    if not photos and watch is None:
        if net is None:
            raise click.UsageError("got no photo; expected `digitlab read PHOTO…` or `digitlab read --watch FOLDER`")
        raise click.UsageError(f"got the network {net} and no photo; expected `digitlab read {quoted(net)} PHOTO…`")
    if out is not None and len(photos) > 1:
        raise click.UsageError("--out names the folder of one photo's stages; leave it out for several photos")
    if grid is not None and expect is not None:
        raise click.UsageError("--expect is for photos without a grid: each cell is read by itself")
    truths = read_truth(check) if check is not None else {}  # before any photo is read
    path, network = load_named(net or "shipped")
    tables: dict[str, dict[str, Any]] = {}  # not the readings: each holds its photo in every stage

    def read_one(photo: str) -> None:
        picture = open_photo(photo)
        if grid is not None:
            reading = read_grid(network, picture, *grid, min_confidence=min_confidence)
        else:
            reading = read_photo(network, picture, min_confidence=min_confidence, expect=expect)
        tables[photo] = table_of(photo, reading)
        if not as_json:
            for line in lines_of(photo, reading):
                say(line)
        if expect is not None and len(reading.digits) < expect:
            tell(f"{photo}: found {len(reading.digits)} of the {expect} digits expected")
        if show or out is not None:
            folder = out or _own_folder(photo, photos)
            name = path.parent.name if path.name == "network.safetensors" else path.name
            save_stages(reading, folder, f"{Path(photo).name}, read by {name}")
            if not as_json:
                times = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in reading.seconds.items())
                say(f"stages: {folder} ({times})")
        if csv_file is not None:
            write_csv(tables.values(), csv_file)

    failed = ""
    for photo in photos:
        try:
            read_one(photo)
        except DigitlabError as error:
            if len(photos) == 1 and watch is None:
                raise
            failed = photo  # the others are read all the same
            tell(f"error: {error}")
    if watch is not None:
        _watch(watch, read_one)
    if as_json:
        say("[\n" + ",\n".join(map(json.dumps, tables.values())) + "\n]")
    if csv_file is not None and tables and not as_json:
        say(f"digits of {len(tables)} photo{'s' * (len(tables) != 1)}: {csv_file}")
    if check is not None:
        say_score(tables.values(), truths, check, err=as_json)
    if failed:
        raise click.exceptions.Exit(1)


def _watch(folder: Path, read_one: Callable[[str], None]) -> None:
    """Read every picture in a folder, and each that appears or changes, until Ctrl-C."""
    from digitlab.cli.shared.console import tell
    from digitlab.errors import DataError, DigitlabError

    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder; expected one to watch. Create it first.")
    tell(f"watching {folder}; press Ctrl-C to end")
    try:
        for photo in _new_pictures(folder):
            try:
                read_one(str(photo))
            except DigitlabError as error:
                tell(f"error: {error}")
    except KeyboardInterrupt:
        return


def _new_pictures(folder: Path) -> Iterator[Path]:
    """Pictures that are new or have changed, in the order of their names, as soon as their size stays the same."""
    import time

    from digitlab.data.photos import is_picture

    before: dict[Path, tuple[int, int]] = {}
    done: dict[Path, tuple[int, int]] = {}
    while True:
        now = {}
        for path in sorted(folder.iterdir()):
            with suppress(FileNotFoundError):  # removed a moment ago
                if not path.name.startswith(".") and path.is_file() and is_picture(path):
                    status = path.stat()
                    now[path] = (status.st_size, status.st_mtime_ns)
        for path, state in now.items():
            if before.get(path) == state and done.get(path) != state:
                done[path] = state
                yield path
        before = now
        time.sleep(LOOK_EVERY)


def _own_folder(photo: str, photos: Sequence[str]) -> Path:
    """`read-NAME`; where another photo has the same name, with its folder or ending, too."""
    stems = [Path(other).stem for other in photos]
    if stems.count(Path(photo).stem) == 1:
        return Path(f"read-{Path(photo).stem}")
    return Path("read-" + "-".join(part for part in Path(photo).parts if part not in ("/", "..", ".")))
