"""What `digitlab compare` trains when it is given settings instead of runs: every choice, with several seeds."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from digitlab.cli.shared.options import SETTINGS, Spec
from digitlab.errors import ConfigError, DivergenceError

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.doctor.ailment import Diagnosis
    from digitlab.train import History, RunConfig

LISTS = {setting.plural: name for name, setting in SETTINGS.items() if setting.plural}
MOST = 100  # trainings at once: above that, somebody meant something else


class Named(NamedTuple):
    """One of the choices: as it was typed, and as a table."""

    text: str
    table: dict[str, Any]


class Specs(click.ParamType[Any]):
    """Several choices of a family: `sgd,momentum:momentum=0.8,adam:beta1=0.8,beta2=0.99`."""

    name = "names"

    def __init__(self, family: str) -> None:
        self.one = Spec(family)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        from digitlab.nn.describe import separate

        texts = separate(value)
        if len(texts) < 2:
            self.fail(f"{value!r}: expected at least two, separated by commas", param, ctx)
        if len(set(texts)) < len(texts):
            self.fail(f"{value!r}: one of them occurs twice", param, ctx)
        return [Named(text, self.one.convert(text, param, ctx)) for text in texts]


def lists_options(function: Any) -> Any:
    """Add the options that take several values of a setting, such as --optimizers."""
    for name, single in reversed(LISTS.items()):
        text = f"Several values of --{single} to compare, separated by commas."
        function = click.option(f"--{name}", type=Specs(SETTINGS[single].family), metavar="NAME,…", help=text)(function)
    return function


class Trained(NamedTuple):
    """The histories of every choice, one for each seed 0, 1 ...; and which trainings went wrong, by name."""

    histories: "dict[str, list[History]]"
    diagnoses: "list[tuple[str, Diagnosis | None]]"
    failed: list[tuple[str, str]]

    def diverged(self, choice: str) -> int:
        """How many trainings of a choice ended with an error."""
        return sum(name.startswith(f"{choice}, seed ") for name, _ in self.failed)


class Choice(NamedTuple):
    """A combination of what is compared: what to call it, its training, without the seed."""

    name: str
    config: "RunConfig"


def choices(given: dict[str, Any], lists: dict[str, list[Named]]) -> "tuple[list[Choice], Splits]":
    """Every combination of the lists, each with the other settings; and the data, read once."""
    from digitlab.cli.shared.train_network import network_table
    from digitlab.cli.shared.train_settings import recipe_table, settings, with_options
    from digitlab.train import RunConfig

    if "learning_rate" in given and any("learning_rate" in named.table for named in lists.get("optimizers", ())):
        raise click.UsageError("--learning-rate and an optimizer with a rate of its own contradict each other")
    config, splits = settings(given, None)
    recipe = recipe_table(given)  # its optimizer holds where none is given; a rate that it does not name fits each loss
    found = []
    for combination in itertools.product(*lists.values()):
        varied = dict(zip((LISTS[name] for name in lists), (named.table for named in combination)))
        options = {**given, **varied}
        network = network_table(options, splits, fell_back=given["fell_back"])
        table = config.table() | {"network": network, "optimizer": recipe.get("optimizer", "SGD")}
        table = with_options(table, options)
        found.append(Choice(", ".join(named.text for named in combination), RunConfig.from_table(table)))
    return found, splits


def train_all(
    found: "Iterable[Choice]", splits: "Splits", seeds: int, say: Callable[[str], None], advance: Callable[[int], None]
) -> Trained:
    """Train every choice with each seed 0, 1 ..."""
    from digitlab.doctor.callback import Diagnose
    from digitlab.train import Callback
    from digitlab.train.columns import unit

    class Advance(Callback):
        def on_epoch_end(self, trainer: Any, row: Any) -> None:
            advance(1)

    trained = Trained({}, [], [])
    for choice in found:
        trained.histories[choice.name] = []
        for seed in range(seeds):
            diagnose, name = Diagnose(), f"{choice.name}, seed {seed}"
            trainer = dataclasses.replace(choice.config, seed=seed).trainer([Advance(), diagnose])
            try:
                weights = choice.config.example_weights()
                trainer.fit(splits.train, splits.valid, epochs=choice.config.epochs, sample_weights=weights)
                if trainer.interrupted:
                    raise KeyboardInterrupt
            except DivergenceError as error:
                trained.failed.append((name, str(error)))
                say(f"{name}: {error}")
            else:
                s = trainer.history.statistics(trainer.monitor)
                best, seconds = unit(trainer.monitor).shown(s.best), sum(trainer.history.column("seconds"))
                say(f"{name}: {trainer.monitor} {best} (epoch {s.best_epoch}), {seconds:.2f} s")
            trained.diagnoses.append((name, diagnose.found))
            trained.histories[choice.name].append(trainer.history)
    if not any(len(history) for several in trained.histories.values() for history in several):
        raise ConfigError(f"every training diverged in its first epoch; {trained.failed[0][1]}")
    return trained


def summary(found: "Iterable[Choice]", trained: Trained) -> list[list[str]]:
    """A row for each choice: its learning rate, the monitored column at its best and at the end, seconds."""
    from digitlab.statistics import summarize
    from digitlab.train.columns import unit

    rows = []
    for choice in found:
        several = [history for history in trained.histories[choice.name] if len(history)]
        row = [choice.name, f"{choice.config.optimizer.learning_rate:g}"]
        monitor = monitored(several)
        scale, _, digits = unit(monitor)
        best = [scale * history.statistics(monitor).best for history in several]
        last = [scale * history[-1][monitor] for history in several]
        seconds = [sum(history.column("seconds")) for history in several]
        columns = [(best, digits), (last, digits), ([h[-1]["train_loss"] for h in several], 4), (seconds, 2)]
        row += [summarize(v).text(f"{{:.{n}f}}".format) if v else "–" for v, n in columns]
        rows.append([*row, str(trained.diverged(choice.name) or "")])
    return rows


def monitored(histories: "Iterable[History]") -> str:
    """The column to judge by: the one that chose the best epochs."""
    return next((history.monitored() for history in histories if len(history)), "valid_accuracy")
