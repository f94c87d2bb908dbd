"""The friendly top: one object to train, test, look into, save and load, for a session at Python's prompt.

>>> train, valid, test = digitlab.load("mnist")
>>> net = digitlab.Net([784, 30, 10])
>>> net.train(train, 3.0)
>>> net.test(test)
95.42% correct!
>>> net.imagine(3)
>>> net.save()
"""

import inspect
import os
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.engine.select import predict
from digitlab.errors import ConfigError, ModelFileError, not_among
from digitlab.nn import Network, load_network, mlp
from digitlab.nn.examples import inputs
from digitlab.notices import TrainingWarning
from digitlab.optim import SGD
from digitlab.synonyms import meant
from digitlab.train import Callback, History, PlainLines, Trainer
from digitlab.train.evaluation import class_shares, classifies, evaluate
from digitlab.train.probe import Diagnose
from digitlab.viz.figures import heatmap_figure, save_figure
from digitlab.viz.imagine import Imagined, imagine

DEFAULT_FILE = "net.safetensors"


class Net:
    """A network with everything one does to it; `Net([784, 30, 10])`, any number of layers.

    Keyword arguments are those of `digitlab.mlp` (activation, loss, init, dropout, seed ...). By default it has
    sigmoid neurons and the quadratic cost, as in Nielsen's chapter 1, and the scaled first weights of his chapter 3;
    `init="large"` draws them from N(0, 1), as chapter 1 does. `net.network` is the network itself.
    """

    def __init__(self, sizes: Sequence[int], *, seed: int = 0, **settings: Any) -> None:
        known = inspect.signature(mlp).parameters
        for name in settings.keys() - known:
            if found := meant(name, inspect.signature(self.train).parameters):
                raise ConfigError(
                    f"Net has no setting {name!r}; give train() the {found}: net.train(data, {found}=...)"
                )
            raise ConfigError(f"Net has no setting {not_among(name, known)}")
        self.network: Network = mlp(sizes, seed=seed, **settings)
        self.history = History()
        self._seed = seed

    def train(
        self,
        data: Any,
        learning_rate: float | None = None,
        *,
        epochs: int = 1,
        batch_size: int = 10,
        valid: Any = None,
        class_weights: Any = None,
        sample_weights: Any = None,
        callbacks: Sequence[Callback] = (),
    ) -> History:
        """Train on Digits, a pair (x, y), a list of (x, y) examples or any other container (docs/data.md).

        One pass, or `epochs` of them, by plain gradient descent; without a `learning_rate`, at the default for the
        network's loss and activation (3.0 for Net([784, 30, 10])). Goes on from the weights as they are. Returns
        the history of this call; `net.history` holds all of them. `class_weights` ("balanced", {class: weight}, one
        for each class) and `sample_weights` (N,) say how much examples count in the training loss. Warns
        (TrainingWarning) if the network has learned next to nothing, with the likely cause. Raises DivergenceError if
        the loss is no longer finite.
        """
        diagnose = Diagnose()
        trainer = Trainer(
            self.network,
            SGD(learning_rate),
            batch_size=batch_size,
            keep="last" if valid is None else "best",
            class_weights=class_weights,
            callbacks=[*callbacks, diagnose],
            seed=self._seed + len(self.history),  # another order in every call
        )
        try:
            trainer.fit(data, valid, epochs=epochs, sample_weights=sample_weights)
        finally:  # the epochs before an error, too: the network holds what was learned in them
            first = len(self.history)
            self.history.rows += [{**row, "epoch": first + row["epoch"]} for row in trainer.history]
        if trainer.interrupted:
            raise KeyboardInterrupt  # with what was learned until then kept
        if diagnose.found is not None:
            warnings.warn(str(diagnose.found), TrainingWarning, stacklevel=2)
        return trainer.history

    def test(self, data: Any) -> float:
        """Print and return the share of examples that are classified correctly, in per cent.

        For a network that gives numbers and not classes: the mean loss per example.
        """
        loss, accuracy = evaluate(self.network, data)
        if accuracy is None:
            print(f"loss {loss:.6f}")
            return loss
        print(f"{100 * accuracy:.2f}% correct!")
        return 100 * accuracy

    def predict(self, images: Any) -> Any:
        """The digit that the network reads in each image, shape (N,).

        `images` are a Digits, an array or any other container of inputs; a single image is a batch of one.
        For a network that gives numbers and not classes: those numbers, shape (N, out).
        """
        outputs = predict(self.network, inputs(images, self.network, "images"))
        return np.argmax(outputs, axis=1) if classifies(self.network) else outputs

    def predict_proba(self, images: Any) -> Any:
        """The probability of each class for each image, shape (N, classes), rows adding up to 1; as in `predict`.

        Raises ConfigError for a network that gives numbers, not classes.
        """
        if not classifies(self.network):
            raise ConfigError("predict_proba: the network gives numbers, not classes; predict() returns them")
        return class_shares(predict(self.network, inputs(images, self.network, "images")))

    def imagine(self, digit: int, path: str | os.PathLike[str] | None = None) -> Imagined:
        """Ask what a digit looks like: prints what the network reads in its own picture, and saves that picture.

        `path` defaults to "imagine-3.png" in the current folder. Returns picture and figures.
        """
        seen = imagine(self.network, digit)
        path = Path(path) if path is not None else Path(f"imagine-{digit}.png")
        title = f"imagined {digit}, read as {seen.first}"
        save_figure(heatmap_figure([seen.picture], [title]), path)
        print(f"imagined a {digit}; the network classifies its own picture as {seen.first}")
        print(f"second best: {seen.second}; margin {seen.margin:.1f}%")
        print(f"picture: {path}")
        return seen

    def save(self, path: str | os.PathLike[str] = DEFAULT_FILE) -> None:
        """Write architecture and weights into one file."""
        self.network.save(path)

    def load(self, path: str | os.PathLike[str] = DEFAULT_FILE) -> None:
        """Take over a saved network of the same layer sizes, with an empty history; ModelFileError if they differ."""
        network = load_network(path)
        if network.shapes != self.network.shapes:
            raise ModelFileError(f"{path}: holds layers {_sizes(network)}, this Net has {_sizes(self.network)}")
        self.network, self.history = network, History()

    def __repr__(self) -> str:
        return f"Net({_sizes(self.network)})"


