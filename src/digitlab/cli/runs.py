"""`digitlab runs list|note|rename|remove`: the runs that there are, and what you wrote about them."""

from pathlib import Path

import click

from digitlab.cli.shared.options import Group
from digitlab.cli.shared.runs import choosing_options

run_argument = click.argument("run")


@click.group("runs", cls=Group)
def command() -> None:
    """List runs, write notes on them, rename or remove them.

    RUN is a run's folder, its name in runs/, or its number.
    """


@command.command("list")
@click.argument("folders", nargs=-1, metavar="[RUN]…", type=click.Path(path_type=Path))
@choosing_options
def list_(folders: tuple[Path, ...], sort: str | None, filters: tuple[str, ...]) -> None:
    """List runs with their best result, note and tags; a group is one line, with its best run.

    RUN is a folder; a group's runs are then listed one by one. [default: all in runs/]
    """
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.runs import chosen
    from digitlab.errors import ConfigError
    from digitlab.run_folders import RUNS, is_group, is_run
    from digitlab.train.columns import score
    from digitlab.train.run_list import Run, read_note, read_runs

    places = list(folders) or sorted(path for path in RUNS.glob("*") if is_run(path) or is_group(path))
    if not places:
        raise ConfigError("there is no run in runs/; train one with: digitlab train")
    runs, left = read_runs(places)
    for line in left:
        say(f"left out: {line}")
    groups: dict[Path, list[Run]] = {}
    for run in chosen(runs, sort, filters):
        alone = folders or not is_group(run.folder.parent)
        groups.setdefault(run.folder if alone else run.folder.parent, []).append(run)
    rows = []
    for place, members in groups.items():
        best = max(members, key=lambda run: score(run.monitor, run.result))
        several = f"{len(members)} × {best.epochs}" if is_group(place) else best.epochs
        name = place.name if place.parent == RUNS else str(place)
        rows.append([name, str(read_note(place)), several, best.monitor, best.best])
    say(table(["run", "note", "epochs", "monitored", "best"], rows, left=2))


@command.command("note")
@run_argument
@click.argument("text", required=False)
@click.option("--tag", "tags", multiple=True, help="Tag to add, one word.")
@click.option("--untag", "former", multiple=True, metavar="TAG", help="Tag to remove.")
@click.option("--clear", is_flag=True, help="Remove note and tags.")
def note(run: str, text: str | None, tags: tuple[str, ...], former: tuple[str, ...], clear: bool) -> None:
    """Write a note on a run, or print the note that it has.

    The note and tags are in note.toml in the run's folder. TEXT replaces the note; tags are added.
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.runs import place_of
    from digitlab.errors import ConfigError
    from digitlab.train.run_list import Note, read_note, write_note

    place = place_of(run)
    if unfit := [tag for tag in tags if not tag or set(tag) & set(" ,#")]:
        raise ConfigError(f"--tag: got {unfit[0]!r}, expected one word without commas and #")
    before = Note() if clear else read_note(place)
    kept = [tag for tag in dict.fromkeys((*before.tags, *tags)) if tag not in former]
    after = Note(before.text if text is None else text, tuple(kept))
    if clear or after != before:
        write_note(place, after)
    say(f"{place}: {after}" if after != Note() else f"{place}: has no note")


@command.command("rename")
@run_argument
@click.argument("name")
def rename(run: str, name: str) -> None:
    """Give a run's folder another name, in the folder where it is."""
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.runs import place_of
    from digitlab.errors import ConfigError

    place = place_of(run)
    if Path(name).name != name or name in ("", ".", ".."):
        raise ConfigError(f"got {name!r}, expected a name without a folder; the run stays in {place.parent}")
    target = place.with_name(name)
    if target.exists():
        raise ConfigError(f"{target}: is there already; choose another name")
    place.rename(target)
    say(f"{place} is now {target}")


@command.command("remove")
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@click.option("--yes", is_flag=True, help="Remove without asking.")
def remove(runs: tuple[str, ...], yes: bool) -> None:
    """Remove runs with all of their files.

    A folder that is no run, or holds a folder that is none, is not removed.
    """
    import shutil
    import sys

    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.runs import place_of, require_removable
    from digitlab.errors import ConfigError
    from digitlab.run_folders import is_group, runs_in

    places = list(dict.fromkeys(place_of(run) for run in runs))
    for place in places:
        require_removable(place)
    for place in places:
        what = f"{place}, a group of {len(runs_in(place))} runs" if is_group(place) else str(place)
        try:
            wanted = yes or click.confirm(f"remove {what}?")
        except click.Abort:
            if sys.stdin.isatty():  # Ctrl-C
                raise
            raise ConfigError(f"remove {what}? got no answer; to remove without asking, add --yes") from None
        if wanted:
            shutil.rmtree(place)
            say(f"removed: {place}")
