"""`digitlab ensemble NET…`: several networks as one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.json_output import json_option, report
from digitlab.cli.shared.looking import PART_HELP, SOURCE_HELP
from digitlab.cli.shared.options import (
    READING,
    OutputFile,
    PictureFile,
    data_options,
    from_file_option,
    settings_options,
)
from digitlab.errors import quoted

if TYPE_CHECKING:
    from digitlab.data import Digits


@click.command("ensemble")
@click.argument("nets", nargs=-1)
@click.option(
    "--combine",
    "how",
    type=click.Choice(["vote", "mean", "weighted", "stack"]),
    default="vote",
    show_default=True,
    help="Method that combines the outputs of the members.",
)
@click.option(
    "--train",
    "kind",
    metavar="KIND",
    help="Method that trains new members: seeds, bagging, shares, specialists, parts, snapshots.",
)
@click.option("--members", type=click.IntRange(2), default=5, show_default=True, help="Number of new members to train.")
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the new members; a training that was interrupted continues there.",
)
@click.option(
    "--out",
    type=OutputFile("a network", ".safetensors", bare=True),
    default=Path("ensemble.safetensors"),
    show_default=True,
    help="File of the ensemble.",
)
@data_options(part=PART_HELP, default="", source_help=SOURCE_HELP)
@click.option(
    "--errors", type=PictureFile(), help="File for a picture of the test images that the ensemble misclassifies."
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Number of members to train at the same time. [default: one per processor]",
)
@click.option(
    "--cluster", metavar="ADDRESS", help="Address of a Dask scheduler that trains them: tcp://HOST:8786, or local."
)
@settings_options(without=("start", "source", *READING))
@from_file_option
@json_option
def command(
    nets: tuple[str, ...],
    how: str,
    kind: str | None,
    members: int,
    folder: Path | None,
    out: Path,
    data: dict[str, Any],
    part: str | None,
    errors: Path | None,
    workers: int | None,
    cluster: str | None,
    **chosen: Any,
) -> None:
    """Combine several networks into one, and report the gain on the test images.

    NET… are files, run folders, or folders of groups. With --train, new members are trained in parallel with the
    settings of `digitlab train`. The result is one file that every command reads like a network.
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.ensemble_gain import save_errors, say_gain
    from digitlab.cli.shared.ensemble_members import fresh_members, saved_members
    from digitlab.ensemble import combine

    given = {name: value for name, value in chosen.items() if value is not None}
    if bool(nets) == bool(kind):
        raise click.UsageError("give networks to combine, or --train KIND to train new ones; not both")
    if nets and (given or folder or cluster or workers):
        raise click.UsageError("training settings need --train; saved networks are used unchanged")
    if nets:
        networks, covers, names, files = saved_members(nets)
        if twice := [str(file) for file in files if files.count(file) > 1]:
            raise click.UsageError(f"{twice[0]} is named twice; an ensemble counts each member once")
        refuse_seen(files, how)
        valid, test = judges(files, how, data, part)
        if len(networks) < 2:
            raise click.UsageError(f"got one network, {files[0]}; expected at least two to combine")
    else:
        networks, covers, names, splits = fresh_members(given | data, str(kind), members, folder, workers, cluster)
        valid, test = splits.valid, splits.part(part or "test")
    whole = combine(networks, how, valid=valid, covers=covers, classes=len(test.class_names))
    whole.save(out)
    say_gain(whole, names, valid, test, how, covers)
    if errors is not None:
        save_errors(whole, test, errors)
    report(saved=out)
    say(f"saved: {out} ({out.stat().st_size:,} bytes); try: digitlab test {quoted(out)}")


def judges(files: "Sequence[Path]", how: str, data: dict[str, Any], part: str | None) -> "tuple[Digits | None, Digits]":
    """The validation images that weigh saved members, or None, and the images that judge the whole."""
    from digitlab.cli.shared.looking import digits_for
    from digitlab.errors import DataError

    part = part or ("test" if how in ("weighted", "stack") else None)
    test, name = digits_for(files[0], data, part, also=files[1:])
    if name != "test":
        return None, test
    try:
        return digits_for(files[0], data, "valid", also=files[1:])[0], test
    except DataError:  # the source sets none aside
        return None, test


def refuse_seen(files: "Sequence[Path]", how: str) -> None:
    """ConfigError if members are to be judged by validation images that one of them was trained on."""
    from digitlab.errors import ConfigError
    from digitlab.train import RunConfig

    for file in files if how in ("weighted", "stack") else ():
        config = file.parent / "config.toml"
        if config.is_file() and RunConfig.load(config, run=True).data.get("split") == "60k/10k":
            raise ConfigError(
                f"{file}: was trained on the validation images, too (split 60k/10k), so --combine {how} cannot judge "
                "it by them; use vote or mean"
            )
