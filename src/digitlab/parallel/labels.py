"""What to call the settings of many trainings: those in which they differ, under short names.

{"learning_rate": 0.1}                       from the settings themselves
{"learning-rate": "0.1", "net": "784-10"}    as they were typed: `digitlab train --grid learning-rate=0.1,0.3 ...`
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from digitlab.nn.describe import NONE, build, describe
from digitlab.nn.network import Layer
from digitlab.settings.schema import flattened
from digitlab.train.config import REGULARIZERS, RunConfig

Setting = Mapping[str, Any]
SIZES = ("out_features", "filters", "units")  # of a layer: how many neurons or maps it makes


def as_label(setting: Setting) -> str:
    """A setting as one reads it: "learning_rate=0.1 batch_size=10"."""
    return " ".join(f"{name}={value}" for name, value in setting.items())


def with_seeds(settings: Sequence[Setting], configs: Sequence[RunConfig]) -> list[str]:
    """A label for each training: its setting, and its seed where seeds differ."""
    several = len({config.seed for config in configs}) > 1
    seeds = [{"seed": config.seed} if several else {} for config in configs]
    return [as_label({**setting, **seed}) for setting, seed in zip(settings, seeds)]


def varied_settings(configs: Sequence[RunConfig], but: Sequence[str] = ()) -> list[dict[str, Any]]:
    """For each of these the settings in which they differ, all `but` some; "none" for one that it does not have."""
    flat = [flattened(_readable(config)) for config in configs]
    keys = list(dict.fromkeys(key for table in flat for key in table))
    varied = [key for key in keys if len({repr(table.get(key)) for table in flat}) > 1]
    kinds = {key.removesuffix("type") for key in varied if key.endswith(".type")}
    # What only one kind of optimizer has, say, is no difference of its own.
    varied = [
        key for key in varied if not any(key.startswith(kind) for kind in kinds) or all(key in table for table in flat)
    ]
    layers = [key for key in varied if key.startswith(("network.layers.", "network.input_shape"))]
    found: list[dict[str, Any]] = [{} for _ in configs]
    if len(layers) > 1 or any(key.endswith((".type", "input_shape", *SIZES)) for key in layers):
        varied = [key for key in varied if key not in layers]
        for setting, text in zip(found, _network_texts(configs)):
            setting["net"] = text
    names = _short(varied)
    for setting, table in zip(found, flat):
        values = {names[key]: table.get(key, "") for key in varied if names[key] not in but}
        setting.update({name: NONE if value == "" else value for name, value in values.items()})
    return found


def all_settings(config: RunConfig) -> dict[str, Any]:
    """Every setting by its shortest clear name: {"learning_rate": 0.1, "optimizer": "SGD", …}."""
    flat = flattened(_readable(config))
    names = _short(list(flat))
    return {names[key]: value for key, value in flat.items()}


def _readable(config: RunConfig) -> dict[str, Any]:
    """The settings in full, with the regularizers as options name them: {"l2": 5.0}."""
    full = config.full_table()
    table = {f.name: full[f.name] for f in dataclasses.fields(config)}  # in the order of their definition
    names = {(kind, number): name for name, (kind, number) in REGULARIZERS.items()}
    for regularizer in table.pop("regularizers"):
        kind = regularizer.pop("type")
        for key, value in regularizer.items():
            table[names.get((kind, key), f"{kind}.{key}")] = value
    return table


def _short(keys: Sequence[str]) -> dict[str, str]:
    """The shortest clear name of each: "optimizer.learning_rate" → "learning_rate", "network.loss.type" → "loss"."""
    whole = {key: key.removesuffix(".type") for key in keys}
    short = {key: name.rsplit(".", 1)[-1] for key, name in whole.items()}
    return {key: name if list(short.values()).count(name) == 1 else whole[key] for key, name in short.items()}


def _network_texts(configs: Sequence[RunConfig]) -> list[str]:
    """The networks in few characters, as different as they are: "784-30-10", or "784-30-10 tanh"."""
    layers = [[build(Layer, layer) for layer in config.network["layers"]] for config in configs]
    sizes = ["-".join(map(str, _sizes(config, chain))) for config, chain in zip(configs, layers)]
    kinds = [" ".join(dict.fromkeys(type(x).__name__.lower() for x in chain if x.activates)) for chain in layers]
    whole = [repr(describe(chain)) for chain in layers]
    texts = sizes
    for more in (kinds, [f"#{list(dict.fromkeys(whole)).index(text) + 1}" for text in whole]):
        longer = [f"{text} {addition}".rstrip() for text, addition in zip(texts, more)]
        if len(set(longer)) > len(set(texts)):
            texts = longer
    return texts


def _sizes(config: RunConfig, layers: Sequence[Layer]) -> list[int]:
    shape = config.network["input_shape"]
    counts = [count for layer in layers for count in _outputs(layer)]
    return [*(shape if isinstance(shape, list | tuple) else [shape]), *counts]


def _outputs(layer: Layer) -> list[int]:
    """How many neurons or maps a layer makes; [] for one that keeps their number."""
    fields = {f.name for f in dataclasses.fields(layer)}
    return [getattr(layer, name) for name in SIZES if name in fields]
