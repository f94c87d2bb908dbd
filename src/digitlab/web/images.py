"""Images for the page: of a data set by number, the network's worst failures, the digits on a photo."""

import base64
import tempfile
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data import Digits, Splits, find_mnist, load
from digitlab.data.photos import open_photo
from digitlab.engine.select import predict
from digitlab.errors import ConfigError, DataError
from digitlab.nn.network import Network
from digitlab.reading import read_photo
from digitlab.train.evaluation import class_shares, classifies
from digitlab.web.own_digits import OwnDigits

PARTS = ("train", "valid", "test")
FAILURES = 60  # images, at most
ONE_AT_A_TIME = threading.Lock()  # for photos: each may take hundreds of megabytes


class Images:
    """The data sets that the page may ask for, by name: never by a path. Each is read when it is first asked for."""

    def __init__(self, network: Network, own: OwnDigits) -> None:
        self.network, self.own = network, own
        self.known: dict[tuple[str, str], Digits] = {}
        self.whole: dict[str, Splits] = {}
        self.lock = threading.Lock()

    @cached_property
    def sources(self) -> list[str]:
        """Names of sets that are on this machine; nothing is downloaded without `digitlab data fetch`."""
        return ["mnist", "digits"] if find_mnist() is not None else ["digits"]

    def part(self, source: Any, part: Any) -> Digits:
        """One set. Raises ConfigError for a name that is not among `sources` and PARTS."""
        if source not in self.sources:
            raise ConfigError(f"got the data set {source!r}, expected one of {', '.join(self.sources)}")
        if part not in PARTS:
            raise ConfigError(f"got the part {part!r}, expected one of {', '.join(PARTS)}")
        with self.lock:
            if (source, part) not in self.known:
                self.known[source, part] = load(source, part=part)
            return self.known[source, part]

    def path_of(self, source: Any) -> str:
        """What `load` takes for a set that the page names: "mnist", or "own/NAME" for own digits."""
        if isinstance(source, str) and source.startswith("own/"):
            return str(self.own.folder(source.removeprefix("own/"), there=True).resolve())
        if source not in self.sources:
            raise ConfigError(f"got the data set {source!r}, expected one of {', '.join(self.sources)}")
        return str(source)

    def splits(self, source: Any) -> Splits:
        """All three sets of a source; those of a name are kept, since each training needs them."""
        path = self.path_of(source)
        if path not in self.sources:
            return load(path)
        with self.lock:
            if path not in self.whole:
                self.whole[path] = load(path)
            return self.whole[path]

    def image(self, source: Any, part: Any, index: Any) -> dict[str, Any]:
        """One image by its number, with its label. Raises ConfigError for a number that there is not."""
        digits = self.part(source, part)
        if not (isinstance(index, int) and 0 <= index < len(digits)):
            raise ConfigError(f"got image {index!r}, expected 0 to {len(digits) - 1:,}: {source} {part} has no other")
        image, label = digits[index]
        return shown(image) | {"label": int(label), "index": index, "source": source, "part": part}

    def sample(self, source: Any, part: Any, label: Any, count: int = 12) -> list[dict[str, Any]]:
        """Images of one class, evenly spread over the set."""
        digits = self.part(source, part)
        found = np.flatnonzero(digits.labels == label)
        chosen = found[np.linspace(0, len(found) - 1, count).astype(int)] if len(found) else found
        return [shown(digits.images[i]) | {"label": int(digits.labels[i]), "index": int(i)} for i in chosen]

    @cached_property
    def failures(self) -> list[dict[str, Any]]:
        """Test images that the network gets wrong, the surest errors first; [] for a network of other images."""
        fitting = [s for s in self.sources if self.part(s, "test").images[0].size == np.prod(self.network.input_shape)]
        if not fitting or not classifies(self.network):
            return []
        digits = self.part(fitting[0], "test")
        probabilities = probabilities_of(self.network, digits)
        return worst(probabilities, digits, FAILURES, source=fitting[0], part="test")

    def photo(self, content: bytes) -> dict[str, Any]:
        """The digits on a photo, as `digitlab read` finds them, each with the image that the network sees."""
        with ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo"
            path.write_bytes(content)
            try:
                reading = read_photo(self.network, open_photo(path))
            except DataError as error:
                raise DataError(str(error).replace(f"{path}: ", "the photo ").replace(str(path), "the photo")) from None
        (height, width), box = reading.page.size, reading.page.in_photo
        return {
            "text": reading.text,
            "size": [width, height],
            "digits": [
                shown(read.image)
                | {"label": read.label, "confidence": float(read.confidence), "box": list(box(read.box))}
                for read in reading.digits
            ],
            "others": [{"why": read.why_not, "box": list(box(read.box))} for read in reading.others[:50]],
        }


def shown(image: NDArray[np.uint8]) -> dict[str, Any]:
    """An image as JSON: its bytes in base64, row by row, and its shape."""
    return {"pixels": base64.b64encode(np.ascontiguousarray(image).tobytes()).decode(), "shape": list(image.shape)}


def probabilities_of(network: Network, digits: Digits) -> NDArray[np.float64]:
    """Probability of each class for each image, (N, classes)."""
    parts = [digits.images[first : first + 1000] for first in range(0, len(digits), 1000)]
    return class_shares(np.concatenate([predict(network, part) for part in parts]))


def worst(probabilities: NDArray[np.float64], digits: Digits, most: int, **about: Any) -> list[dict[str, Any]]:
    """The images that were taken for another class with the highest probability, with their numbers."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != digits.labels)
    order = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:most]
    return [
        shown(digits.images[i])
        | {
            "index": int(i),
            "label": int(digits.labels[i]),
            "predicted": int(predicted[i]),
            "confidence": float(probabilities[i, predicted[i]]),
        }
        | about
        for i in order
    ]
