"""Everything that decides a training, in one table: what `config.toml` in a run folder holds."""

import copy
import dataclasses
import json
import math
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from digitlab.data.augment import parse_augmentation
from digitlab.engine.select import require_device
from digitlab.errors import ConfigError, ShapeError, did_you_mean, in_brief
from digitlab.files import require_suffix, write_text
from digitlab.nn.describe import FAMILIES, build, choices, describe, find, spec_table
from digitlab.nn.io.building import KEYS, allowing, build_network
from digitlab.nn.io.building import in_full as network_in_full
from digitlab.nn.io.building import in_short as network_in_short
from digitlab.nn.io.description import describe_network
from digitlab.nn.io.loading import load_network
from digitlab.nn.io.stored import stored
from digitlab.nn.network import Network
from digitlab.optim import Optimizer
from digitlab.optim.regularizers import Regularizer
from digitlab.settings.data import DataTable
from digitlab.settings.data import in_full as data_in_full
from digitlab.settings.data import in_short as data_in_short
from digitlab.settings.schema import Setting, settings_of, with_settings
from digitlab.settings.training import ShortSettings, TrainingSettings
from digitlab.synonyms import meant
from digitlab.train.averaging import NoAveraging
from digitlab.train.callbacks import Callback, EarlyStopping
from digitlab.train.default_rate import settled
from digitlab.train.trainer import TRAINER, Trainer
from digitlab.train.weighting import Weights, checked_class_weights, read_sample_weights

# What single settings call a regularizer and its number: --l2 5, or l2 in a search, is L2(strength=5).
REGULARIZERS = {
    name: (s.place[1], s.place[2]) for name, s in settings_of(ShortSettings).items() if s.place[0] == "regularizers"
}

# How tables that may be written in full are held, so that equal settings look alike.
SHORTENED = {"network": network_in_short, "data": data_in_short}


def family_of(name: str) -> Any:
    """The family that a setting of RunConfig chooses from, as "optimizer" does."""
    return FAMILIES[settings_of(TrainingSettings)[name].family]


