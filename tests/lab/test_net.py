"""The friendly top: a whole session at the prompt, as the first users of such networks had it."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import digitlab
from digitlab import Callback, Net, get_net, load
from digitlab.errors import ConfigError, DataError, DivergenceError, ModelFileError, ShapeError
from train.helpers import values


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def splits():
    return digitlab.load("digits")


def test_a_whole_session(splits, tmp_path, capsys):
    train, valid, test = splits
    net = digitlab.Net([64, 30, 10])
    net.train(train, 3.0)
    assert re.fullmatch(r"epoch 1/1  loss 0\.\d{4}  \d+\.\d\d s\n", capsys.readouterr().out), "a line per epoch"
    percent = net.test(test)
    assert capsys.readouterr().out == f"{percent:.2f}% correct!\n"
    assert percent > 30, "one pass over 1,197 images"
    net.train(train, 3.0, epochs=5)
    assert [row["epoch"] for row in net.history] == [1, 2, 3, 4, 5, 6]
    assert net.test(valid) > 80
    capsys.readouterr()

    seen = net.imagine(3)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"imagined a 3; the network classifies its own picture as {seen.first}",
        f"second best: {seen.second}; margin {seen.margin:.1f}%",
        "picture: imagine-3.png",
    ]
    assert (tmp_path / "imagine-3.png").read_bytes().startswith(b"\x89PNG")
    assert seen.picture.shape == (8, 8)

    net.save()
    assert (tmp_path / "net.safetensors").is_file()
    again = digitlab.Net([64, 30, 10], seed=9)
    again.load()
    assert_array_equal(again.predict(test.images), net.predict(test.images))
    assert again.test(test) == net.test(test)


@pytest.mark.mnist
def test_a_session_on_mnist(mnist_splits, capsys):
    net = digitlab.Net([784, 30, 10])
    net.train(mnist_splits.train.first(3000), 3.0, verbose=0)
    assert net.test(mnist_splits.test) > 70
    assert re.fullmatch(r"\d\d\.\d\d% correct!\n", capsys.readouterr().out)
    assert net.imagine(3).picture.shape == (28, 28)


def test_any_number_of_layers(splits):
    assert repr(digitlab.Net([64, 20, 30, 10])) == "Net([64, 20, 30, 10])"
    net = digitlab.Net([64, 20, 30, 10], activation="tanh", loss="cross-entropy", dropout=0.1)
    net.train(splits.train.first(100), 0.1)
    assert repr(net) == "Net([64, 20, 30, 10])"
    assert len(net.network.layers) == 7


def test_the_seed_decides(splits):
    few = splits.train.first(200)
    nets = [digitlab.Net([64, 12, 10], seed=seed) for seed in (4, 4, 5)]
    for net in nets:
        net.train(few, 3.0, epochs=2)
    first, same, other = (values(net.network)["0.W"] for net in nets)
    assert_array_equal(first, same)
    assert (first != other).any()


class RecordStates(digitlab.Callback):
    """Records the state of the random generator when training begins."""

    def __init__(self):
        self.states = []

    def on_fit_start(self, trainer):
        self.states.append(trainer.rng.bit_generator.state["state"]["state"])


def test_each_pass_has_an_order_of_its_own(splits):
    recorder, net = RecordStates(), digitlab.Net([64, 12, 10])
    for _ in range(3):
        net.train(splits.train.first(50), callbacks=[recorder])
    assert len(set(recorder.states)) == 3


def test_with_a_validation_set_the_best_is_kept(splits):
    net = digitlab.Net([64, 12, 10])
    history = net.train(splits.train.first(300), 3.0, epochs=4, valid=splits.valid)
    assert net.test(splits.valid) == pytest.approx(100 * max(history.column("valid_accuracy")))


def test_callbacks_say_how_it_goes(splits, capsys):
    digitlab.Net([64, 12, 10]).train(splits.train.first(100), epochs=2, callbacks=[digitlab.PlainLines()])
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["1/2", "2/2"]


def book_pairs(digits):
    """The set as the books' own loaders hand it over: a list of (column, one-hot column)."""
    columns = (digits.images.reshape(-1, 64, 1) / 255).astype(np.float32)
    return [(column, np.eye(10)[label].reshape(10, 1)) for column, label in zip(columns, digits.labels)]


