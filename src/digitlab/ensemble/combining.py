"""Networks in, one network out: `Branches` of frozen `Subnetwork`s, and a layer that makes one answer of theirs.

So an ensemble is a network: saved in one file, read by every command, and even taken as a member of another ensemble.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import to_numpy
from digitlab.convert import as_examples
from digitlab.engine.select import predict
from digitlab.errors import ConfigError, ShapeError, did_you_mean
from digitlab.nn import Branches, Combine, Layer, LogLikelihood, Network, Rescale, Subnetwork, mlp
from digitlab.optim import Adam
from digitlab.optim.regularizers import L2
from digitlab.train import Trainer
from digitlab.train.evaluation import evaluate

WAYS = {
    "vote": "plurality vote; the mean of probabilities decides between equally many votes",
    "mean": "mean of the members' probabilities",
    "weighted": "mean weighted by ln(p/(1 − p)), p each member's accuracy on the validation set",
    "stack": "a small network, trained on the validation set, that takes all members' outputs",
}
STACK_HIDDEN, STACK_EPOCHS = 30, 30
ONE_ANSWER = Combine | Subnetwork  # the layer that makes one answer of the members': a rule, or the network of "stack"


@checked
def combine(
    networks: Sequence[Network],
    how: str = "vote",
    *,
    valid: Any = None,
    covers: Sequence[Sequence[int]] | None = None,
    classes: int | None = None,
    seed: int = 0,
) -> Network:
    """One network that combines the answers of these; `how` is one of WAYS.

    valid     the validation set, Digits or (x, y), for "weighted" and "stack". What "stack" reaches on it afterwards
              is too high: it has learned from it.
    covers    for specialists: which classes each member's first outputs stand for; [] for all of them
    classes   how many there are; by default the members' outputs, or the largest number in `covers` and one
    seed      of the stacking network

    The members are copied and frozen. Outputs count as probabilities after they are brought to the sum 1 (sigmoid
    outputs need it). The weights of "weighted" are those of Kuncheva 2004, "Combining pattern classifiers", sec. 4.3.2:
    best for members that err independently; a member that is no better than guessing among two gets none.
    Raises ConfigError or ShapeError for members that cannot be combined.
    """
    networks = list(networks)
    covers = [[] for _ in networks] if covers is None or not len(covers) else [list(cover) for cover in covers]
    if how not in WAYS:
        raise ConfigError(f"combine: got {how!r}{did_you_mean(how, WAYS)}, expected one of {', '.join(WAYS)}")
    if len(networks) < 2 or len(covers) != len(networks):
        raise ConfigError(
            f"combine: got {len(networks)} networks and {len(covers)} covers, expected at least 2 of each"
        )
    if how in ("weighted", "stack") and valid is None:
        raise ConfigError(f"combine: {how!r} needs a validation set, and there is none; choose 'vote' or 'mean'")
    sizes = _sizes(networks)
    known = [max(cover) + 1 for cover in covers if cover] + [s for s, cover in zip(sizes, covers) if not cover]
    classes = classes if classes is not None else max(known)
    if wrong := [i for i, (size, cover) in enumerate(zip(sizes, covers)) if not cover and size != classes]:
        raise ShapeError(
            f"combine: member {wrong[0]} has {sizes[wrong[0]]} outputs for {classes} classes; "
            "a specialist needs its covers: which class each of its outputs stands for"
        )
    last: Layer
    if how == "stack":
        last = Subnetwork(_stacked(networks, classes, valid, seed), frozen=True)
    else:
        weights = None
        if how == "weighted":
            weights = [_log_odds(network, cover, valid) for network, cover in zip(networks, covers)]
            if not sum(weights):
                raise ConfigError("combine: no member is right more often than not on the validation set; use 'mean'")
        own = covers if any(covers) else None
        last = Combine(sizes, classes, "vote" if how == "vote" else "mean", weights, own)
    return _combined(networks, last)


def members(network: Network) -> list[Network]:
    """The networks that an ensemble is made of; [] for a network that is none."""
    first = network.layers[0]
    if len(network.layers) != 2 or not isinstance(first, Branches) or not isinstance(network.layers[1], ONE_ANSWER):
        return []
    found = []
    for chain in first.children().values():
        inner = list(chain.children().values())[-1]
        if not isinstance(inner, Subnetwork):
            return []
        found.append(inner.inner)
    return found


def covers_of(network: Network) -> list[list[int]]:
    """For each member of an ensemble the classes that its first outputs stand for; [] for all."""
    last = network.layers[1]
    return (last.covers if isinstance(last, Combine) else None) or [[] for _ in members(network)]


def targets_for(labels: Any, cover: Sequence[int]) -> Any:
    """What a member should answer for these labels (N,): the class's place, or past its last, "other"."""
    labels = np.asarray(labels)
    if not cover:
        return labels
    place = np.full(max(int(labels.max()), *cover) + 1, len(cover))
    place[list(cover)] = np.arange(len(cover))
    return place[labels]


