"""`digitlab train`: from options, a settings file or an earlier run to a trained network in a run folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from digitlab.cli.shared.group import Grid, train_group
from digitlab.cli.shared.options import from_file_option, option_name, settings_options
from digitlab.settings import NetworkSettings, settings_of

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.train import Callback, RunConfig, Trainer

CHEAP = 100  # forward passes that a gradient may take without a word
MEASURED = 100  # forward passes that tell how long one takes
PREDICTIONS = "predictions.npz"  # as in train/recorders.py, which is not imported until training starts


@click.command("train")
@settings_options()
@click.option("--run", "folder", type=click.Path(path_type=Path), help="Folder of the run. [default: runs/NUMBER-NET]")
@click.option(
    "--resume", is_flag=True, help="Continue a run (--run, or the latest one); --epochs may set a higher number."
)
@click.option(
    "--preset",
    metavar="NAME",
    help="Name of a recipe: sprint (99 % in seconds), minute (99.5 %), best, or ensemble (five of best).",
)
@from_file_option
@click.option("--record", is_flag=True, help="Record predictions, gradient norms and the network of every epoch.")
@click.option("--watch", is_flag=True, help="Plot loss and accuracy in the terminal during the training.")
@click.option(
    "--test-each-epoch", is_flag=True, help="Also measure the test set after each epoch. Do not choose settings by it."
)
@click.option(
    "--log",
    "logs",
    type=click.Choice(["csv", "tensorboard", "mlflow"]),
    multiple=True,
    help="Also log every epoch to a CSV file, TensorBoard or MLflow; may be repeated.",
)
@click.option(
    "--seeds", type=click.IntRange(1), metavar="N", help="Number of networks to train, each with its own seed."
)
@click.option(
    "--grid",
    type=Grid(),
    multiple=True,
    help="Option and values to vary, one network each; several --grid are combined.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Number of networks to train at the same time. [default: one per processor]",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Address of a Dask scheduler that trains many networks: tcp://HOST:8786, or local.",
)
def command(
    folder: Path | None,
    resume: bool,
    from_file: Path | None,
    record: bool,
    watch: bool,
    test_each_epoch: bool,
    logs: tuple[str, ...],
    seeds: int | None,
    grid: tuple[tuple[str, list[str]], ...],
    workers: int | None,
    cluster: str | None,
    **chosen: Any,
) -> None:
    """Train a network, by default 784-30-10 on MNIST.

    The default is the network of Nielsen's chapter 1 with the scaled initial weights of his chapter 3; --net chapter1
    draws them from N(0, 1), as in chapter 1. The run's folder holds settings, history, curves, a checkpoint and the
    best network. Settings of an optimizer or schedule follow a colon: --optimizer momentum:momentum=0.8, --schedule
    halve:patience=5. The defaults below are those of a network given by its layer sizes; a named network (`digitlab
    nets`), --preset and --from have other defaults.
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.progress import training_progress
    from digitlab.cli.shared.sets import load_sets
    from digitlab.cli.shared.train_network import title
    from digitlab.cli.shared.train_settings import changes, settings
    from digitlab.errors import ConfigError
    from digitlab.run_folders import newest_run, run_folder
    from digitlab.train import resume_run, start_run
    from digitlab.viz.curves import CurvesPicture

    given = {name: value for name, value in chosen.items() if value is not None}
    group = (
        resume and folder is not None and not (folder / "config.toml").exists() and any(folder.glob("*/config.toml"))
    )
    if members := members_of(given):
        if seeds or grid or resume or record or watch or test_each_epoch or logs:
            raise click.UsageError(
                "this preset trains an ensemble; leave out --seeds, --grid, --resume, --record, --watch, --log and "
                "--test-each-epoch (to continue one, give the same command with its --run)"
            )
        from digitlab.cli.shared.ensemble_members import train_ensemble

        train_ensemble(given | ({"from_file": from_file} if from_file else {}), members, folder, workers, cluster)
        return
    if seeds or grid or workers or cluster or group:
        if record or watch or test_each_epoch or logs:
            raise click.UsageError(
                "--record, --watch, --test-each-epoch and --log are for one network; "
                "leave them out with --seeds or --grid"
            )
        train_group(given, folder, resume, from_file, seeds, grid, cluster, workers)
        return
    shown, extras = training_progress(curves=watch), Extras(record, test_each_epoch, logs)
    if resume:
        folder = folder or newest_run()
        _only_epochs({**given, **({"from_file": from_file} if from_file else {})}, folder)
        config, trainer = resume_run(folder, [shown, CurvesPicture(folder)], **given)
        splits = load_sets(config.data)
        say(f"resuming {folder} after epoch {len(trainer.history)}")
        if len(trainer.history) >= config.epochs:
            say(f"all {config.epochs} epochs are done; continue with --epochs {2 * len(trainer.history)}")
        begin(trainer, config, splits, folder, extras)
    else:
        config, splits = settings(given, from_file)
        if line := changes(given, [config]):
            say(line)
        with run_folder(folder, title(given, config)) as place:
            if (place / "config.toml").exists():
                raise ConfigError(f"{place}: already holds a run; continue it by --resume, or choose another folder")
            trainer = start_run(config, place, [shown, CurvesPicture(place)])
            begin(trainer, config, splits, place, extras)


