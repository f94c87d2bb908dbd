"""`digitlab ensemble NET…`: several networks as one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared import train_settings
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
    from digitlab.data import Digits, Splits
    from digitlab.nn import Network
    from digitlab.train import RunConfig

SHOWN = 40  # errors in the picture


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


def saved_members(nets: tuple[str, ...]) -> "tuple[list[Network], list[list[int]], list[str], list[Path]]":
    """The networks that are named, what each is a specialist for, what to call them, and their files."""
    from digitlab.cli.shared.networks import load_named
    from digitlab.ensemble.making import covers_for
    from digitlab.train import RunConfig

    paths: list[str] = []
    for net in nets:
        inside = sorted(Path(net).glob("*/network.safetensors")) if Path(net).is_dir() else []
        own = (Path(net) / "network.safetensors").is_file()
        paths += [str(path) for path in inside] if inside and not own else [net]
    networks, covers, names, files = [], [], [], []
    for name in paths:
        path, network = load_named(name)
        beside = path.parent / "config.toml"
        specialist = path.name == "network.safetensors" and beside.is_file()
        networks.append(network)
        files.append(path)
        covers += covers_for([RunConfig.load(beside, run=True)]) if specialist else [[]]
        names.append(path.parent.name if path.name == "network.safetensors" else path.stem)
    return networks, covers, names, files


def fresh_members(
    given: dict[str, Any], kind: str, members: int, folder: Path | None, workers: int | None, cluster: str | None
) -> "tuple[list[Network], list[list[int]], list[str], Splits]":
    """Train the members and return them, as `saved_members` does, with the sets they learned from."""
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.endings import say_diagnoses
    from digitlab.cli.shared.progress import GroupProgress
    from digitlab.cli.shared.train_network import title
    from digitlab.ensemble.making import covers_for, member_configs
    from digitlab.errors import DigitlabError
    from digitlab.parallel import train_many
    from digitlab.run_folders import run_folder

    config, splits = train_settings.settings(given, given.pop("from_file", None))
    configs = member_configs(config, kind, members, len(splits.test.class_names))
    with run_folder(folder, f"{title(given, config)}-{kind}") as place:
        if kind == "snapshots":
            networks = train_snapshots(configs[0], splits, place, members)
            return networks, [[] for _ in networks], [f"snapshot {i + 1}" for i in range(len(networks))], splits
        names = [f"member-{i + 1}" for i in range(members)]
        together = train_many(
            configs, names=names, folder=place, workers=workers, cluster=cluster, watcher=GroupProgress()
        )
        say(f"members: {place}; {together.seconds:.1f} s in all, {together.reason}")
        if together.interrupted:
            say(f"continue with the same command and --run {quoted(place)}")
            raise KeyboardInterrupt
        if failed := [outcome for outcome in together.outcomes if outcome.error]:
            raise DigitlabError(f"{failed[0].name}: {failed[0].error}")
        say_diagnoses([(o.name, o.diagnosis) for o in together.outcomes])
        return together.networks(), covers_for(configs), names, splits


def train_ensemble(
    given: dict[str, Any], members: int, folder: Path | None, workers: int | None, cluster: str | None
) -> None:
    """Train networks that differ in their seed only, and save them as one network, the mean of their outputs."""
    from digitlab.cli.shared.console import say
    from digitlab.ensemble import combine
    from digitlab.run_folders import run_folder

    with run_folder(folder, given["preset"]) as place:
        networks, covers, names, splits = fresh_members(given, "seeds", members, place, workers, cluster)
        whole, out = combine(networks, "mean"), place / "ensemble.safetensors"
        whole.save(out)
        say_gain(whole, names, splits.valid, splits.test, "mean", covers)
        say(f"saved: {out} ({out.stat().st_size:,} bytes); try: digitlab test {quoted(out)}")


def train_snapshots(config: "RunConfig", splits: "Splits", folder: Path, members: int) -> "list[Network]":
    """One training that leaves a network behind at the end of each cycle."""
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.endings import say_diagnosis
    from digitlab.cli.shared.progress import training_progress
    from digitlab.doctor.callback import Diagnose
    from digitlab.ensemble.making import Snapshots, snapshot_networks
    from digitlab.parallel.run_folders import prepare
    from digitlab.train import resume_run, start_run

    diagnose = Diagnose()
    callbacks = [training_progress(), Snapshots(folder, members), diagnose]
    if (folder / "config.toml").is_file():
        prepare(folder, "snapshots", config)  # refuses another run's folder
        _, trainer = resume_run(folder, callbacks)
    else:
        trainer = start_run(config, folder, callbacks)
    trainer.fit(splits.train, splits.valid, epochs=config.epochs, sample_weights=config.example_weights())
    if trainer.interrupted:
        say(f"continue with the same command and --run {quoted(folder)}")
        raise KeyboardInterrupt
    say_diagnosis(diagnose.found)
    return snapshot_networks(folder)


def say_gain(
    whole: "Network", names: list[str], validation: "Digits | None", images: "Digits", how: str, covers: list[list[int]]
) -> None:
    """The table of members and whole, then diversity and errors; the test set chooses nothing here."""
    from digitlab.cli.shared.console import say, table
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
        say(f"{len(test.errors)} errors on {len(images):,} images")
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
        f"{len(test.errors)} errors on {len(images):,} images: {test.shared} made by every member; "
        f"{test.mended} errors of the best member corrected, {test.spoilt} new ones; "
        f"at least one member is right on {100 * test.oracle:.2f} %"
    )
    for line in doubts(test, names, images.labels):
        say(f"warning: {line}")


def save_errors(whole: "Network", test: "Digits", path: Path) -> None:
    """A picture of the first test images that the whole gets wrong: "label → what it reads"."""
    from digitlab.cli.shared.console import say
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
