"""Runs with a known ailment, and healthy ones: what the doctor is tested on. `python -m tests.doctor.confusion`."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.data import Digits, Splits, load
from digitlab.data.synthetic.colours import coloured
from digitlab.errors import DivergenceError
from digitlab.nn import Dense, Network, Normal, ReLU, Sigmoid, Softplus, Tanh, mlp
from digitlab.nn.zoo import find_recipe
from digitlab.notices import DataWarning
from digitlab.train import RunConfig, start_run

DIGITS = load("digits")
SMALL = Splits(DIGITS.train.first(700), DIGITS.valid, DIGITS.test)


@dataclass(frozen=True)
class Run:
    """A run to be made: its network, the data or a change of them, and the settings."""

    name: str
    network: Callable[[], Network]
    settings: Mapping[str, Any]
    data: Callable[[Splits], Splits] | None = None
    ailment: str = ""  # "" for a healthy run
    watch_test: bool = False

    def make(self, folder: Path) -> Path:
        """Train it into a folder, which is returned."""
        source, splits = "digits", DIGITS
        if self.data is not None:
            splits, source = self.data(DIGITS), str(folder / "data.npz")
            folder.mkdir(parents=True)
            arrays = {
                f"{x}_{n}": getattr(d, a)
                for n, d in splits._asdict().items()
                for x, a in (("x", "images"), ("y", "labels"))
            }
            np.savez(source, **arrays)
        run = folder / "run"
        with suppress(DivergenceError), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", DataWarning)  # of one class, of weights that are far apart
            config = RunConfig(network=self.network(), data={"source": source}, **self.settings)
            start_run(config, run).fit(
                splits.train, splits.valid, splits.test if self.watch_test else None, epochs=config.epochs
            )
        return run


def net(*sizes: int, **how: Any) -> Callable[[], Network]:
    """A chain of dense layers of 64 inputs."""
    return lambda: mlp((64, *sizes, 10), **how)


def with_weights(
    weights: Any, *hidden: int, activation: Any = Sigmoid, biases: Any = None, **how: Any
) -> Callable[[], Network]:
    """A chain whose weights, in every layer, come from one initializer."""

    def make() -> Network:
        layers = []
        for n in hidden:
            layers += [Dense(n, weights, *([biases] if biases is not None else [])), activation()]
        return Network([*layers, Dense(10, weights)], 64, **how)

    return make


def sgd(rate: float, **more: Any) -> dict[str, Any]:
    """Settings of plain gradient descent."""
    return {"optimizer": {"type": "SGD", "learning_rate": rate}, "epochs": 3, **more}


def adam(rate: float = 0.005, **more: Any) -> dict[str, Any]:
    """Settings of Adam."""
    return {"optimizer": {"type": "Adam", "learning_rate": rate}, "epochs": 3, **more}


def relabelled(change: Callable[[np.ndarray], np.ndarray], *parts: str) -> Callable[[Splits], Splits]:
    """Sets with other labels in these parts."""

    def changed(splits: Splits) -> Splits:
        new = {p: type(d)(d.images, change(d.labels)) if p in parts else d for p, d in splits._asdict().items()}
        return Splits(**new)

    return changed


def chosen(which: Callable[[np.ndarray], np.ndarray]) -> Callable[[Splits], Splits]:
    """A training set of the examples at the positions that a function of the labels gives."""
    return lambda splits: splits._replace(train=splits.train[which(splits.train.labels)])


def few(n: int) -> Callable[[Splits], Splits]:
    """The first training images only."""
    return lambda splits: splits._replace(train=splits.train.first(n))


def copied(n: int, part: str) -> Callable[[Splits], Splits]:
    """The first images of another set copied over the end of the training set."""

    def changed(splits: Splits) -> Splits:
        train, other = splits.train, splits.part(part)
        images = np.concatenate([train.images[:-n], other.images[:n]])
        return splits._replace(train=type(train)(images, np.concatenate([train.labels[:-n], other.labels[:n]])))

    return changed


def shuffled(labels: np.ndarray) -> np.ndarray:
    return np.random.default_rng(3).permutation(labels)


def rolled(shift: int) -> Callable[[Splits], Splits]:
    """Training images in random order, with the labels of their neighbours."""

    def changed(splits: Splits) -> Splits:
        mixed = splits.train.shuffled(np.random.default_rng(1))
        return splits._replace(train=type(mixed)(mixed.images, np.roll(mixed.labels, shift)))

    return changed


def in_colour(splits: Splits) -> Splits:
    """Digits of 24×24 pixels in any colour on paper of any colour."""
    rng = np.random.default_rng(0)

    def painted(part: Digits) -> Digits:
        images = part.images.repeat(3, axis=1).repeat(3, axis=2)
        return Digits(coloured(images, rng, backgrounds=("plain",)), part.labels)

    return splits.each(lambda part: painted(part.first(200)))


def rare(labels: np.ndarray) -> np.ndarray:
    """All examples of class 0 to 4, and two of each other."""
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[: None if c < 5 else 2] for c in range(10)]))


def constant(value: float) -> dict[str, Any]:
    return {"type": "Constant", "value": value}


RELU = {"activation": "relu", "loss": "log-likelihood"}
SOFT = {"loss": "log-likelihood"}
CE = {"loss": "cross-entropy"}
KEPT = {"allow_output_activation": True}

ILL = [
    Run(f"{ailment} {i}", network, settings, data, ailment, watch)
    for ailment, runs in {
        "nan-in-the-network": [
            (with_weights(constant(1e39), 30), sgd(3.0)),
            (with_weights(Normal(1e38), 30, activation=ReLU, **SOFT), adam()),
        ],
        "equal-first-weights": [
            (net(30, init="zeros"), sgd(3.0)),
            (net(30, init="zeros", **RELU), sgd(0.1)),
            (with_weights("zeros", 20, 20, activation=Tanh, **CE), adam()),
        ],
        "double-output-activation": [
            (lambda: Network([Dense(30), Sigmoid(), Dense(10), Sigmoid()], 64, "quadratic", **KEPT), sgd(3.0)),
            (lambda: Network([Dense(30), Tanh(), Dense(10), Sigmoid()], 64, "log-likelihood", **KEPT), sgd(0.1)),
            (lambda: Network([Dense(30), ReLU(), Dense(10), ReLU()], 64, "cross-entropy", **KEPT), sgd(0.1)),
        ],
        "inputs-not-scaled": [
            (net(30, scaling="none"), sgd(3.0)),
            (net(30, scaling="none", **RELU), sgd(0.1)),
            (net(100, 30, scaling="none", **CE), sgd(0.5)),
        ],
        "inputs-scaled-twice": [
            (net(30, scaling=(1 / 255**2, 0.0)), sgd(3.0)),
            (net(30, scaling=(1 / 255**2, 0.0), **RELU), sgd(0.1)),
            (net(30, 30, scaling=(1 / 255**2, 0.0), activation="tanh", **CE), sgd(0.1)),
        ],
        "exploding-gradients": [
            (with_weights(Normal(1.0), 50, 50, 50, 50, activation=ReLU, loss="log-likelihood"), sgd(0.1)),
            (with_weights(Normal(0.6), 60, 60, 60, 60, 60, activation=ReLU, loss="mean-squared-error"), sgd(0.02)),
            (with_weights(Normal(1.0), 80, 80, 80, 80, activation=Softplus, loss="cross-entropy"), sgd(0.1)),
        ],
        "chosen-on-the-test-set": [
            (net(30), sgd(3.0, monitor="test_accuracy"), None, True),
            (net(30), adam(0.001), lambda s: s._replace(valid=s.test)),
        ],
        "leakage-between-sets": [
            (net(30), sgd(3.0), copied(60, "valid")),
            (net(30, **RELU), sgd(0.1), copied(10, "test")),
        ],
        "labels-shifted": [
            (net(30), sgd(3.0), rolled(1)),
            (net(30, **RELU), adam(), rolled(-1)),
            (net(30), sgd(3.0), relabelled(lambda y: (y + 1) % 10, "valid", "test")),
            (net(30, **RELU), sgd(0.1), relabelled(lambda y: (y + 9) % 10, "train")),
        ],
        "labels-shuffled": [
            (net(30), sgd(3.0), relabelled(shuffled, "train")),
            (net(30, **RELU), adam(epochs=20), relabelled(shuffled, "train", "valid", "test")),
            (net(30), sgd(3.0, epochs=6), relabelled(shuffled, "valid")),
        ],
        "sorted-data-not-shuffled": [
            (net(30), sgd(3.0, shuffle=False), chosen(np.argsort)),
            (net(30, **RELU), sgd(0.1, shuffle=False), chosen(np.argsort)),
        ],
        "dense-layers-on-colours": [(lambda: mlp((24 * 24 * 3, 30, 10)), sgd(0.5, epochs=6), in_colour)],
        "batch-larger-than-the-data": [
            (net(30), sgd(3.0, batch_size=500, epochs=6), few(300)),
            (net(30, **RELU), sgd(0.1, batch_size=1500, epochs=10)),
        ],
        "class-imbalance": [(net(30), sgd(3.0, epochs=5), chosen(rare)), (net(30, **RELU), sgd(0.1), chosen(rare))],
        "saturated-neurons": [
            (with_weights(Normal(6.0), 30), sgd(0.5)),
            (with_weights(Normal(10.0), 40, 30, activation=Tanh), sgd(0.1)),
        ],
        "weight-decay-too-strong": [
            (net(30, **CE), sgd(0.5, regularizers=[{"type": "L2", "strength": 300.0}])),
            (net(30), sgd(3.0, regularizers=[{"type": "L2", "strength": 50.0}])),
        ],
        "noisy-gradient": [(net(30), {"gradient": "spsa", "epochs": 1})],
        "dead-relus": [
            (net(30, **RELU), sgd(5.0)),
            (with_weights("he", 40, activation=ReLU, biases=constant(-20.0), loss="log-likelihood"), sgd(0.1)),
            (net(30, activation="relu", loss="mean-squared-error"), sgd(3.0)),
        ],
        "vanishing-gradients": [(net(30, 30, 30, 30), sgd(0.5)), (net(20, 20, 20, 20, 20, **CE), sgd(0.5))],
        "diverging": [
            (lambda: Network([Dense(10)], 64, "mean-squared-error"), sgd(1.0)),
            (lambda: Network([Dense(20), Dense(10)], 64, "mean-squared-error"), sgd(3.0)),
            (net(30, activation="tanh", loss="mean-squared-error"), sgd(30.0)),
        ],
        "learning-rate-too-large": [
            (net(30), sgd(100.0)),
            (net(30), sgd(1000.0)),
            (net(30, **CE), sgd(100.0)),
            (net(30, loss="log-likelihood"), adam(10.0)),
            (net(30, activation="tanh"), sgd(30.0)),
        ],
        "learning-rate-too-small": [
            (net(30), sgd(0.001)),
            (net(30, **CE), sgd(1e-3)),
            (net(30, **RELU), sgd(0.0003)),
            (net(30, **RELU), adam(1e-6)),
        ],
        "one-class-predicted": [
            (net(30), sgd(3.0), chosen(lambda y: np.flatnonzero(y == 3))),
            (net(30, **RELU), sgd(0.1, class_weights={"4": 1000.0})),
        ],
        "stopped-too-early": [
            (net(30, 30), sgd(3.0, epochs=2)),
            (net(30, **CE), sgd(0.25, epochs=2), few(300)),
            (net(20, 20, **CE), sgd(0.2, epochs=30, early_stop=1)),
        ],
        "overfitting": [
            (net(50, **RELU), adam(0.01, epochs=40), few(60)),
            (net(100, **CE), sgd(0.5, epochs=150), few(60)),
            (net(100, **SOFT), sgd(1.0, epochs=60), few(100)),
        ],
    }.items()
    for i, (network, settings, *rest) in enumerate(runs, 1)
    for data, watch in [(rest[0] if rest else None, bool(rest[1:]))]
]


def only(*classes: int) -> Callable[[Splits], Splits]:
    """The images of some classes."""
    return lambda splits: splits.each(lambda part: part.only(classes))


def larger(splits: Splits) -> Splits:
    """The images at twice their size, 16×16."""
    return splits.each(lambda part: type(part)(part.images.repeat(2, axis=1).repeat(2, axis=2), part.labels))


def inverted(splits: Splits) -> Splits:
    """Light ink on dark paper."""
    return splits.each(lambda part: type(part)(255 - part.images, part.labels))


def three_or_not(splits: Splits) -> Splits:
    """Two classes, one of which is rare."""
    return splits.each(lambda part: type(part)(part.images, (part.labels == 3).astype(np.int64)))


def recipe(name: str) -> Callable[[], Network]:
    """A network of the zoo for the small images."""
    return lambda: find_recipe(name).build(input_shape=(8, 8, 1), classes=10)


def layers(*chosen: Any, loss: str = "log-likelihood", shape: Any = (8, 8, 1)) -> Callable[[], Network]:
    """A network of layers by their names or tables."""
    return lambda: Network(list(chosen), shape, loss)


def conv(n: int = 6) -> dict[str, Any]:
    return {"type": "Conv2D", "filters": n, "kernel_size": 3}


def dense(n: int, weights: str = "he") -> dict[str, Any]:
    return {"type": "Dense", "out_features": n, "weights": weights}


def with_optimizer(kind: str, rate: float | None = None, **more: Any) -> dict[str, Any]:
    """Settings with this optimizer, at its default rate unless given."""
    return {"optimizer": {"type": kind, **({"learning_rate": rate} if rate else {})}, "epochs": 5, **more}


HEALTHY = [
    Run(f"healthy {i}", network, settings, rest[0] if rest else None)
    for i, (network, settings, *rest) in enumerate(
        [
            (net(30), sgd(3.0)),
            (net(30), sgd(3.0, epochs=30)),
            (net(30), sgd(1.5, epochs=10)),
            (net(30), sgd(6.0)),
            (net(100), sgd(3.0, epochs=10)),
            (net(30, init="large"), sgd(3.0, epochs=15)),
            (net(30, 20), sgd(3.0, epochs=15)),
            (net(10), sgd(3.0, epochs=20)),
            (net(), sgd(0.5, epochs=10)),
            (net(30, **CE), sgd(0.5, epochs=6)),
            (net(30, **CE), sgd(0.5, epochs=10, regularizers=[{"type": "L2", "strength": 2.0}])),
            (net(100, **CE), sgd(0.5, epochs=10, regularizers=[{"type": "L1", "strength": 0.5}])),
            (net(30, **SOFT), sgd(0.5, epochs=6)),
            (net(30, **RELU), sgd(0.1)),
            (net(30, **RELU), sgd(0.1, epochs=40)),
            (net(50, 30, **RELU), sgd(0.1, epochs=10)),
            (net(40, 40, 40, **RELU), sgd(0.05, epochs=15)),
            (net(30, activation="tanh", **CE), sgd(0.1, epochs=5)),
            (net(30, activation="leaky-relu", **SOFT), sgd(0.1, epochs=5)),
            (net(30, activation="gelu", **SOFT), with_optimizer("Adam", 0.005)),
            (net(30, activation="tanh", loss="mean-squared-error"), sgd(0.1, epochs=15)),
            (net(30, activation="relu", loss="mean-squared-error"), sgd(0.1, epochs=15)),
            (net(60, dropout=0.3, **RELU), sgd(0.1, epochs=10)),
            (net(60, dropout=0.5), sgd(3.0, epochs=20)),
            (net(30), with_optimizer("Momentum", epochs=20)),
            (net(30, **CE), with_optimizer("Nesterov")),
            (net(30, **RELU), with_optimizer("Adam")),
            (net(30), with_optimizer("Adam")),
            (net(30, **RELU), with_optimizer("RMSprop")),
            (net(30, **RELU), with_optimizer("AdamW", 0.002, epochs=10)),
            (net(30, **RELU), with_optimizer("AdamW")),
            (net(30, **CE), sgd(0.5, batch_size=1, epochs=3)),
            (net(30, **RELU), sgd(0.3, batch_size=50, epochs=15)),
            (net(30, **RELU), with_optimizer("Adam", 0.01, batch_size=100, epochs=15)),
            (net(30), sgd(3.0, epochs=8, schedule="cosine")),
            (net(30, **CE), sgd(0.5, epochs=30, early_stop=5)),
            (net(30, **CE), sgd(0.5, epochs=10, shuffle=False)),
            (net(30, **RELU), sgd(0.1, epochs=8, augment="shift:1")),
            (net(30, **CE), sgd(0.5, epochs=8, class_weights="balanced")),
            (net(30, **RELU), sgd(0.1, epochs=10, averaging="swa")),
            (net(30), sgd(3.0, epochs=8), only(0, 1, 7)),
            (net(30, **RELU), sgd(0.1, epochs=8), only(3, 8)),
            (lambda: mlp((256, 30, 10), **RELU), sgd(0.1, epochs=8), larger),
            (net(30, **RELU), sgd(0.05, epochs=12), inverted),
            (net(30, **CE), sgd(0.5, epochs=10), three_or_not),
            (net(30, **CE), sgd(0.5, epochs=12), few(600)),
            (layers(conv(), "relu", "flatten", dense(10)), sgd(0.05, epochs=6)),
            (
                layers(conv(8), "relu", {"type": "MaxPool2D", "size": 2}, "flatten", dense(30), "relu", dense(10)),
                with_optimizer("Adam", 0.005),
            ),
            (layers(conv(), "BatchNorm", "relu", "flatten", dense(10)), with_optimizer("Adam", 0.005)),
            (layers(dense(40), "BatchNorm", "relu", dense(10), shape=64), sgd(0.2, epochs=5)),
        ],
        1,
    )
]