def members_of(given: dict[str, Any]) -> int:
    """How many networks the preset trains, if it is an ensemble's; else 0."""
    if "preset" not in given:
        return 0
    from digitlab.train.presets import preset

    return preset(given["preset"]).members


class Extras(NamedTuple):
    """What a training records besides its history: predictions, the test set after each epoch, logs."""

    record: bool = False
    test: bool = False
    logs: tuple[str, ...] = ()


def begin(trainer: "Trainer", config: "RunConfig", splits: "Splits", folder: Path, extras: Extras) -> None:
    """Say what is about to be trained on what, and train."""
    from digitlab.cli.shared.console import say
    from digitlab.train.run import SaveRun

    say(f"{splits.train!r}; {len(splits.valid or ()):,} to validate, {len(splits.test):,} to test")
    if trainer.augment is not None:
        say(f"training images augmented in every epoch: {trainer.augment.spec}")
    say(trainer.network.summary())
    if line := gradient_cost(trainer, splits):
        say(line)
    trainer.callbacks += loggers(extras.logs, folder, config)
    if extras.record or (folder / PREDICTIONS).exists():
        # Before those that save: see recorders.py.
        at = next(i for i, callback in enumerate(trainer.callbacks) if isinstance(callback, SaveRun))
        trainer.callbacks[at:at] = recorders(folder, splits)
    test = extras.test or (len(trainer.history) > 0 and "test_loss" in trainer.history[-1])
    if test:
        say("the test set is measured after each epoch: do not choose settings or an epoch by it")
    train(trainer, config, splits, folder, test=test)


def loggers(names: Sequence[str], folder: Path, config: "RunConfig") -> "list[Callback]":
    """The callbacks of --log. Raises ConfigError for a program that is not installed."""
    from digitlab.train import CsvLog, MLflowLog, TensorBoardLog

    def mlflow() -> "Callback":
        table = config.table()
        plain = {name: value for name, value in table.items() if isinstance(value, str | int | float)}
        return MLflowLog(run=str(folder), optimizer=repr(config.optimizer), **plain)

    made = {
        "csv": lambda: CsvLog(folder / "history.csv"),
        "tensorboard": lambda: TensorBoardLog(folder / "tensorboard"),
        "mlflow": mlflow,
    }
    return [made[name]() for name in dict.fromkeys(names)]


def gradient_cost(trainer: "Trainer", splits: "Splits") -> str:
    """What a gradient of many loss evaluations costs: their number, and how long an epoch takes; "" for a cheap one."""
    import math
    import time

    from digitlab.gradients.loss_at import LossAt
    from digitlab.nn.examples import examples
    from digitlab.train.callbacks import duration

    gradient, size = trainer.gradient, trainer.batch_size
    if gradient is None or (passes := gradient.evaluations(trainer.network)) <= CHEAP:
        return ""
    x, y = examples(splits.train.first(size), trainer.network, "training set")
    with LossAt(trainer.network.copy(), x, y, dtype=getattr(gradient, "dtype", "float64")) as loss:
        loss(loss.start)
        began = time.perf_counter()
        for _ in range(MEASURED):
            loss(loss.start.copy())
        seconds = (time.perf_counter() - began) / MEASURED
    steps = math.ceil(len(splits.train) / size)
    return (
        f"{gradient!r} needs {passes:,} evaluations of the loss per step: an epoch of {steps:,} steps takes roughly "
        f"{duration(passes * steps * seconds)} (measured on {MEASURED} evaluations)"
    )


