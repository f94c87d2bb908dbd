"""How the shipped network was made: `python -m digitlab.shipped.train [FILE]`, 5 to 20 minutes on one core.

It learns MNIST's first 50,000 training images in other styles of handwriting (rotated, slanted, other pens), printed
digits in eight fonts, and other marks, for which all classes are equally likely. The epoch and the temperature are
chosen on the 10,000 validation images; the test images are used once, at the end.
"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data import load
from digitlab.data.photos.mnist_form import mnist_form
from digitlab.data.synthetic.fonts import print_character
from digitlab.data.synthetic.handwriting_styles import other_handwriting
from digitlab.data.synthetic.other_marks import other_marks
from digitlab.nn.zoo import build_named
from digitlab.optim import Adam, OneCycle
from digitlab.shipped import PATH
from digitlab.train import PlainLines, Trainer
from digitlab.train.evaluation import evaluate

SEED = 1
STYLES = 5  # other handwriting styles of each training image, in addition to the original
PRINTED, OTHERS = 16_000, 40_000
EPOCHS, BATCH = 6, 64
STIX = ("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "STIXGeneralBolIta")
FACES = ("cmr10", "cmss10", "cmb10", "cmtt10", *STIX)


def training_set(
    images: NDArray[np.uint8], labels: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Images (N, 28, 28) and targets (N, 10): one-hot for digits, equal shares for other marks."""
    styles = [images, *(other_handwriting(images, rng) for _ in range(STYLES))]
    printed, printed_labels = _printed(rng)
    strange = other_marks(OTHERS, images, rng)
    strange = np.concatenate([strange[::2], other_handwriting(strange[1::2], rng)])
    one_hot = np.eye(10, dtype=np.float32)
    targets = [one_hot[labels]] * len(styles) + [one_hot[printed_labels], np.full((OTHERS, 10), 0.1, np.float32)]
    return np.concatenate([*styles, printed, strange]), np.concatenate(targets)


def _printed(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """PRINTED digits in FACES, each with its own size and rotation."""
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


def train(path: Path) -> None:
    """Train the network, print its accuracy, and save it."""
    splits = load("mnist")
    train_set, valid, test = splits
    assert valid is not None
    began = time.perf_counter()
    x, y = training_set(train_set.images, train_set.labels, np.random.default_rng(SEED))
    print(f"{len(x):,} images made in {time.perf_counter() - began:.0f} s", flush=True)
    network = build_named("sprint", seed=SEED)
    lines = PlainLines(partial(print, flush=True))
    trainer = Trainer(network, Adam(0.003), schedule=OneCycle(), batch_size=BATCH, seed=SEED, callbacks=[lines])
    trainer.fit((x, y), valid, epochs=EPOCHS)
    print(f"{time.perf_counter() - began:.0f} s in all; engine: {trainer.engine_reason}")
    t = temperature(network.forward(valid.images)[0], valid.labels)
    last = list(network.parameters().values())[-2:]
    for parameter in last:  # the last layer's W and b: its logits are divided by T, once
        parameter.value = parameter.value / np.float32(t)
    print(f"temperature {t:.3f}")
    for name, digits in (("valid", valid), ("test", test)):
        loss, accuracy = evaluate(network, digits.images, digits.labels)
        print(f"{name}: {100 * (accuracy or 0):.2f} % correct, loss {loss:.4f}")
    network.save(path)
    print(f"saved: {path}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    train(Path(sys.argv[1]) if len(sys.argv) > 1 else PATH)
