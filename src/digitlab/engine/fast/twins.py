"""The readable code of which kernels are the twins; fingerprints/ says whether it was changed since the twin tests."""

from collections.abc import Iterator, Sequence
from typing import Any

import digitlab.data.augment.warp as augmentation
from digitlab.engine.fast.operations import LAYERS
from digitlab.engine.fast.ops import loss as losses
from digitlab.engine.fast.ops import optimizer as optimizers
from digitlab.engine.fast.planner import RULES
from digitlab.engine.reference import ReferenceEngine
from digitlab.fingerprints import Part, what_changed
from digitlab.gradients import Backpropagation, Gradient
from digitlab.nn.containers import Branches, Sequential
from digitlab.nn.network import Layer, Network
from digitlab.nn.subnetwork import Subnetwork
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import Regularizer

NETWORK = ("prepare", "forward", "backward", "gradient")
ENGINE = ("train_batches", "_train_batches", "update")
GRADIENT = ("gradient", "compute")


def parts_of(
    network: Network,
    optimizer: Optimizer | None = None,
    regularizers: Sequence[Regularizer] = (),
    gradient: Gradient | None = None,
) -> Iterator[Part]:
    """The readable code, besides layers, that kernels replace in a training; without an optimizer, in a prediction."""
    yield Part(network, NETWORK)
    yield Part(network.loss)
    if optimizer is not None:
        yield Part(ReferenceEngine, ENGINE)
        yield Part(gradient or Backpropagation(), GRADIENT)
        yield from map(Part, (optimizer, *regularizers))


def edited(layer: Layer) -> str | None:
    """What was changed in the code of a layer that has kernels, or of a layer in it that they do not plan by itself."""
    if type(layer) not in LAYERS:
        return None
    parts: list[Any] = [layer]
    if isinstance(layer, Subnetwork):
        parts += [layer.inner.loss]
    elif not isinstance(layer, Sequential | Branches):
        parts += layer.children().values()
    return what_changed(map(_part, parts))


def every_part() -> Iterator[Part]:
    """All readable code that has kernels."""
    yield Part(Network, NETWORK)
    yield Part(ReferenceEngine, ENGINE)
    yield Part(augmentation.warp_numpy)
    for gradient in RULES:
        yield Part(gradient, GRADIENT)
    for cls in (*LAYERS, *losses.CODES, *optimizers.CODES, *optimizers.REGULARIZERS):
        yield _part(cls)


def _part(thing: Any) -> Part:
    """A class, or an object; of a `Subnetwork` what computes, not how it makes and describes its network."""
    cls = thing if isinstance(thing, type) else type(thing)
    return Part(thing, ("forward", "backward", "backward_params") if issubclass(cls, Subnetwork) else None)
