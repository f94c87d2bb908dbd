"""The members of an ensemble: networks from files, or new ones, trained as `digitlab train` trains them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.cli.shared import train_settings
from digitlab.cli.shared.console import say
from digitlab.cli.shared.ensemble_gain import say_gain
from digitlab.errors import quoted

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.nn import Network
    from digitlab.train import RunConfig


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
