"""The settings that a finding advises."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.data import Splits, write_npz
from digitlab.doctor.ailment import Finding
from digitlab.doctor.measures import outer_layers_with_weights
from digitlab.nn.io.building import build_network
from digitlab.nn.network import Activation, Layer
from digitlab.train.config import RunConfig, with_setting
from digitlab.train.default_rate import default_learning_rate

if TYPE_CHECKING:
    from digitlab.doctor.case import Case


def fixed_settings(
    config: RunConfig, finding: Finding, splits: Splits | None = None, folder: str | os.PathLike[str] = "."
) -> RunConfig | None:
    """The settings of a run with the changes that a finding advises; None where nothing can correct it.

    Where the data are at fault, the corrected sets are written into `folder` as data.npz.
    """
    if finding.fix_data is not None and splits is not None:
        train, valid, test = finding.fix_data(splits)
        path = Path(folder) / "data.npz"
        write_npz(path, train, test, valid)
        return dataclasses.replace(config, data={"source": str(path)})
    if not finding.changes:
        return None
    table: dict[str, Any] = config.table()
    for name, value in finding.changes.items():
        table = with_setting(table, name, value)
    return RunConfig.from_table(table)


def with_first_weights(case: "Case") -> dict[str, Any]:
    """The change to the first weights that suit each layer's activation, and biases of 0; {} where there is none.

    Only outer layers are changed.
    """
    tables = [dict(table) for table in case.config.network["layers"]]
    for i, layer in outer_layers_with_weights(case.network):
        following = next((one for one in case.network.layers[i + 1 :] if isinstance(one, Activation)), None)
        if hasattr(layer, "weights"):
            tables[i]["weights"] = following.usual_weights if following is not None else "scaled-normal"
            if getattr(layer, "biases", None) is not None:
                tables[i]["biases"] = "zeros"
    changed = {**case.config.network, "layers": tables}
    return {"network": changed, "start": ""} if case.config.start else {"network": changed}


def with_activation(case: "Case", name: str) -> dict[str, Any]:
    """The change to another activation in all outer hidden layers, with its first weights and learning rate."""
    tables = [dict(table) for table in case.config.network["layers"]]
    for i, layer in enumerate(case.network.layers):
        if isinstance(layer, Activation):
            tables[i] = {"type": name}
    for i, layer in outer_layers_with_weights(case.network)[:-1]:
        if hasattr(layer, "weights"):
            tables[i]["weights"] = "he"
    network = {**case.config.network, "layers": tables}
    return {"network": network, "learning_rate": _default_rate(case, network)}


def without_layer(case: "Case", layer: Layer) -> dict[str, Any]:
    """The change to the network without one of its outer layers; {} if it is inside another."""
    if layer not in case.network.layers:
        return {}
    place = case.network.layers.index(layer)
    tables = [table for i, table in enumerate(case.config.network["layers"]) if i != place]
    kept: Mapping[str, Any] = {k: v for k, v in case.config.network.items() if k != "allow_output_activation"}
    return {"network": {**kept, "layers": tables}}


def _default_rate(case: "Case", network: Mapping[str, Any]) -> float:
    return default_learning_rate(case.trainer.optimizer, build_network(network), batch_size=case.config.batch_size)