def recorders(folder: Path, splits: "Splits") -> "list[Callback]":
    """What --record adds: networks, predictions for the images that validate (or test), gradient norms on others."""
    from digitlab.train.recorders import RecordGradients, RecordNetworks, RecordPredictions

    part, watched = ("valid", splits.valid) if splits.valid is not None else ("test", splits.test)
    few = splits.train.first(min(1000, len(splits.train)))
    return [
        RecordPredictions(folder, watched.images, watched.labels, part=part),
        RecordGradients(folder, few.images, few.labels),
        RecordNetworks(folder),
    ]


def train(trainer: "Trainer", config: "RunConfig", splits: "Splits", folder: Path, *, test: bool = False) -> None:
    """Run the training, then print the result and where it is saved.

    The test set is used once, here, or after each epoch as well with `test`.
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.endings import say_findings
    from digitlab.errors import DivergenceError, quoted
    from digitlab.train.averaging import Averaging
    from digitlab.train.callbacks import duration
    from digitlab.train.columns import unit

    file = folder / "network.safetensors"
    try:
        history = trainer.fit(
            splits.train,
            splits.valid,
            splits.test if test else None,
            epochs=config.epochs,
            sample_weights=config.example_weights(),
        )
    except DivergenceError as error:
        say(f"saved: {file} ({error.held})")
        say(f"next: digitlab doctor {quoted(folder)}")
        raise
    if len(history):
        best = trainer.best.epoch if trainer.best is not None and trainer.keep == "best" else len(history)
        s = history.statistics(trainer.monitor)
        monitored = unit(trainer.monitor)
        if s.epochs == 1:
            say(f"{trainer.monitor} after 1 epoch: {monitored.shown(s.best)}")
        else:
            say(
                f"{trainer.monitor} over {s.epochs} epochs: best {monitored.shown(s.best)} (epoch {s.best_epoch}), "
                f"mean {monitored.text(s.mean)}, sd {monitored.text(s.sd)}, range {monitored.text(s.range)}"
            )
        seconds = sum(history.column("seconds"))
        spent = f"{seconds:.2f} s" if seconds < 10 else duration(seconds)
        say(f"{spent} of training by {trainer.engine_reason}")
        loss, accuracy = trainer.evaluate(splits.test)
        figure = f"{100 * accuracy:.2f} % correct" if accuracy is not None else f"loss {loss:.6f}"
        whose = f"network of epoch {best}"
        if any(isinstance(callback, Averaging) and callback.count for callback in trainer.callbacks):
            whose = "average of the weights"
            if (average := history[-1].get(f"average_{trainer.monitor}")) is not None:
                say(f"{whose}: {trainer.monitor} {monitored.shown(average)}")
        say(f"test set, {whose}: {figure}")
        say_findings(folder, splits)
    say(f"saved: {file}")
    if trainer.interrupted:
        say(f"continue with: digitlab train --run {quoted(folder)} --resume")
        raise KeyboardInterrupt


def _only_epochs(given: dict[str, Any], folder: Path) -> None:
    """UsageError for an option that a resume cannot change, with the command that can."""
    other = [name for name in given if name != "epochs"]
    if not other:
        return
    option = f"--{option_name(other[0])}"
    if other[0] in (*settings_of(NetworkSettings), "preset", "start"):
        advice = "leave --resume out to train another network"
    else:
        value = f" {given[other[0]]}" if isinstance(given[other[0]], int | float | str) else " …"
        advice = f"to train on with other settings: digitlab train --from {folder} {option}{value}"
    raise click.UsageError(
        f"--resume keeps the settings of the run; {option} cannot change them (--epochs can); {advice}"
    )
