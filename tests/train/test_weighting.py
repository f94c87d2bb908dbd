"""How much each training example counts: class_weights, sample_weights, files of them, and what is refused."""

import gzip
import warnings

import numpy as np
import pytest

from digitlab import Net
from digitlab.data import Digits
from digitlab.errors import ConfigError, DataError, ModelFileError
from digitlab.nn import mlp
from digitlab.notices import DataWarning
from digitlab.optim import SGD, Adam
from digitlab.train import Trainer, evaluate
from digitlab.train.checkpoint import load_checkpoint, save_checkpoint
from digitlab.train.config import RunConfig
from digitlab.train.weighting import checked_class_weights, example_weights, read_sample_weights

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 5)).astype(np.float32), np.repeat([0, 1, 2], [40, 15, 5])
NETWORK = mlp([5, 4, 3])
ROWS = np.eye(3, dtype=np.float32)[Y]


def weights(class_weights=None, sample_weights=None, y=Y, network=NETWORK, names=()):
    return example_weights(checked_class_weights(class_weights), sample_weights, y, network, names)


@pytest.mark.parametrize("y", [Y, ROWS], ids=["labels", "rows"])
def test_balanced_is_n_over_k_times_the_count(y):
    got = weights("balanced", y=y)
    np.testing.assert_allclose(got, (60 / (3 * np.array([40, 15, 5])))[Y], rtol=1e-6)
    assert got.dtype == np.float32
    assert got.mean() == pytest.approx(1)


@pytest.mark.parametrize("factor, warned", [(1.0, False), (1.9, False), (50.0, True), (0.1, True)])
def test_weights_with_a_mean_far_from_1_change_the_learning_rate(factor, warned):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weights(sample_weights=np.full(len(Y), factor))
    said = [str(w.message) for w in caught if issubclass(w.category, DataWarning)]
    assert [f"have mean {factor:.3g}, which multiplies the learning rate" in line for line in said] == [True] * warned


def test_classes_without_examples_do_not_count_as_classes():
    got = weights("balanced", y=np.repeat([0, 2], [45, 15]))
    np.testing.assert_allclose(np.unique(got), [60 / (2 * 45), 60 / (2 * 15)])


@pytest.mark.parametrize(
    "given",
    [
        {1: 2, 2: 0.5},
        {"1": 2.0, "2": 0.5},
        {np.int64(1): 2, 2: np.float32(0.5)},
        [1, 2, 0.5],
        (1, 2, 0.5),
        np.array([1, 2, 0.5]),
        "1:2,2:0.5",
        " 1:2, 2:.5",
    ],
    ids=repr,
)
def test_the_forms_of_class_weights(given):
    np.testing.assert_array_equal(weights(given), np.array([1, 2, 0.5])[Y])


def test_classes_by_their_names():
    names = ("cat", "dog", "7 o'clock")
    np.testing.assert_array_equal(weights({"dog": 2, "7 o'clock": 0.5}, names=names), np.array([1, 2, 0.5])[Y])
    with pytest.raises(ConfigError, match=r"got class bird; the classes are cat, dog, 7 o'clock"):
        weights({"bird": 2}, names=names)


@pytest.mark.filterwarnings("ignore:the weights of the training examples")
def test_both_multiply():
    own = RNG.random(60)
    np.testing.assert_allclose(weights([1, 2, 0.5], own), np.array([1, 2, 0.5])[Y] * own, rtol=1e-6)
    np.testing.assert_allclose(weights(None, list(own)), own, rtol=1e-6)
    np.testing.assert_array_equal(weights(None, Y == 1), Y == 1)
    assert weights() is None


