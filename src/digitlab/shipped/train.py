"""How the shipped network was made: `python -m digitlab.shipped.train [FILE]`, 5 to 20 minutes on one core.

It learns MNIST's first 50,000 training images in other hands (turned, slanted, other pens), digits in eight faces of
print, and marks that are no digits, for which it is to be unsure. The 10,000 validation images choose the epoch and
the temperature; the test images are looked at once, at the end.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data import load
from digitlab.data.photos.mnist_form import mnist_form
from digitlab.data.synthetic.fonts import print_character
from digitlab.data.synthetic.handwriting_styles import other_handwriting
from digitlab.data.synthetic.other_marks import other_marks
from digitlab.nn import Network
from digitlab.nn.zoo import build_named
from digitlab.optim import Adam, OneCycle
from digitlab.shipped import PATH
from digitlab.train import PlainLines, Trainer
from digitlab.train.evaluation import evaluate

SEED = 1
HANDS = 5  # each training image is written by so many other hands, beside the original
PRINTED, OTHERS = 16_000, 40_000
EPOCHS, BATCH = 6, 64
FACES = (
    "cmr10",
    "cmss10",
    "cmb10",
    "cmtt10",
    "STIXGeneral",
    "STIXGeneralItalic",
    "STIXGeneralBol",
    "STIXGeneralBolIta",
)


def training_set(
    images: NDArray[np.uint8], labels: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Images (N, 28, 28) and what the network is to answer (N, 10): one class, or all alike for what is no digit."""
    hands = [images, *(other_handwriting(images, rng) for _ in range(HANDS))]
    printed, printed_labels = _printed(rng)
    strange = other_marks(OTHERS, images, rng)
    strange = np.concatenate([strange[::2], other_handwriting(strange[1::2], rng)])
    one_hot = np.eye(10, dtype=np.float32)
    targets = [one_hot[labels]] * len(hands) + [one_hot[printed_labels], np.full((OTHERS, 10), 0.1, np.float32)]
    return np.concatenate([*hands, printed, strange]), np.concatenate(targets)


def _printed(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """PRINTED digits in FACES, each in another size and turn."""
    from PIL import Image

    labels = rng.integers(10, size=PRINTED)
    images = []
    for label in labels:
        ink = print_character(str(label), FACES[int(rng.integers(len(FACES)))])
        turned = Image.fromarray(ink).rotate(rng.uniform(-8, 8), Image.Resampling.BILINEAR, expand=True)
        images.append(mnist_form(np.asarray(turned.crop(turned.getbbox()), dtype=np.float32) / 255))
    return other_handwriting(np.stack(images), rng, turn=4), labels


def temperature(logits: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """The T for which softmax(logits / T) fits the labels best (Guo et al. 2017, "On calibration of modern neural
    networks", sec. 4.2)."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_t: float) -> float:
        return -float(np.mean(log_softmax(logits / np.exp(log_t), axis=1)[np.arange(len(labels)), labels]))

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def train(path: Path) -> Network:
    """Train the network, print what came of it, and save it."""
    splits = load("mnist")
    train_set, valid, test = splits
    assert valid is not None
    began = time.perf_counter()
    x, y = training_set(train_set.images, train_set.labels, np.random.default_rng(SEED))
    print(f"{len(x):,} images made in {time.perf_counter() - began:.0f} s", flush=True)
    network = build_named("sprint", seed=SEED)
    trainer = Trainer(
        network,
        Adam(0.003),
        schedule=OneCycle(),
        batch_size=BATCH,
        seed=SEED,
        callbacks=[PlainLines(lambda line: print(line, flush=True))],
    )
    trainer.fit((x, y), valid, epochs=EPOCHS)
    print(f"{time.perf_counter() - began:.0f} s in all; engine: {trainer.engine_reason}")
    t = temperature(network.forward(valid.images)[0], valid.labels)
    last = list(network.parameters().values())[-2:]
    for parameter in last:  # the last layer's W and b: its logits are divided by T for good
        parameter.value = parameter.value / np.float32(t)
    print(f"temperature {t:.3f}")
    for name, digits in (("valid", valid), ("test", test)):
        loss, accuracy = evaluate(network, digits.images, digits.labels)
        print(f"{name}: {100 * (accuracy or 0):.2f} % correct, loss {loss:.4f}")
    network.save(path)
    print(f"saved: {path}, {path.stat().st_size:,} bytes")
    return network


def main(arguments: Sequence[str]) -> None:
    """Train into the named file, by default the one in the package."""
    train(Path(arguments[0]) if arguments else PATH)


if __name__ == "__main__":
    main(sys.argv[1:])
