"""How the shipped network was made: `python -m digitlab.shipped.train [FILE]`, 15 minutes to an hour.

It learns MNIST's first 50,000 training images, and these in another style; digits in the hands and pens of several
countries; printed digits in eight fonts; and, as an eleventh class, marks that are no digits. Some of each are on a few
pixels. The temperature is chosen on validation images of each kind; the test images are used once, at the end.
"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data import Digits, load
from digitlab.data.augment import parse_augmentation
from digitlab.data.photos.mnist_form import mnist_form
from digitlab.data.synthetic.captures import captured
from digitlab.data.synthetic.fonts import print_character
from digitlab.data.synthetic.hand_digits import hand_digits
from digitlab.data.synthetic.handwriting_styles import other_handwriting
from digitlab.data.synthetic.other_marks import other_marks
from digitlab.data.synthetic.pens import resized
from digitlab.judging import judge, logits_of
from digitlab.nn import Network
from digitlab.nn.io.building import build_network
from digitlab.nn.io.description import describe_network
from digitlab.nn.zoo import build_named
from digitlab.optim import AdamW, OneCycle
from digitlab.shipped import PATH
from digitlab.train import PlainLines, Trainer

SEED = 1
NONE = 10  # the label of marks that are no digits
HANDS, PRINTED, OTHERS = 60_000, 10_000, 60_000
TINY = 8_000  # marks that are no digits on 7 to 10 pixels; digits of hands are two and a half times as many
EPOCHS = 8
AUGMENT = "shift,rotate:6,scale"  # of every image in every epoch
STIX = ("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "STIXGeneralBolIta")
FACES = ("cmr10", "cmss10", "cmb10", "cmtt10", *STIX)

Images = NDArray[np.uint8]  # (N, 28, 28)
Labels = NDArray[np.int64]  # (N,)


def training_set(images: Images, labels: Labels, rng: np.random.Generator) -> tuple[Images, Labels]:
    """Images of every kind and their labels, NONE for those that are no digits; from MNIST's `images`."""
    written, few = np.arange(HANDS) % 10, np.arange(TINY * 5 // 2) % 10
    styles, hands, print_, others, tiny_hands, tiny_styles, tiny_others = rng.spawn(7)
    parts = [
        (images, labels),
        (images, labels),  # twice: MNIST is what the network is tested with
        (_recaptured(images, styles), labels),
        (hand_digits(written, hands), written),
        _printed(print_),
        (other_marks(OTHERS, images, others), np.full(OTHERS, NONE)),
        (hand_digits(few, tiny_hands, tiny=True), few),
        (_recaptured(images[: 2 * TINY], tiny_styles, tiny=True), labels[: 2 * TINY]),
        (other_marks(TINY, images, tiny_others, tiny=True), np.full(TINY, NONE)),
    ]
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def _recaptured(images: Images, rng: np.random.Generator, *, tiny: bool = False) -> Images:
    """Each image in another style, as a camera or a scanner would show it; `tiny`: on 7 to 10 pixels."""
    made = []
    for image, styled in zip(images, other_handwriting(images, rng, turn=16, slant=0.35)):
        again = captured(resized(styled.astype(np.float32) / 255, rng.uniform(1, 4)), rng, tiny=tiny)
        made.append(image if again is None else again)
    return np.stack(made)


def _printed(rng: np.random.Generator) -> tuple[Images, Labels]:
    """PRINTED digits in FACES, each with its own size and rotation."""
    from PIL import Image

    labels = rng.integers(10, size=PRINTED)
    images = []
    for label in labels:
        ink = print_character(str(label), FACES[int(rng.integers(len(FACES)))])
        turned = Image.fromarray(ink).rotate(rng.uniform(-8, 8), Image.Resampling.BILINEAR, expand=True)
        images.append(mnist_form(np.asarray(turned.crop(turned.getbbox()), dtype=np.float32) / 255))
    return other_handwriting(np.stack(images), rng, turn=4), labels


def fit(network: Network, examples: tuple[Images, Labels], valid: Digits) -> None:
    """Train with the settings of the preset best, but fewer epochs and smaller changes of the images."""
    trainer = Trainer(
        network,
        AdamW(0.006, weight_decay=0.01),
        schedule=OneCycle(warmup=0.15, start=20.0, end=1000.0),
        batch_size=128,
        augment=parse_augmentation(AUGMENT),
        keep="last",
        seed=SEED,
        callbacks=[PlainLines(partial(print, flush=True))],
    )
    trainer.fit(examples, (valid.images, valid.labels), epochs=EPOCHS)


def open_set(network: Network, temperature: float) -> Network:
    """A network with an output "none" behind its classes as one without it, its logits divided by the temperature.

    Softmax does not change when the logit of "none" is subtracted from all: it becomes the 0 of judging.py.
    """
    table = describe_network(network)
    classes = table["layers"][-1]["out_features"] - 1
    table["layers"][-1]["out_features"] = classes
    folded = build_network(table | {"open_set": True})
    state = network.state()
    for name in (f"{len(network.layers) - 1}.{value}" for value in ("W", "b")):  # running means follow the weights
        value = state[name]
        state[name] = (value[..., :classes] - value[..., classes:]) / np.float32(temperature)
    folded.load_state(state)
    folded.input_range = network.input_range
    return folded


def temperature_of(logits: NDArray[Any], labels: Labels) -> float:
    """The T for which softmax(logits / T) fits the labels best (Guo et al. 2017, "On calibration of modern neural
    networks", sec. 4.2)."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_t: float) -> float:
        return -float(np.mean(log_softmax(logits / np.exp(log_t), axis=1)[np.arange(len(labels)), labels]))

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def report(network: Network, name: str, images: Images, labels: Labels) -> str:
    """A line: how many digits are read right, how many refused; of other marks, how many are taken for a digit."""
    judged = judge(network, images)
    refused = judged.confidence < 0.5
    if (labels == NONE).all():
        return f"{name}: {100 * np.mean(~refused):.2f} % taken for a digit"
    right = judged.probabilities.argmax(axis=1) == labels
    return f"{name}: {100 * np.mean(right):.2f} % right, {100 * np.mean(refused):.2f} % refused"


def train(path: Path) -> None:
    """Train the network, print its figures, and save it."""
    splits = load("mnist")
    train_set, valid, test = splits
    assert valid is not None
    began = time.perf_counter()
    rng, other_rng = np.random.default_rng(SEED).spawn(2)
    x, y = training_set(train_set.images, train_set.labels, rng)
    written = np.arange(4000) % 10
    sets = {
        "MNIST, valid": (valid.images, valid.labels),
        "other hands, valid": (hand_digits(written, other_rng), written),
        "no digits, valid": (other_marks(4000, valid.images, other_rng), np.full(4000, NONE)),
    }
    print(f"{len(x):,} images made in {time.perf_counter() - began:.0f} s", flush=True)
    network = build_named("best-narrow", classes=NONE + 1, seed=SEED)
    fit(network, (x, y), valid)
    print(f"{time.perf_counter() - began:.0f} s in all")
    mixed_x, mixed_y = (np.concatenate(parts) for parts in zip(*sets.values()))
    t = temperature_of(logits_of(network, mixed_x), mixed_y)
    network = open_set(network, t)
    print(f"temperature {t:.3f}")
    for name, examples in (sets | {"MNIST, test": (test.images, test.labels)}).items():
        print(report(network, name, *examples))
    network.save(path)
    print(f"saved: {path}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    train(Path(sys.argv[1]) if len(sys.argv) > 1 else PATH)