REFUSED = {
    r"got 2 weights, expected 3: one for each class": {"class_weights": [1, 2]},
    r"got class 3; the classes are 0 to 2": {"class_weights": {3: 1}},
    r"got class -1; the classes are 0 to 2": {"class_weights": {-1: 1}},
    r"got class 1.5; the classes are 0 to 2": {"class_weights": {1.5: 1}},
    r"got -1 for class 0; expected a finite number of at least 0": {"class_weights": {0: -1}},
    r"got nan for class 1; expected a finite": {"class_weights": [1, np.nan, 1]},
    r"got inf for class 1; expected a finite": {"class_weights": {1: np.inf}},
    r"got 'x' for class 1; expected a finite": {"class_weights": "1:x"},
    r"got None for class 1; expected a finite": {"class_weights": {1: None}},
    r"got 'balance', expected \"balanced\" or CLASS:WEIGHT pairs": {"class_weights": "balance"},
    r"got float, expected \"balanced\", a table": {"class_weights": 2.0},
    r"all 60 training examples have weight 0": {"class_weights": [0, 0, 0]},
    r"all 60 training examples have weight 0; expected": {"sample_weights": np.zeros(60)},
    r"sample_weights: got shape \(59,\), expected \(60,\)": {"sample_weights": np.ones(59)},
    r"sample_weights: got shape \(60, 1\), expected \(60,\)": {"sample_weights": np.ones((60, 1))},
    r"sample_weights: example 7 has -2; expected finite numbers of at least 0": {
        "sample_weights": np.where(np.arange(60) == 7, -2, 1)
    },
    r"sample_weights: example 0 has nan": {"sample_weights": np.full(60, np.nan)},
    r"sample_weights: got values of type <U1; expected one number": {"sample_weights": ["a"] * 60},
    r"sample_weights: got str; expected an array": {"sample_weights": "weights.txt"},
}


@pytest.mark.parametrize(("message", "given"), REFUSED.items(), ids=REFUSED)
def test_what_is_refused(message, given):
    with pytest.raises((ConfigError, DataError), match=message) as refusal:
        weights(**given)
    assert "\n" not in str(refusal.value)
    more = {"sample_weights": given.pop("sample_weights")} if "sample_weights" in given else {}
    network = mlp([5, 4, 3])
    before = network.state()
    with pytest.raises((ConfigError, DataError), match=message):
        Trainer(network, SGD(0.1), **given).fit((X, Y), epochs=1, **more)
    assert all(array is before[name] for name, array in network.state().items())


def test_outputs_that_are_no_classes_have_no_class_weights():
    for network, y in ((mlp([5, 1], loss="mse"), X[:, :1]), (mlp([5, 3], loss="mse"), ROWS)):
        with pytest.raises(ConfigError, match="gives numbers and not classes; use sample_weights"):
            Trainer(network, class_weights="balanced").fit((X, y), epochs=1)
        Trainer(network, SGD(0.01)).fit((X, y), epochs=1, sample_weights=np.ones(60))


def trained(engine, class_weights=None, sample_weights=None, y=Y, **settings):
    network = mlp([5, 4, 3], loss="log-likelihood", seed=1)
    trainer = Trainer(network, SGD(0.3), engine=engine, class_weights=class_weights, keep="last", **settings)
    trainer.fit((X, y), epochs=3, sample_weights=sample_weights)
    return trainer


@pytest.mark.parametrize("y", [Y, ROWS], ids=["labels", "rows"])
def test_both_engines_train_alike(y):
    one, other = (trained(engine, "balanced", np.linspace(0, 2, 60), y) for engine in ("reference", "fast"))
    plain = trained("reference", y=y)
    for name, array in one.network.state().items():
        np.testing.assert_allclose(other.network.state()[name], array, rtol=1e-3, atol=1e-5)
        assert np.abs(array - plain.network.state()[name]).max() > 0.01
    np.testing.assert_allclose(other.history.column("train_loss"), one.history.column("train_loss"), rtol=1e-4)


@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_class_weights_are_the_sample_weights_of_their_examples(engine):
    one, other = trained(engine, [1, 2, 4]), trained(engine, None, np.array([1.0, 2, 4])[Y])
    for name, array in one.network.state().items():
        np.testing.assert_array_equal(other.network.state()[name], array)


@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_weights_follow_their_examples_when_they_are_shuffled(engine):
    """Examples of weight 0 might as well have other labels."""
    own = (np.arange(60) % 3 > 0).astype(float)
    changed = np.where(own == 0, 2 - Y, Y)
    one, other = trained(engine, None, own), trained(engine, None, own, changed)
    for name, array in one.network.state().items():
        np.testing.assert_allclose(other.network.state()[name], array, rtol=1e-6, atol=1e-8)


@pytest.mark.filterwarnings("ignore:the weights of the training examples")
def test_evaluations_are_not_weighted():
    trainer = trained("fast", [0.0, 0, 1], evaluate_train=True)
    loss, accuracy = evaluate(trainer.network, X, Y)
    assert trainer.history[-1]["train_loss"] == pytest.approx(loss)
    assert trainer.history[-1]["train_accuracy"] == accuracy


