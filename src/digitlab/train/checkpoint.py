"""A training's whole state in one safetensors file, so that resuming it gives what never stopping would have given.

Tensors: "network/0.W" (the last parameters and buffers), "best/0.W", "optimizer/0.W/velocity", and what callbacks
collect, "callback/StochasticWeightAveraging/0.W".
Metadata (JSON): the network's description, the optimizer's counts, every random generator's state, the history.
"""

import copy
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.errors import ConfigError, ModelFileError, ShapeError, in_brief
from digitlab.nn.describe import NONE, describe
from digitlab.nn.io.building import allowing
from digitlab.nn.io.description import describe_network
from digitlab.nn.io.files import read_saved, write_arrays
from digitlab.nn.io.stored import stored
from digitlab.nn.network import Network
from digitlab.nn.scaling import as_range, describe_range
from digitlab.train.callbacks import Callback
from digitlab.train.history import History
from digitlab.train.state import Best, digest
from digitlab.train.trainer import Trainer

KEYS = ("network", "history", "best", "optimizer_counts", "trainer_rng", "layer_rngs")


def save_checkpoint(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Write the trainer's state after its last finished epoch, atomically."""
    network = trainer.network
    state = network.state() if trainer.last is None else trainer.last
    arrays = {f"network/{name}": array for name, array in state.items()}
    counts: dict[str, dict[str, int]] = {}
    for name, parts in (trainer.optimizer_state or {}).items():
        counts[name] = {key: part for key, part in parts.items() if isinstance(part, int)}
        arrays |= {f"optimizer/{name}/{key}": part for key, part in parts.items() if key not in counts[name]}
    for callback, place in zip(trainer.callbacks, _places(trainer.callbacks)):
        arrays |= {f"{place}{name}": array for name, array in callback.arrays().items()}
    best = None
    if trainer.best is not None:
        best = {"epoch": trainer.best.epoch, "score": trainer.best.score, "monitor": trainer.monitor}
        arrays |= {f"best/{name}": array for name, array in trainer.best.arrays.items()}
    rngs = {name: layer.rng.bit_generator.state for name, layer in network.named_layers() if layer.rng is not None}
    metadata = {
        "network": describe_network(network),
        "input_range": describe_range(network.input_range),
        "history": trainer.history.rows,
        "best": best,
        "optimizer": describe(trainer.optimizer)["type"],
        "optimizer_counts": counts,
        "trainer_rng": trainer.rng.bit_generator.state,
        "layer_rngs": rngs,
        "class_weights": describe(trainer.class_weights),
        "data": digest(*trainer.sets["train"]) if trainer.sets else trainer.data_before,
        # The random numbers of an epoch follow from this seed and its number; see fresh.py.
        "augment": {"spec": trainer.augment.spec, "seed": trainer.augment_seed}
        if trainer.augment is not None
        else None,
    }
    write_arrays(path, arrays, metadata)


def load_checkpoint(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Put a trainer of the same form into the saved state; `fit` then goes on after the last finished epoch.

    All or nothing. Raises ModelFileError if the file is damaged or was written for another network or optimizer.
    """
    arrays, metadata, _ = read_saved(path)
    missing = [key for key in KEYS if key not in metadata]
    if missing:
        raise ModelFileError(f"{path}: is no checkpoint (it lacks {missing[0]!r}); expected a checkpoint.safetensors")
    mine, saved = describe_network(trainer.network), _saved_network(path, metadata, arrays)
    if saved != mine:
        saved = saved if isinstance(saved, dict) else {}
        different = next(key for key in {**mine, **saved} if saved.get(key) != mine.get(key))
        raise ModelFileError(
            f"{path}: was written for another network: {different} is {_short(saved.get(different))} there "
            f"and {_short(mine.get(different))} here; resume with the settings of the run"
        )
    augment = metadata.get("augment")  # absent in files from before there was any
    spec = augment.get("spec") if isinstance(augment, dict) else augment
    _require_same(path, "augmentation", spec, trainer.augment.spec if trainer.augment is not None else None)
    weights = describe(trainer.class_weights)
    _require_same(path, "class_weights", metadata.get("class_weights", NONE), weights)  # absent in older files
    watched = (metadata["best"] or {}).get("monitor")  # absent, as is the optimizer, in older files
    if trainer.monitor:
        _require_same(path, "monitor", watched or trainer.monitor, trainer.monitor)
    last, rng = trainer.network.copy(), copy.deepcopy(trainer.rng)
    try:
        best = _best(metadata["best"], _part(arrays, "best/"), trainer.network)
        last.load_state(_part(arrays, "network/"))
        for name, layer in last.named_layers():
            if layer.rng is not None:
                layer.rng.bit_generator.state = metadata["layer_rngs"][name]
        rng.bit_generator.state = metadata["trainer_rng"]
        state = _optimizer_state(metadata["optimizer_counts"], _part(arrays, "optimizer/"))
        augment_seed = int(augment["seed"]) if augment is not None else trainer.augment_seed
        input_range = as_range(metadata.get("input_range"))  # absent in older files
        rows = metadata["history"]
        if [row["epoch"] for row in rows] != list(range(1, len(rows) + 1)):
            raise ValueError("its history does not count the epochs from 1")
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: the checkpoint is damaged ({in_brief(error)}); start the run again") from error
    begun = {name: trainer.optimizer.init_state(p.value) for name, p in last.parameters().items()}
    same = metadata.get("optimizer") in (None, describe(trainer.optimizer)["type"])
    if state and (not same or _form(state) != _form(begun)):
        raise ModelFileError(
            f"{path}: was written by another optimizer than {trainer.optimizer!r}, or is damaged; "
            "resume with the settings of the run"
        )
    for callback, place in zip(trainer.callbacks, _places(trainer.callbacks)):
        callback.load_arrays(_part(arrays, place))
    trainer.network.load_state(last.state())
    trainer.network.input_range = input_range
    for (_, layer), (_, read) in zip(trainer.network.named_layers(), last.named_layers()):
        if layer.rng is not None and read.rng is not None:
            layer.rng.bit_generator.state = read.rng.bit_generator.state
    trainer.rng.bit_generator.state = rng.bit_generator.state
    trainer.data_before = metadata.get("data")  # absent in older files
    trainer.augment_seed, trainer.monitor = augment_seed, trainer.monitor or watched or ""
    trainer.best, trainer.optimizer_state, trainer.history = best, state or None, History(rows)


def _saved_network(path: str | os.PathLike[str], metadata: dict[str, Any], arrays: dict[str, Any]) -> Any:
    with stored(sum(array.size for array in arrays.values())):
        try:
            return allowing(metadata["network"])
        except (ConfigError, ShapeError) as error:
            raise ModelFileError(f"{path}: {error}") from error


def _require_same(path: str | os.PathLike[str], what: str, saved: Any, here: Any) -> None:
    """ModelFileError unless a setting that the saved epochs depend on is the same in this training."""
    if saved != here:
        raise ModelFileError(
            f"{path}: was trained with {what} {saved or 'none'}, and this is training with {here or 'none'}; "
            "resume with the settings of the run"
        )


def _places(callbacks: Sequence[Callback]) -> list[str]:
    """Where each callback's arrays stand: by its class, numbered from the second of a class on."""
    names = [type(callback).__name__ for callback in callbacks]
    numbers = [names[:i].count(name) + 1 for i, name in enumerate(names)]
    return [f"callback/{name}/" if n == 1 else f"callback/{name}-{n}/" for name, n in zip(names, numbers)]


def _best(saved: Any, arrays: dict[str, Any], network: Network) -> Best | None:
    if saved is None:
        return None
    network.copy().load_state(arrays)  # raises where they do not fit
    return Best(saved["epoch"], saved["score"], arrays)


def _optimizer_state(counts: dict[str, dict[str, int]], arrays: dict[str, Any]) -> dict[str, dict[str, Any]]:
    state: dict[str, dict[str, Any]] = {name: dict(parts) for name, parts in counts.items()}
    for name, array in arrays.items():
        parameter, _, key = name.rpartition("/")
        state[parameter][key] = array
    return state


def _form(state: dict[str, dict[str, Any]]) -> dict[str, dict[str, tuple[int, ...]]]:
    """The names in an optimizer's state, and the shapes of what they name."""
    return {name: {key: tuple(np.shape(part)) for key, part in parts.items()} for name, parts in state.items()}


def _part(arrays: dict[str, np.ndarray[Any, Any]], prefix: str) -> dict[str, np.ndarray[Any, Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
