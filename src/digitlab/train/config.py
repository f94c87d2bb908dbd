"""Everything that decides a training, in one table: what `config.toml` in a run folder holds."""

import copy
import dataclasses
import json
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from digitlab.data.arguments import KINDS
from digitlab.data.arguments import in_full as data_in_full
from digitlab.data.arguments import in_short as data_in_short
from digitlab.data.augment import parse_augmentation
from digitlab.errors import ConfigError, ShapeError, did_you_mean
from digitlab.files import require_suffix, write_text
from digitlab.gradients import Backpropagation, Gradient
from digitlab.nn.describe import build, choices, describe
from digitlab.nn.io.building import KEYS, allowing, build_network
from digitlab.nn.io.building import in_full as network_in_full
from digitlab.nn.io.building import in_short as network_in_short
from digitlab.nn.io.loading import load_network
from digitlab.nn.network import Network
from digitlab.optim import SGD, ConstantRate, Optimizer, Schedule
from digitlab.optim.regularizers import Regularizer
from digitlab.synonyms import meant
from digitlab.train.averaging import Averaging, NoAveraging
from digitlab.train.callbacks import Callback, EarlyStopping
from digitlab.train.default_rate import settled
from digitlab.train.trainer import Trainer
from digitlab.train.weighting import ClassWeights, Weights, checked_class_weights, read_sample_weights

# What single settings call a regularizer and its number: --l2 5, or l2 in a search, is L2(strength=5).
REGULARIZERS = {"l2": ("L2", "strength"), "l1": ("L1", "strength"), "max_norm": ("MaxNorm", "limit")}


# How tables that may be written in full are held, so that equal settings look alike.
SHORTENED = {"network": network_in_short, "data": data_in_short}


def family_of(name: str) -> Any:
    """The family that a setting of RunConfig chooses from, as "optimizer" does."""
    return {f.name: f for f in dataclasses.fields(RunConfig)}[name].metadata["family"]


@dataclass(frozen=True, eq=False)
class RunConfig:
    """The settings of one training; equal settings give equal networks.

    network        the network's table (nn/io/building.py)
    data           arguments of `digitlab.load`: source, split, train_size and so on, all but `part`
    augment        how training images are changed afresh every epoch, "shift,rotate:10"; "": they are not
    class_weights  how much examples count by their class: "balanced", a table, a list; "": all alike (Trainer)
    sample_weights the file with a number for each training image, how much it counts; "": all alike
    averaging      of the weights: none, swa, ema (averaging.py)
    start          the file of a network whose weights are the first ones (fine-tuning); "": fresh ones
    early_stop     epochs without improvement after which training stops; 0: never
    optimizer      one that leaves its learning rate open gets the network's default (default_rate.py)
    The rest are the Trainer's own arguments.
    """

    network: dict[str, Any]
    data: dict[str, Any] = field(default_factory=lambda: {"source": "mnist"})
    optimizer: Optimizer = field(default=SGD(), metadata={"family": Optimizer})
    schedule: Schedule = field(default=ConstantRate(), metadata={"family": Schedule})
    regularizers: tuple[Regularizer, ...] = field(default=(), metadata={"family": Regularizer})
    gradient: Gradient = field(default=Backpropagation(), metadata={"family": Gradient})
    averaging: Averaging = field(default_factory=NoAveraging, metadata={"family": Averaging})
    epochs: int = 30
    batch_size: int = 10
    augment: str = ""
    class_weights: ClassWeights = ""
    sample_weights: str = ""
    start: str = ""
    shuffle: bool = True
    early_stop: int = 0
    keep: str = "best"
    monitor: str = ""
    evaluate_train: bool = False
    engine: str = "auto"
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_weights", checked_class_weights(self.class_weights) or "")
        if self.optimizer.learning_rate is None:
            with suppress(ConfigError, ShapeError):  # of a network that cannot be, which `trainer` is to say
                network = build_network(self.network, seed=None)
                chosen = settled(self.optimizer, network, batch_size=self.batch_size, gradient=self.gradient)
                object.__setattr__(self, "optimizer", chosen)

    def trainer(self, callbacks: Sequence[Callback] = ()) -> Trainer:
        """A trainer with its network, as these settings say. Raises ConfigError, ShapeError or ModelFileError."""
        stopping: list[Callback] = [EarlyStopping(self.early_stop)] if self.early_stop else []
        averaging = [] if isinstance(self.averaging, NoAveraging) else [copy.deepcopy(self.averaging)]
        return Trainer(
            self.first_network(),
            self.optimizer,
            schedule=self.schedule,
            regularizers=self.regularizers,
            batch_size=self.batch_size,
            augment=augmentation if (augmentation := parse_augmentation(self.augment)).steps else None,
            class_weights=self.class_weights,
            shuffle=self.shuffle,
            engine=self.engine,
            device=self.device,
            gradient=self.gradient,
            monitor=self.monitor or None,
            keep=self.keep,
            evaluate_train=self.evaluate_train,
            # Those that decide come first: those that print or save then know of the decision.
            callbacks=[*stopping, *averaging, *callbacks],
            seed=self.seed,
        )

    def example_weights(self) -> Weights | None:
        """What `Trainer.fit` takes as `sample_weights`: the numbers in the file. Raises DataError."""
        return read_sample_weights(self.sample_weights) if self.sample_weights else None

    def first_network(self) -> Network:
        """The network before training: with fresh weights, or those of the file that `start` names."""
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
        """The same with every setting written out, so that a file stands for itself whatever defaults become."""
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
        fields = {f.name: f for f in dataclasses.fields(cls)}
        if unknown := [key for key in table if key not in fields]:
            raise ConfigError(f"unknown setting {unknown[0]!r}{_hint(unknown[0])}; there are: {', '.join(fields)}")
        if "network" not in table:
            raise ConfigError("the settings need a [network] with its input_shape and [[network.layers]]")
        return cls(**{key: _checked(fields[key], value) for key, value in table.items()})

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, run: bool = False) -> "RunConfig":
        """Read the settings from a TOML file. Raises ConfigError naming the file and what is wrong with it.

        `run` says that an earlier training wrote them: a network that was allowed then is allowed still.
        """
        try:
            table = read_table(path)
            if run and "network" in table:
                table["network"] = allowing(table["network"], path)
            return cls.from_table(table)
        except ConfigError as error:
            named = str(error).startswith(str(path))
            raise error if named else ConfigError(f"{path}: {error}") from None