def test_a_resumed_training_equals_one_never_stopped(tmp_path):
    def new():
        return Trainer(mlp([5, 4, 3], seed=1), Adam(0.01), class_weights={"0": 0.5, "2": 3}, keep="last", callbacks=[])

    own = np.linspace(0, 2, 60)
    straight = new()
    straight.fit((X, Y), epochs=4, sample_weights=own)
    half = new()
    half.fit((X, Y), epochs=2, sample_weights=own)
    save_checkpoint(half, tmp_path / "c.safetensors")
    again = new()
    load_checkpoint(again, tmp_path / "c.safetensors")
    again.fit((X, Y), epochs=4, sample_weights=own)
    for name, array in straight.network.state().items():
        np.testing.assert_array_equal(again.network.state()[name], array)
    other = Trainer(mlp([5, 4, 3], seed=1), Adam(0.01), class_weights="balanced")
    with pytest.raises(ModelFileError, match=r"was trained with class_weights \{'0': 0.5, '2': 3.0\}"):
        load_checkpoint(other, tmp_path / "c.safetensors")


@pytest.mark.parametrize("given", ["", "balanced", {0: 2, 7: 1.5}, {"seven": 2}, [1.0, 2.0, 0.5]], ids=repr)
def test_a_run_keeps_class_weights(given, tmp_path):
    config = RunConfig({"input_shape": [5], "layers": [{"type": "Dense", "out_features": 3}]}, class_weights=given)
    config.save(tmp_path / "config.toml")
    again = RunConfig.load(tmp_path / "config.toml")
    assert again == config
    assert again.trainer().class_weights == checked_class_weights(given)


NUMBERS = [1.0, 0.0, 2.5, 3.0]


def write(path, content):
    if path.suffix == ".npy":
        np.save(path, np.array(content))
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "w.txt": "1\n0\n2.5\n3\n",
        "w.csv": "weight\n1\n0\n2.5\n3\n",
        "line.csv": "1,0,2.5,3\n",
        "spaces": "1 0 2.5 3",
        "w.npy": NUMBERS,
        "w.gz": gzip.compress(b"1\n0\n2.5\n3\n", mtime=0),
        "windows.txt": "1\r\n0\r\n2.5\r\n3",
    }.items(),
)
def test_files_of_sample_weights(name, content, tmp_path):
    np.testing.assert_array_equal(read_sample_weights(write(tmp_path / name, content)), NUMBERS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.csv", "1,2\n3,4\n", r"w.csv: holds uint8 numbers of shape \(2, 2\); expected one number for each"),
        ("w.txt", "1\nx\n", r"w.txt: line 2, column 1: found 'x', expected a number"),
        ("w.txt", "", "w.txt: "),
        ("w.npy", ["a", "b"], r"w.npy: holds <U1 numbers of shape"),
        ("w.png", b"\x89PNG\r\n\x1a\n\0\0", r"w.png: is a PNG picture; expected"),
    ],
)
def test_files_that_hold_no_weights(name, content, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read_sample_weights(write(tmp_path / name, content))


def test_a_pickled_array_is_not_executed(tmp_path):
    np.save(tmp_path / "w.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"w.npy: not a NumPy array of numbers"):
        read_sample_weights(tmp_path / "w.npy")


@pytest.mark.mnist
def test_balanced_helps_rare_digits(mnist_splits):
    """35 threes and 25 fives beside 6,000 other digits: weighted, the network recognizes them."""
    images, labels = mnist_splits.train.images, mnist_splits.train.labels
    rare = np.isin(labels, (3, 5))
    kept = np.sort(np.r_[np.flatnonzero(rare)[:60], np.flatnonzero(~rare)[:6000]])
    train = Digits(images[kept], labels[kept])
    right = {}
    for class_weights in (None, "balanced"):
        net = Net([784, 30, 10], loss="log-likelihood", seed=1)
        net.train(train, 0.1, epochs=5, class_weights=class_weights)
        hits = net.predict(mnist_splits.test) == mnist_splits.test.labels
        right[class_weights] = [hits[mnist_splits.test.labels == digit].mean() for digit in range(10)]
    plain, balanced = right[None], right["balanced"]
    assert balanced[3] > plain[3] + 0.4 and balanced[5] > plain[5] + 0.3
    assert np.mean(balanced) > np.mean(plain) + 0.07
