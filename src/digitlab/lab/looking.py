"""What a Net shows: predictions, accuracy, failures, pictures, and one example step by step."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.engine.select import predict
from digitlab.errors import ConfigError, DataError
from digitlab.nn.examples import examples, inputs
from digitlab.nn.network import Network
from digitlab.train import Evaluation, History
from digitlab.train.evaluation import as_labels, class_shares, classifies, evaluate
from digitlab.viz.figures import save_figure
from digitlab.viz.imagine import Imagined
from digitlab.viz.inversions import imagined, inversions_figure

if TYPE_CHECKING:
    from digitlab.viz.explain import Walk
    from digitlab.viz.failures import Failures
    from digitlab.viz.figures import Figure
    from digitlab.viz.look import Picture


class Looking:
    """What a Net answers, and how to see why."""

    network: Network
    history: History

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

    def evaluate(self, data: Any, y: Any = None) -> Evaluation:
        """Mean loss per example and accuracy, a share of 1: `loss, accuracy = net.evaluate(test)`."""
        return evaluate(self.network, data, y)

    def feedforward(self, x: Any) -> Any:
        """The outputs (N, out) for inputs in any container; a single input is a batch of one."""
        return predict(self.network, inputs(x, self.network))

    def predict(self, images: Any) -> Any:
        """The class that the network recognizes in each image, shape (N,).

        `images` are a Digits, an array or any other container of inputs; a single image is a batch of one.
        For a network that gives numbers and not classes: those numbers, shape (N, out).
        """
        outputs = predict(self.network, inputs(images, self.network, "images"))
        return np.argmax(outputs, axis=1) if classifies(self.network) else outputs

    def predict_proba(self, images: Any) -> Any:
        """The probability of each class for each image, shape (N, classes), rows adding up to 1; as in `predict`.

        Raises ConfigError for a network that gives numbers, not classes.
        """
        self._require_classes("predict_proba")
        return class_shares(predict(self.network, inputs(images, self.network, "images")))

    def failures(self, data: Any) -> "Failures":
        """The misclassified examples, the most confident errors first: positions, labels, guesses, probabilities.

        Raises ConfigError for a network that gives numbers, not classes.
        """
        from digitlab.viz.failures import find_failures

        self._require_classes("failures")
        x, y = examples(data, self.network, "images")
        return find_failures(class_shares(predict(self.network, x)), np.asarray(as_labels(y)))

    def plot(self) -> "Figure":
        """Loss and accuracy over all epochs, as a matplotlib Figure. Raises ConfigError before the first epoch."""
        return self.history.plot()

    def look(self, data: Any, *what: str, image: int = 0) -> "list[Picture]":
        """Pictures of the network, with the images of a Digits: `net.look(test, "weights", "confusion")`.

        what     names of pictures, as of `digitlab look`; by default "weights", "filters" and "confusion"
        image    position of the image that goes through the layers

        Each picture has a name, a matplotlib Figure and a caption. Raises ConfigError for an unknown name, ShapeError
        where the network has no such picture.
        """
        from digitlab.viz.look import Subject, pictures

        if not hasattr(data, "class_names"):
            raise DataError(f"look: got {type(data).__name__}, expected Digits: Digits(images, labels)")
        subject = Subject(self.network, data.images, data.labels, data.class_names, image=image)
        return pictures(subject, *what)

    def explain(self, image: Any, label: int | None = None) -> "Walk":
        """One image forward and backward through the layers, with every array; `print` shows it.

        `image` is an image, or a pair (image, label) as `digits[7]` gives it; without a label, the prediction is taken
        for it. Raises ShapeError if the image or the label does not fit.
        """
        from digitlab.viz.explain import check_label, walk

        if isinstance(image, tuple) and label is None:
            image, label = image
        if label is None:
            label = int(self.predict(image)[0])
        check_label(self.network, label)
        return walk(self.network, image, label)

    def imagine(self, digit: int, path: str | os.PathLike[str] | None = None) -> Imagined:
        """Ask what a digit looks like: prints what the network recognizes in its own picture, and saves that picture.

        For a chain of dense layers by the linear inversion, for others by gradient ascent (docs/see-imagine.md).
        `path` defaults to "imagine-3.png" in the current folder. Returns picture and figures.
        """
        seen = imagined(self.network, digit)
        path = Path(path) if path is not None else Path(f"imagine-{digit}.png")
        method = "linear" if seen.picture.min() < 0 else "ascent"  # whose picture has dark ink and no evidence against
        save_figure(inversions_figure({method: [seen]}), path)
        print(f"imagined a {digit}; the network classifies its own picture as {seen.first}")
        print(f"second best: {seen.second}; margin {seen.margin:.1f}%")
        print(f"picture: {path}")
        return seen

    def _require_classes(self, what: str) -> None:
        if not classifies(self.network):
            raise ConfigError(f"{what}: the network gives numbers, not classes; predict() returns them")