@with_settings(TrainingSettings)
@dataclass(frozen=True, eq=False)
class RunConfig(TrainingSettings):
    """The settings of one training; equal settings give equal networks.

    {settings}

    Choices of a family may be given by name: optimizer="adam". A Network stands for its table: the training begins with
    the weights that `seed` draws, or those of `start`. An optimizer that leaves its learning rate open gets
    the network's default (default_rate.py).
    """

    def __post_init__(self) -> None:
        network = self.network if isinstance(self.network, Network) else None
        if network is not None:
            object.__setattr__(self, "network", describe_network(network))
        for setting in settings_of(TrainingSettings).values():
            object.__setattr__(self, setting.name, _built(setting, getattr(self, setting.name)))
        object.__setattr__(self, "class_weights", checked_class_weights(self.class_weights) or "")
        require_device(self.engine, self.device, mixed_precision=self.mixed_precision)
        if self.optimizer.learning_rate is None:
            with suppress(ConfigError, ShapeError):  # of a network that cannot be, which `trainer` is to say
                first = network or self.first_network()
                chosen = settled(self.optimizer, first, batch_size=self.batch_size, gradient=self.gradient)
                object.__setattr__(self, "optimizer", chosen)
                if network is None:
                    self.__dict__["_network"] = first

    def __getstate__(self) -> dict[str, Any]:
        """What goes to other processes: the settings without a network."""
        return {name: value for name, value in self.__dict__.items() if name != "_network"}

    def check(self) -> Trainer:
        """A trainer to look at, whose network is kept for the training to come. Raises as `trainer` does."""
        trainer = self.trainer()
        self.__dict__["_network"] = trainer.network
        return trainer

    def trainer(self, callbacks: Sequence[Callback] = (), *, network: Network | None = None) -> Trainer:
        """A trainer with its network, as these settings say, or with a network that there is already.

        Raises ConfigError, ShapeError or ModelFileError.
        """
        stopping: list[Callback] = [EarlyStopping(self.early_stop)] if self.early_stop else []
        averaging = [] if isinstance(self.averaging, NoAveraging) else [copy.deepcopy(self.averaging)]
        given = {name: getattr(self, name) for name in TRAINER}
        given["augment"] = augmentation if (augmentation := parse_augmentation(self.augment)).steps else None
        # Those that decide come first: those that print or save then know of the decision.
        first = network if network is not None else self.first_network()
        return Trainer(first, callbacks=[*stopping, *averaging, *callbacks], **given)

    def example_weights(self) -> Weights | None:
        """What `Trainer.fit` takes as `sample_weights`: the numbers in the file. Raises DataError."""
        return read_sample_weights(self.sample_weights) if self.sample_weights else None

    def first_network(self) -> Network:
        """The network before training: with fresh weights, or those of the file that `start` names."""
        if (network := self.__dict__.pop("_network", None)) is not None:
            return network  # type: ignore[no-any-return]
        network = build_network(self.network, seed=self.seed)
        if self.start:
            first = load_network(self.start)
            network.load_state(first.state())
            network.input_range = first.input_range
        return network

    def table(self) -> dict[str, Any]:
        """The settings as JSON and TOML values, without what is at its default inside of them.

        Plain values come first, as TOML wants them.
        """
        values = {f.name: describe(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return dict(sorted(values.items(), key=lambda item: isinstance(item[1], dict | list)))

    def full_table(self) -> dict[str, Any]:
        """The same with every setting written out, so that a file keeps its meaning when defaults change."""
        full = {f.name: describe(getattr(self, f.name), full=True) for f in dataclasses.fields(self)}
        full["network"], full["data"] = network_in_full(self.network), data_in_full(self.data)
        if (augmentation := parse_augmentation(self.augment)).steps:
            full["augment"] = augmentation.full_spec
        return self.table() | full

    def __eq__(self, other: object) -> bool:
        """Whether all settings are the same, be they written out or left at their defaults."""
        return isinstance(other, RunConfig) and self.full_table() == other.full_table()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write every setting as TOML; ConfigError for the suffix of another format."""
        require_suffix(path, "settings", ".toml")
        write_text(path, tomli_w.dumps(self.full_table()))

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "RunConfig":
        """The settings that a table names; what it leaves out is at its default. Raises ConfigError."""
        known = settings_of(TrainingSettings)
        if unknown := [key for key in table if key not in known]:
            raise ConfigError(f"unknown setting {unknown[0]!r}{_hint(unknown[0])}; there are: {', '.join(known)}")
        if "network" not in table:
            raise ConfigError("the settings need a [network] with its input_shape and [[network.layers]]")
        short = {key: SHORTENED[key](value) for key, value in table.items() if key in SHORTENED and _is_table(value)}
        return cls(**{**table, **short})

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, run: bool = False) -> "RunConfig":
        """Read the settings from a TOML file. Raises ConfigError naming the file and what is wrong with it.

        `run` says that an earlier training wrote them: a network that was allowed then is allowed still.
        """
        try:
            table = read_table(path)
            if not run:
                return cls.from_table(table)
            with stored(math.inf):  # the folder may be another person's: its settings name no file as a layer
                if "network" in table:
                    table["network"] = allowing(table["network"], path)
                return cls.from_table(table)
        except ConfigError as error:
            named = str(error).startswith(str(path))
            raise error if named else ConfigError(f"{path}: {error}") from None


def over(chosen: Any, old: Any, name: str) -> Any:
    """A choice of the setting `name` over an old one; of the same kind, it keeps the values that it does not name."""
    family = family_of(name)
    new, old = (spec_table(family, item) if isinstance(item, str) else item for item in (chosen, old))
    if not isinstance(new, dict) or not isinstance(old, dict):
        return old if new is None else new
    try:
        same = find(family, new["type"]) is find(family, old["type"])
    except (KeyError, TypeError, AttributeError, ConfigError):
        return new  # RunConfig says what is wrong with it
    return {**old, **new} if same else new


def with_setting(table: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The table of a RunConfig with another value for one setting, also one inside another table such as `l2`."""
    if name in REGULARIZERS:
        kind, number = REGULARIZERS[name]
        old = table.get("regularizers", [])
        described = [describe(build(Regularizer, item)) for item in old] if isinstance(old, list) else []
        others = [item for item in described if item["type"] != kind]
        return {**table, "regularizers": [*others, {"type": kind, number: value}]}
    if name == "learning_rate":
        old = table.get("optimizer", "SGD")
        return {**table, "optimizer": {**(spec_table(Optimizer, old) if isinstance(old, str) else old), name: value}}
    setting = settings_of(TrainingSettings).get(name)
    if setting is not None and setting.family and setting.default != ():
        value = over(value, table.get(name), name)
    return {**table, name: value}


def read_table(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A TOML file, or a JSON file if its name ends in .json, as a table. Raises ConfigError with the file and place."""
    path = Path(path)
    kind, loads = ("JSON", json.loads) if path.suffix.lower() == ".json" else ("TOML", tomllib.loads)
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected a TOML or JSON file with settings")
    try:
        table = loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # both decoders' errors, and that of the encoding
        raise ConfigError(f"{path}: not {kind}: {in_brief(error)}") from None
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: got a {type(table).__name__}, expected a table of settings")
    return table


def _built(setting: Setting, value: Any) -> Any:
    """A value as its setting wants it: names and tables of a family become its members. Raises ConfigError."""
    if not setting.family:
        setting.check(value)
        return value
    family = FAMILIES[setting.family]
    if setting.default != ():
        return build(family, value)
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{setting.name}: got {value!r}, expected a list of names or tables")
    return tuple(build(family, item) for item in value)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _hint(name: str) -> str:
    """What a message about an unknown setting may add: the name it has here, or the table it belongs to."""
    fields = [f.name for f in dataclasses.fields(RunConfig)]
    optimizers = dict.fromkeys(f.name for cls in Optimizer.registry.values() for f in choices(cls))
    tables: dict[str, Iterable[str]] = {"optimizer": optimizers, "network": KEYS, "data": settings_of(DataTable)}
    for home, known in {"": fields, **tables}.items():
        if (found := meant(name, known)) is not None:
            return f" (did you mean {found!r}{f' in [{home}]' if home else ''}?)"
    if (found := meant(name, REGULARIZERS)) is not None:
        kind, number = REGULARIZERS[found]
        return f' (it is a regularizer: regularizers = [{{type = "{kind}", {number} = …}}])'
    return did_you_mean(name, fields)
