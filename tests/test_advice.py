"""What an error advises, done as it says, gives the right value."""

import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import digitlab
from digitlab import Net
from digitlab.arrays import placed
from digitlab.data import Digits, load
from digitlab.errors import DigitlabError, EngineError
from digitlab.gradients.check import check_gradients
from digitlab.nn import Dense, Flatten, Network, ReLU

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (40, 28, 28), dtype=np.uint8)
LABELS = np.arange(40) % 10


def advice(call, pattern: str) -> str:
    """The part of the error's message that advises: Python to be evaluated."""
    with pytest.raises(DigitlabError) as caught:
        call()
    found = re.search(pattern, str(caught.value))
    assert found, str(caught.value)
    return found[1]


def trained(x, y, **settings) -> np.ndarray:
    net = Net([int(np.prod(np.shape(x)[1:])), 10, 10], seed=1, **settings)
    net.train((x, y), 0.5, epochs=1)
    return net.network.state()["0.W"]


def test_pixels_in_another_dtype():
    x = IMAGES.reshape(40, 784).astype(np.int64)
    as_bytes = eval(advice(lambda: trained(x, LABELS), r"Pass (x\.astype\('uint8'\)) or x / 255"), {"x": x})
    divided = eval(advice(lambda: trained(x, LABELS), r"or (x / 255)"), {"x": x})
    right = trained(IMAGES.reshape(40, 784), LABELS)
    assert np.array_equal(trained(as_bytes, LABELS), right)
    assert np.allclose(trained(divided, LABELS), right, atol=1e-5)
    assert np.isfinite(trained(x.astype(float), LABELS, scaling="none")).all()  # "take them as they are"


def test_small_numbers_as_bytes():
    x = RNG.integers(0, 2, (40, 64), dtype=np.uint8)
    cast = eval(advice(lambda: trained(x, LABELS), r"Cast numbers with (x\.astype\('float32'\))"), {"x": x})
    assert np.allclose(trained(cast, LABELS), trained(255 * x, LABELS), atol=1e-5)  # "multiply … by 255"


def test_labels_that_are_words():
    words = np.array(["cat", "dog", "eel", "fox"])[LABELS % 4]
    statement = advice(lambda: trained(IMAGES, words), r"Number them: (names, y = .*)$")
    names: dict = {"np": np, "y": words}
    exec(statement, names)
    assert np.array_equal(names["names"][names["y"]], words)
    assert np.array_equal(trained(IMAGES, names["y"]), trained(IMAGES, LABELS % 4))


def test_labels_counted_from_one():
    y = LABELS + 1
    mended = eval(advice(lambda: trained(IMAGES, y), r"pass (y - 1)"), {"y": y})
    assert np.array_equal(trained(IMAGES, mended), trained(IMAGES, LABELS))


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        (IMAGES.reshape(40, 784), r"(reshape\(-1, 28, 28\))"),
        (IMAGES[0], r"(image\[None\])"),
        (IMAGES.astype(np.int64), r"(astype\('uint8'\))"),
        (IMAGES / 255, r"multiply by 255, round, and (astype\('uint8'\))"),
    ],
)
def test_images_that_digits_refuses(given, pattern):
    labels = LABELS[:1] if given.shape == (28, 28) else LABELS
    call = advice(lambda: Digits(given, labels), pattern)
    if call == "image[None]":
        images = eval(call, {"image": given})
    else:
        images = eval(f"x.{call}", {"x": np.rint(255 * given) if given.dtype == float else given})
    assert np.array_equal(Digits(images, labels).images, IMAGES[: len(images)])


def test_one_hot_labels():
    rows = np.eye(10)[LABELS]
    call = advice(lambda: Digits(IMAGES, rows), r"become labels with (argmax\(axis=1\))")
    assert np.array_equal(Digits(IMAGES, eval(f"rows.{call}", {"rows": rows})).labels, LABELS)


def test_images_exported_as_a_message_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    called = [
        call
        for path in Path(digitlab.__file__).parent.rglob("*.py")
        for call in re.findall(r"numpy\.savez\([^()]*labels=[^()]*\)", path.read_text(encoding="utf-8"))
    ]
    assert len(called) > 1
    for call in called:
        filled = re.sub(r"(images|labels)=(?:\.\.\.|…)", r"\1=\1", call)
        exec(filled, {"numpy": np, "images": IMAGES, "labels": LABELS})
        assert load("data.npz").train.image_shape == (28, 28)
        Path("data.npz").unlink()


def test_a_layer_that_a_message_puts_in_front():
    layers = [Dense(10)]
    text = advice(lambda: Network(layers, (28, 28, 1), "log-likelihood"), r"put a (Flatten\(\)) before it")
    assert Network([eval(text, {"Flatten": Flatten}), *layers], (28, 28, 1), "log-likelihood").shapes[-1] == (10,)


def test_a_generator_for_samples():
    network = Network([Dense(5), ReLU(), Dense(3)], 4, "log-likelihood", seed=1, dtype="float64")
    x, y = RNG.normal(size=(3, 4)), np.array([0, 1, 2])
    text = advice(lambda: check_gradients(network, x, y, samples=2), r"pass rng=(\S+) with it")
    assert check_gradients(network, x, y, samples=2, rng=eval(text, {"numpy": np})) is not None


def test_weights_from_elsewhere():
    """`load_state({'0.W': ..., '0.b': ...})`, W of shape (in, out), is what messages about other files advise."""
    network, rng = Network([Dense(3)], 4, "log-likelihood"), np.random.default_rng(1)
    w, b = rng.normal(size=(4, 3)), rng.normal(size=3)
    network.load_state({"0.W": w, "0.b": b})
    assert np.allclose(network.forward(np.eye(4, dtype=np.float32))[0], w + b, atol=1e-6)


def test_extras_and_packages_in_messages_exist(monkeypatch):
    root = Path(__file__).parents[1]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {
        extra
        for path in [*(root / "src").rglob("*.py"), *(root / "docs").glob("*.md"), root / "README.md"]
        for extra in re.findall(r"digitlab\[([a-z-]+)\]", path.read_text(encoding="utf-8"))
    }
    assert named and named <= set(extras)
    monkeypatch.setitem(sys.modules, "cupy", None)  # as if it were not installed
    with pytest.raises(EngineError, match="pip install cupy-cuda12x,"):
        placed(np.zeros(3), "cupy")