def read_table(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A TOML file, or a JSON file if its name ends in .json, as a table. Raises ConfigError with the file and place."""
    path = Path(path)
    kind, loads = ("JSON", json.loads) if path.suffix.lower() == ".json" else ("TOML", tomllib.loads)
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; expected a TOML or JSON file with settings")
    try:
        table = loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # both decoders' errors, and that of the encoding
        raise ConfigError(f"{path}: not {kind}: {error}") from None
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: got a {type(table).__name__}, expected a table of settings")
    return table


def _checked(field_: "dataclasses.Field[Any]", value: Any) -> Any:
    """A value from a table as its field wants it, or a ConfigError."""
    family = field_.metadata.get("family")
    if field_.name == "regularizers":
        if not isinstance(value, list | tuple):
            raise ConfigError(f"regularizers: got {value!r}, expected a list of names or tables")
        return tuple(build(Regularizer, item) for item in value)
    if field_.name == "class_weights":
        return value  # checked in __post_init__
    if family is not None:
        return build(family, value)
    if field_.name in SHORTENED and isinstance(value, Mapping):
        return SHORTENED[field_.name](value)
    expected = {"int": int, "bool": bool, "str": str}.get(str(getattr(field_.type, "__name__", field_.type)), dict)
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise ConfigError(f"{field_.name}: got {value!r}, expected {_KINDS[expected]}")
    if isinstance(value, int) and value < 0:
        raise ConfigError(f"{field_.name}: got {value}, expected 0 or more")
    return value


def _hint(name: str) -> str:
    """What a message about an unknown setting may add: the name it has here, or the table it belongs to."""
    fields = [f.name for f in dataclasses.fields(RunConfig)]
    optimizers = dict.fromkeys(f.name for cls in Optimizer.registry.values() for f in choices(cls))
    tables: dict[str, Iterable[str]] = {"optimizer": optimizers, "network": KEYS, "data": KINDS}
    for home, known in {"": fields, **tables}.items():
        if (found := meant(name, known)) is not None:
            return f" (did you mean {found!r}{f' in [{home}]' if home else ''}?)"
    if (found := meant(name, REGULARIZERS)) is not None:
        kind, number = REGULARIZERS[found]
        return f' (it is a regularizer: regularizers = [{{type = "{kind}", {number} = …}}])'
    return did_you_mean(name, fields)


_KINDS = {int: "a whole number", bool: "true or false", str: "text", dict: "a table"}
