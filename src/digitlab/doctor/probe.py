"""The facts that a diagnosis needs, measured at the end of a training; only where the history looks suspicious."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.doctor.diagnosis import MANY_STEPS, Diagnosis, diagnose
from digitlab.doctor.symptoms import ENOUGH_IMAGES, LITTLE, Facts, learned_share
from digitlab.gradients.base import learned_numbers
from digitlab.nn.network import Network
from digitlab.nn.outputs import closing_activation
from digitlab.nn.zoo import recommended_net
from digitlab.train.callbacks import Callback
from digitlab.train.default_rate import rate_of
from digitlab.train.evaluation import as_labels, classifies

if TYPE_CHECKING:
    from digitlab.train.config import RunConfig
    from digitlab.train.history import History
    from digitlab.train.trainer import Trainer

Array = np.ndarray[Any, Any]
EXAMPLES = 500  # training examples that are looked at
SAME = 1e-3  # outputs that differ by less over all examples do not depend on the input


class Diagnose(Callback):
    """Keeps what went wrong in a training as `found`, or None; nothing is said of one that diverged: its error does.

    `exact` says that the targets are exact values of a function of one number, so that all of it can be learned.
    """

    def __init__(self, *, exact: bool = False) -> None:
        self.exact = exact
        self.found: Diagnosis | None = None

    def on_fit_end(self, trainer: "Trainer") -> None:
        self.found = None
        if not trainer.diverged and len(trainer.history) and "train" in trainer.sets:
            with np.errstate(all="ignore"):
                self.found = diagnose(trainer.history.rows, facts_of(trainer, exact=self.exact))


def facts_of(trainer: "Trainer", *, exact: bool = False) -> Facts:
    """What is known of a training that has just ended: its sets are still there."""
    network, row = trainer.network, trainer.history[-1]
    x, y = trainer.sets["train"]
    n = len(y)
    picked = np.unique(np.linspace(0, n - 1, min(n, EXAMPLES)).astype(int))
    targets = to_numpy(y)
    classes = classifies(network, targets)
    labels = as_labels(targets) if classes else None
    watched = labels
    if labels is not None and row.get("valid_accuracy") is not None:
        watched = as_labels(to_numpy(trainer.sets["valid"][1]))
    guess = float(np.bincount(watched).max() / len(watched)) if watched is not None else None
    accuracy = row.get("valid_accuracy", row.get("train_accuracy")) if classes else None
    rate = rate_of(trainer.optimizer)
    facts: dict[str, Any] = {
        "steps": len(trainer.history) * math.ceil(n / trainer.batch_size),
        "rate": rate,
        "default_rate": trainer.default_rate,
        "decay": sum(rate * r.decay(n) for r in trainer.regularizers),
        "classes": len(np.unique(labels)) if labels is not None else None,
        "guess": guess,
        "count": len(watched) if watched is not None else n,
        "accuracy": accuracy,
        # With weighted examples the training loss is on another scale.
        "constant_loss": constant_loss(network, targets[picked]) if not trainer.weighs else None,
        "line_loss": line_loss(network, to_numpy(x), targets) if exact else None,
        "adaptive": trainer.optimizer.usual_rate is not None,
        "directions": trainer.gradient.directions_drawn() if trainer.gradient is not None else None,
        "parameters": learned_numbers(network),
        "better_net": recommended_net(x.shape[1:]) if len(network.input_shape) == 1 else "",
    }
    if guess is not None and guess < 1 and accuracy is not None and learned_share(accuracy, guess) >= LITTLE:
        return Facts(**facts)  # it has learned: no need to look into the network
    return Facts(**facts | inside(network, to_numpy(x[picked]), targets[picked], classes and accuracy is None))


def facts_of_run(config: "RunConfig", history: "History") -> Facts:
    """What is known of a run without its data: guessing is taken as one class of all that the network tells apart."""
    trainer, row = config.trainer(), history[-1]
    accuracy = row.get("valid_accuracy", row.get("train_accuracy"))
    return Facts(
        steps=MANY_STEPS,
        rate=rate_of(trainer.optimizer),
        default_rate=trainer.default_rate,
        guess=1 / trainer.network.shapes[-1][0] if accuracy is not None else None,
        count=ENOUGH_IMAGES,
        accuracy=accuracy,
    )


def constant_loss(network: Network, targets: Array) -> float | None:
    """The least loss that one answer for all inputs can have; None where the loss does not say which answer that is."""
    loss = network.loss
    if not loss.fits_mean:
        return None
    logits = np.zeros((len(targets), *network.shapes[-1]), np.float64)
    wanted = np.asarray(loss.targets(targets, logits), np.float64)  # (N, out)
    mean = wanted.mean(axis=0)
    if loss.owns == "sigmoid":
        mean = np.clip(mean, 1e-6, 1 - 1e-6)
        answer = np.log(mean / (1 - mean))
    elif loss.owns == "softmax":
        answer = np.log(np.clip(mean, 1e-6, None))
    else:
        answer = mean
    return float(loss.forward(logits + answer, wanted)[0])


def line_loss(network: Network, x: Array, targets: Array) -> float:
    """The loss of the straight line through targets (N, 1) over inputs (N, 1), by least squares."""
    slope, start = np.polyfit(x.ravel().astype(np.float64), targets.ravel(), 1)
    return float(network.loss.forward(slope * x.astype(np.float64) + start, targets)[0])


def inside(network: Network, x: Array, targets: Array, measured: bool) -> dict[str, Any]:
    """What the layers make of a few examples; `measured` asks for the accuracy on them, too."""
    x = to_numpy(network.prepare(x))
    reach = float(np.abs(x).max())
    idle, rectified, depth, closing = 0.0, False, 0, closing_activation(network.layers)
    for layer in network.layers:
        x = layer.forward(x)[0]
        if layer.activates and layer is not closing:
            depth += 1
            if (share := unchanged(x)) >= idle:
                idle, rectified = share, is_zero(x)
    facts: dict[str, Any] = {
        "loss": float(network.loss.forward(x, targets)[0]),
        "constant": unchanged(to_numpy(network.loss.activation(x))),
        "idle": idle,
        "rectified": rectified,
        "depth": depth,
        "reach": reach,
        "closing": repr(closing) if closing is not None and network.loss.owns else "",
    }
    if measured:
        facts["accuracy"] = float(np.mean(np.argmax(x, axis=1) == as_labels(targets)))
    return facts


def unchanged(values: Array) -> float:
    """The share of columns that are the same in every row, but for a thousandth."""
    return float(np.mean(np.ptp(values, axis=0) < SAME))


def is_zero(values: Array) -> bool:
    """Whether columns that are the same in every row are 0."""
    idle = np.ptp(values, axis=0) < SAME
    return bool(idle.any()) and float(np.abs(values[:, idle]).max()) < SAME
