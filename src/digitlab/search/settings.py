"""From chosen values to the settings of a training.

learning_rate, momentum ...   of the optimizer; optimizer: another one
l2, l1, max_norm              regularizers
epochs, batch_size, schedule, averaging, early_stop ...   as in RunConfig
layers, width, width_1 ...    hidden layers and their neurons, for chains of dense layers
activation, init, dropout, loss
network.layers.0.filters      any other place in the settings' table, by its way there
"""

import copy
import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from digitlab.errors import ConfigError, did_you_mean
from digitlab.nn.chains import initial
from digitlab.nn.describe import build, describe, find, members
from digitlab.nn.initializers import Initializer
from digitlab.nn.network import Activation, Layer, Loss
from digitlab.optim import Optimizer
from digitlab.settings import NetworkSettings, TrainingSettings, settings_of
from digitlab.settings.schema import option_of
from digitlab.train.config import REGULARIZERS, RunConfig, with_setting

CHAIN_NAMES = tuple(name for name, s in settings_of(NetworkSettings).items() if s.search and name != "loss")
CHAIN = re.compile("|".join(CHAIN_NAMES) + r"|width_[1-9]\d*")
# Not what a setting says a search may not choose: a lucky seed, what it is judged by, where it is computed.
TOP = tuple(name for name, s in settings_of(TrainingSettings).items() if s.search and name != "optimizer")


def settings_for(base: RunConfig, point: Mapping[str, Any]) -> RunConfig:
    """`base` with these values. Raises ConfigError for a name that means nothing here, or a value that cannot be."""
    table = copy.deepcopy(base.table())
    chain = {name: value for name, value in point.items() if CHAIN.fullmatch(name)}
    for name, value in point.items():
        if name not in chain:
            _set(table, name, value)
    if "learning_rate" not in point and base.optimizer == with_default_rate(base).optimizer:
        table["optimizer"].pop("learning_rate", None)  # the default of what is tried here may be another one
    if chain:
        table["network"] = dense_chain(table["network"], chain)
    return RunConfig.from_table(table)


def with_default_rate(config: RunConfig) -> RunConfig:
    """The same settings at the default learning rate."""
    return dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, learning_rate=None))


def _set(table: dict[str, Any], name: str, value: Any) -> None:
    if name == "optimizer":
        kept = {f.name for f in dataclasses.fields(find(Optimizer, value))}  # what the new one lacks is left behind
        table["optimizer"] = {**{key: v for key, v in table["optimizer"].items() if key in kept}, "type": value}
    elif name in (*REGULARIZERS, *TOP):
        table.update(with_setting(table, name, value))
    elif name == "loss":
        loss = describe(build(Loss, table["network"].get("loss", "quadratic")))
        table["network"]["loss"] = {**loss, "type": value}  # smoothing and targets stay
    elif "." in name:
        _set_at(table, name.split("."), value, name)
    elif name in {f.name for f in dataclasses.fields(build(Optimizer, table["optimizer"]))}:
        table["optimizer"][name] = value
    else:
        own = [f.name for f in dataclasses.fields(build(Optimizer, table["optimizer"]))]
        known = [option_of(key) for key in (*own, "optimizer", *REGULARIZERS, "loss", *CHAIN_NAMES, *TOP)]
        raise ConfigError(
            f"the search space names {(name := option_of(name))!r}, which is not a setting{did_you_mean(name, known)}; "
            f"there are: {', '.join(known)}, width-1, or a place such as network.layers.0.filters"
        )


def _set_at(table: Any, way: list[str], value: Any, name: str) -> None:
    place = table
    try:
        for key in way[:-1]:
            place = place[int(key)] if isinstance(place, list) else place[key]
        if isinstance(place, list):
            place[int(way[-1])] = value
        else:
            place[way[-1]] = value
    except (KeyError, IndexError, ValueError, TypeError):
        raise ConfigError(f"the search space names {name!r}; the settings have nothing at that place") from None


def dense_chain(network: dict[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """A chain of dense layers with other hidden layers: `layers` of them, `width` (or width_1 ...) neurons in each.

    What is not chosen stays as it is in the first hidden layer. Raises ConfigError for networks of another kind.
    """
    layers = [describe(build(Layer, layer)) for layer in network["layers"]]
    kinds = {cls.__name__ for cls in members(Activation)}
    odd = [x for x in layers if x["type"] not in {"Dense", "Dropout", *kinds}]
    if odd or layers[-1]["type"] != "Dense":
        raise ConfigError(
            f"{', '.join(chosen)} can be varied for chains of dense layers; this network has {(odd or layers)[-1]}. "
            "Name a place instead, as network.layers.0.filters"
        )
    dense = [x for x in layers if x["type"] == "Dense"]
    widths = [x["out_features"] for x in dense[:-1]]
    activation = next((x for x in layers if x["type"] in kinds), {"type": "Sigmoid"})
    dropout = next((x["rate"] for x in layers if x["type"] == "Dropout"), 0.0)
    own = {key: value for key, value in dense[0].items() if key not in ("out_features", "connections")}
    if "activation" in chosen:
        activation = describe(build(Layer, chosen["activation"]))
    if "init" in chosen or "activation" in chosen:
        weights, biases = initial(chosen.get("init"), build(Layer, activation))
        own = {"type": "Dense", "weights": describe(build(Initializer, weights)), "biases": describe(biases)}
    dropout = chosen.get("dropout", dropout)
    count = chosen.get("layers", len(widths))
    widths = [
        chosen.get(f"width_{i + 1}", chosen.get("width", widths[min(i, len(widths) - 1)] if widths else 30))
        for i in range(count)
    ]
    chain: list[dict[str, Any]] = []
    for width in widths:
        chain += [{**own, "out_features": width}, activation]
        if dropout:
            chain.append({"type": "Dropout", "rate": dropout})
    chain.append({**own, "out_features": dense[-1]["out_features"]})
    return {**network, "layers": chain}