def get_net(
    sizes: Sequence[int] = (784, 30, 10),
    *,
    epochs: int = 30,
    batch_size: int = 10,
    learning_rate: float | None = None,
    seed: int = 0,
    data: str = "mnist",
    folder: str | os.PathLike[str] = ".",
) -> Net:
    """Make, train and save a network in one call, and return it.

    The file's name tells how it came about, as
    net-year-month-day-hour-minute-epochs-layers-widest hidden layer-batch size-learning rate-accuracy-seed,
    the accuracy being the best on the validation set, in per cent. Ctrl-C saves what was learned until then.
    """
    from digitlab.data import load

    if Path(folder).exists() and not Path(folder).is_dir():
        raise ConfigError(f"folder: got {folder}, which is a file; expected a folder to save the network in")
    splits = load(data)
    net = Net(sizes, seed=seed)
    interrupted = False
    try:
        net.train(
            splits.train,
            learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            valid=splits.valid,
            callbacks=[PlainLines()],
        )
    except KeyboardInterrupt:
        if not len(net.history):
            raise
        interrupted, epochs = True, len(net.history)
    accuracy = 100 * net.history.statistics("valid_accuracy").best
    widest, rate = max(sizes[1:-1], default=0), net.history[-1]["learning_rate"]
    name = time.strftime("net-%Y-%m-%d-%H-%M")
    name += f"-{epochs}-{len(sizes)}-{widest}-{batch_size}-{rate:g}-{accuracy:.2f}-{seed}.safetensors"
    net.save(Path(folder) / name)
    print(f"saved: {Path(folder) / name}")
    if interrupted:
        raise KeyboardInterrupt
    return net


def _sizes(network: Network) -> list[int]:
    return [network.input_shape[0], *(layer.out_features for layer in network.layers if hasattr(layer, "out_features"))]