def _sizes(networks: Sequence[Network]) -> list[int]:
    pixels = {math.prod(network.input_shape) for network in networks}
    if len(pixels) > 1:
        raise ShapeError(f"combine: got members for inputs of {sorted(pixels)} numbers, expected all of one size")
    for i, network in enumerate(networks):
        if len(network.shapes[-1]) != 1 or network.shapes[-1][0] < 2:
            raise ShapeError(f"combine: member {i} has outputs of shape {network.shapes[-1]}, expected one per class")
        if network.dtype != networks[0].dtype:
            raise ConfigError(f"combine: member {i} computes in {network.dtype}, the first in {networks[0].dtype}")
    return [network.shapes[-1][0] for network in networks]


def _combined(networks: Sequence[Network], last: Layer) -> Network:
    shapes, outer = {network.input_shape for network in networks}, networks[0].scaling
    shape = shapes.pop() if len(shapes) == 1 else (math.prod(networks[0].input_shape),)
    branches: list[list[Layer]] = []
    for network in networks:
        chain: list[Layer] = [Subnetwork(network, outputs="activations", frozen=True)]
        if network.scaling != outer:  # from the first member's pixels to this one's
            factor = network.scaling.factor / outer.factor
            chain.insert(0, Rescale(factor, network.scaling.offset - factor * outer.offset))
        branches.append(chain)
    whole = Network([Branches(branches), last], shape, LogLikelihood(), scaling=outer, dtype=networks[0].dtype, seed=0)
    whole.input_range = networks[0].input_range
    if len(named := {network.class_names for network in networks}) == 1:
        whole.class_names = named.pop()
    return whole


def _log_odds(network: Network, cover: Sequence[int], valid: Any) -> float:
    """ln(p/(1 − p)) of the member's accuracy p, counted as if one more were right and one more wrong; at least 0."""
    x, labels = as_examples(valid, "validation set")
    y = targets_for(labels, cover)
    p = ((evaluate(network, (x, y)).accuracy or 0.0) * len(y) + 1) / (len(y) + 2)
    return max(math.log(p / (1 - p)), 0.0)


def _stacked(networks: Sequence[Network], classes: int, valid: Any, seed: int) -> Network:
    """A network from all members' outputs to the class: four fifths of the validation set teach, one chooses the epoch.

    Wolpert 1992, "Stacked generalization": it must learn from examples that the members have not.
    """
    x, y = as_examples(valid, "validation set")
    if len(y) < 10:
        raise ConfigError(f"combine: got {len(y)} validation examples, expected at least 10 to train the stack on")
    outputs = np.concatenate([to_numpy(predict(network, x)) for network in networks], axis=1)  # (N, Σ sizes)
    stack = mlp(
        [outputs.shape[1], STACK_HIDDEN, classes],
        activation="relu",
        loss="log-likelihood",
        scaling="none",
        dtype=networks[0].dtype,
        seed=seed,
    )
    held_out = np.arange(len(y)) % 5 == 4
    trainer = Trainer(stack, Adam(0.003), regularizers=[L2(1.0)], batch_size=32, engine="reference", seed=seed)
    trainer.fit((outputs[~held_out], y[~held_out]), (outputs[held_out], y[held_out]), epochs=STACK_EPOCHS)
    return trainer.network