def test_lists_of_pairs_as_older_loaders_give(splits, capsys):
    few = splits.train.first(200)
    net, same = digitlab.Net([64, 12, 10]), digitlab.Net([64, 12, 10])
    net.train(book_pairs(few), 3.0)
    same.train((few.images.reshape(-1, 64) / np.float32(255), few.labels), 3.0)
    assert_array_equal(values(net.network)["0.W"], values(same.network)["0.W"])
    labelled = [(column, label) for (column, _), label in zip(book_pairs(few), few.labels)]
    assert net.test(labelled) == net.test(book_pairs(few)) == net.test(few)
    assert net.test(zip(few.images.reshape(-1, 64) / 255, few.labels)) == net.test(few)


def test_pairs_of_bytes_are_scaled_as_any_picture_is(splits):
    net = digitlab.Net([64, 10])
    net.train(splits.train)
    assert net.test(list(splits.test)) == net.test(splits.test)


@pytest.mark.parametrize(
    "data, words",
    [
        ([], "got an empty list; expected at least one"),
        (zip([], []), "got an empty zip; expected at least one"),
        ([1, 2, 3], r"example 0 is a int; expected \(x, y\) pairs"),
        ([(np.zeros(64), 1), (np.zeros(63), 1)], "expected one shape for all"),
        (None, "got NoneType"),
    ],
)
def test_data_of_no_use(data, words):
    with pytest.raises((DataError, ShapeError), match=words) as raised:
        digitlab.Net([64, 10]).train(data)
    assert "\n" not in str(raised.value)


def test_predictions_are_digits(splits):
    net = digitlab.Net([64, 10])
    predicted = net.predict(splits.test.images[:7])
    assert predicted.shape == (7,)
    assert ((predicted >= 0) & (predicted < 10)).all()
    assert net.predict(splits.test.images[0]) == predicted[:1], "a single image is a batch of one"


def test_imagine_where_and_what(tmp_path, capsys):
    net = digitlab.Net([64, 10])
    net.imagine(0, tmp_path / "zero.svg")
    assert (tmp_path / "zero.svg").read_text().lstrip().startswith("<?xml")
    for digit in (10, -1):
        with pytest.raises(ConfigError, match=f"got {digit}; this network has outputs for 0 to 9"):
            net.imagine(digit)
    with pytest.raises(ConfigError, match=r"got 3\.5; this network has outputs for 0 to 9"):
        net.imagine(3.5)


def test_a_file_of_another_size_changes_nothing(tmp_path):
    digitlab.Net([64, 12, 10]).save("small.safetensors")
    net = digitlab.Net([64, 20, 10])
    before = values(net.network)["0.W"]
    with pytest.raises(
        ModelFileError, match=r"small\.safetensors: holds layers \[64, 12, 10\], this Net has \[64, 20, 10\]"
    ):
        net.load("small.safetensors")
    assert_array_equal(values(net.network)["0.W"], before)


def test_files_that_are_none():
    with pytest.raises(ModelFileError, match=r"net\.safetensors: no such file"):
        digitlab.Net([64, 10]).load()
    Path("net.safetensors").write_text("{}")
    with pytest.raises(ModelFileError, match="not a safetensors file"):
        digitlab.Net([64, 10]).load()


@pytest.mark.parametrize("sizes", [[], [64], [64, 0], [64, -1, 10], [64, 2.5, 10], "64", 64, None])
def test_sizes_that_make_no_network(sizes):
    with pytest.raises(ConfigError, match="expected at least two positive whole numbers"):
        digitlab.Net(sizes)


