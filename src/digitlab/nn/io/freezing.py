"""Weights that stay as they are while the others learn: whole layers, single parameters, single weights.

    freeze(network, "0")                    layer 0 and whatever is inside it
    freeze(network, "2.W")                  one parameter
    freeze(network, "2.W", np.s_[:, 3])     the weights that lead to neuron 3
    unfreeze(network, "0")

Gradients are computed as usual; the step leaves frozen numbers out (`Parameter.learns`). What is frozen is part of
the network's description, so it is saved, loaded and copied with it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import array_namespace, to_numpy
from digitlab.errors import ConfigError, ShapeError, not_among

if TYPE_CHECKING:
    from digitlab.nn.network import Network, Parameter

__all__ = ["freeze", "unfreeze"]


@checked
def freeze(network: "Network", name: str, where: Any = None) -> None:
    """Keep a layer's parameters, or one parameter, as they are; what is frozen already stays so.

    name     of a layer ("0", "1.left") or of a parameter ("0.W"), as `network.parameters()` has them
    where    which of the parameter's numbers: a mask of its shape with 1 where it is to stay,
             or a NumPy index such as np.s_[:, 3]; None: all of them

    Raises ConfigError for an unknown name, ShapeError for a mask of another shape.
    """
    named = _named(network, name)
    # All places are looked up before any is frozen: one that is not there leaves the network as it was.
    left = {key: _learns(p) & ~_places(where, key, tuple(p.value.shape)) for key, p in named.items()}
    for key, p in named.items():
        trainable = left[key]
        p.trainable = array_namespace(p.value).asarray(trainable, device=p.value.device) if trainable.any() else False


@checked
def unfreeze(network: "Network", name: str) -> None:
    """Let a layer's parameters, or one parameter, learn again, all of their numbers."""
    for p in _named(network, name).values():
        p.trainable = True


def describe_frozen(network: "Network") -> dict[str, Any]:
    """What is frozen, by name: True for a whole parameter, else a mask as nested lists with 1 where it stays.

    Parameters inside a layer that is frozen by its own choice (`Subnetwork(frozen=True)`) are not repeated.
    """
    own = [f"{name}." for name, layer in network.named_layers() if getattr(layer, "frozen", False)]
    frozen: dict[str, Any] = {}
    for name, p in network.parameters().items():
        if p.trainable is not True and not name.startswith(tuple(own)):
            trainable = _learns(p)
            frozen[name] = (~trainable).astype(int).tolist() if trainable.any() else True
    return frozen


def apply_frozen(network: "Network", frozen: Any) -> None:
    """Freeze what a description names: a table from `describe_frozen`, or a list of names."""
    if not isinstance(frozen, Mapping | list | tuple):
        raise ConfigError(f'frozen: got {frozen!r}, expected names, as ["0", "2.W"], or a table of names and masks')
    for name in frozen:
        where = frozen[name] if isinstance(frozen, Mapping) else True
        if where is not True and not isinstance(where, list | tuple):
            raise ConfigError(f"frozen: got {where!r} for {name}, expected true or rows of 0 and 1")
        where = list(where) if isinstance(where, tuple) else where
        freeze(network, str(name), None if where is True else where)


def _named(network: "Network", name: str) -> "dict[str, Parameter]":
    parameters = network.parameters()
    found = {key: p for key, p in parameters.items() if key == name or key.startswith(f"{name}.")}
    if not found:
        raise ConfigError(f"freeze: there is no parameter {not_among(name, parameters)}")
    return found


def _learns(p: "Parameter") -> Any:
    """Where the parameter learns, as an array of booleans."""
    shape = tuple(p.value.shape)
    return np.full(shape, p.trainable) if isinstance(p.trainable, bool) else to_numpy(p.trainable) != 0


def _places(where: Any, name: str, shape: tuple[int, ...]) -> Any:
    """An array of booleans of the parameter's shape, true at the places that are meant."""
    if where is None:
        return np.ones(shape, dtype=bool)
    places = np.zeros(shape, dtype=bool)
    if isinstance(where, tuple | slice | int):
        try:
            places[where] = True
        except IndexError as error:
            raise ShapeError(f"freeze: {name} has shape {shape}: {error}") from None
        return places
    try:
        mask = np.asarray(to_numpy(where))
    except ValueError:
        raise ShapeError(
            f"freeze: got rows of different lengths for {name}, expected 0 and 1 in shape {shape}"
        ) from None
    if mask.shape != shape or not np.isin(mask, (0, 1)).all():
        raise ShapeError(f"freeze: got a mask of shape {mask.shape} for {name}, expected 0 and 1 in shape {shape}")
    return mask != 0