def test_get_net_makes_trains_and_saves_in_one_call(tmp_path, capsys):
    net = digitlab.get_net([64, 15, 10], epochs=2, learning_rate=2.5, seed=3, data="digits", folder=tmp_path / "nets")
    (file,) = (tmp_path / "nets").iterdir()
    best = 100 * max(net.history.column("valid_accuracy"))
    assert re.fullmatch(
        rf"net-20\d\d-\d\d-\d\d-\d\d-\d\d-2-3-15-10-2\.5-{re.escape(f'{best:.2f}')}-3\.safetensors", file.name
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[-1] == f"saved: {file}"
    loaded = digitlab.load_network(file)
    assert_array_equal(values(loaded)["0.W"], values(net.network)["0.W"])


def test_a_network_without_classes(capsys):
    net = digitlab.Net([1, 5, 1], loss="mean-squared-error")
    x = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
    loss = net.test((x, x))
    assert capsys.readouterr().out == f"loss {loss:.6f}\n"


class CtrlC(Callback):
    def on_batches(self, trainer, done, total):
        if trainer.epoch == self.epoch:
            raise KeyboardInterrupt


def test_ctrl_c_at_the_prompt_keeps_what_was_learned():
    press, net = CtrlC(), Net([64, 10])
    press.epoch = 3
    train = load("digits").train
    with pytest.raises(KeyboardInterrupt):
        net.train(train, 1.0, epochs=5, callbacks=[press])
    assert len(net.history) == 2


@pytest.mark.parametrize("epoch", [1, 3])
def test_ctrl_c_in_the_short_cut_saves_what_was_learned(monkeypatch, tmp_path, epoch):
    monkeypatch.setattr("digitlab.viz.notebook.live.PlainLines", CtrlC)
    monkeypatch.setattr(CtrlC, "epoch", epoch, raising=False)
    with pytest.raises(KeyboardInterrupt):
        get_net([64, 10], epochs=5, data="digits", folder=tmp_path)
    names = [path.name for path in tmp_path.iterdir()]
    assert len(names) == (epoch > 1)
    assert all("-2-2-0-10-" in name for name in names), "two epochs, as many as there were"


def test_the_short_cut_wants_a_folder_before_it_trains(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="which is a file; expected a folder"):
        get_net([64, 10], data="digits", folder=tmp_path / "file")


def test_predicting_a_set_and_numbers():
    test = load("digits").test
    net = Net([64, 10])
    assert np.array_equal(net.predict(test), net.predict(test.images))
    assert np.array_equal(net.predict(test.images[0]), net.predict(test)[:1])
    with pytest.raises(ShapeError, match=r"images: got input of shape \(7, 8\), expected \(N, 64\)"):
        net.predict(test.images[0, :7])
    one = Net([1, 3, 1])
    assert one.predict(np.zeros((5, 1), np.float32)).shape == one.predict([0.1] * 5).shape == (5, 1)


def test_an_answer_at_the_prompt_is_a_line(tmp_path):
    assert re.fullmatch(
        r"Imagined\(3: 8×8 picture, read as \d, then \d, [\d.]+ %\)", repr(Net([64, 10]).imagine(3, tmp_path / "3.png"))
    )


def test_a_training_that_diverges_keeps_its_finished_epochs_and_says_what_it_holds(splits):
    net = Net([64, 10], loss="mean-squared-error")
    with pytest.raises(DivergenceError, match="no longer finite in epoch 2") as raised:
        net.train(splits.train, 1.0, epochs=3)
    assert len(net.history) == 1
    assert raised.value.__notes__[0].startswith("The network holds the weights of before step ")
    assert all(np.isfinite(array).all() for array in values(net.network).values())


@pytest.mark.parametrize(
    "name, message",
    [
        ("lr", r"no setting 'lr'; give train\(\) the learning_rate: net.train\(data, learning_rate=...\)"),
        ("epochs", "give train.. the epochs: net.train"),
        ("activaton", "no setting 'activaton' .did you mean 'activation'"),
    ],
)
def test_a_setting_that_it_does_not_have(name, message):
    with pytest.raises(ConfigError, match=message):
        Net([64, 10], **{name: 3})
