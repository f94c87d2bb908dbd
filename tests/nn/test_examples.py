"""The rule for inputs and targets: uint8 is pixel bytes, every other number is a number, in any container."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits

import digitlab
from digitlab import Net
from digitlab.errors import ConfigError, DataError, ShapeError
from digitlab.nn import Dense, LogLikelihood, MeanSquaredError, Network, mlp
from digitlab.nn.examples import examples, inputs, sees_pictures, targets
from digitlab.nn.scaling import InputRange, as_range, describe_range

OR = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 1)]


@pytest.fixture(scope="module")
def digits():
    return digitlab.load("digits").train.first(300)


def pixels(digits):
    return digits.images.reshape(len(digits), -1), digits.labels


# ---- the same data in any form ----

FORMS = {
    "bytes": lambda x, y: (x, y),
    "pictures": lambda x, y: (x.reshape(-1, 8, 8), y),
    "channel last": lambda x, y: (x.reshape(-1, 8, 8, 1), y),
    "channel first": lambda x, y: (x.reshape(-1, 1, 8, 8), y),
    "columns": lambda x, y: (x[:, :, None], y),
    "list of pairs": lambda x, y: list(zip(x, y)),
    "generator": lambda x, y: ((a, b) for a, b in zip(x, y)),
    "mapping": lambda x, y: {"image": x, "label": y},
    "divided by 255": lambda x, y: (x / 255, y),
    "sparse": lambda x, y: (sparse.csr_matrix(x), y),
    "lists of floats": lambda x, y: ((x / 255).tolist(), y.tolist()),
    "one-hot": lambda x, y: (x, np.eye(10)[y]),
    "one-hot bytes": lambda x, y: (x, np.eye(10, dtype=np.uint8)[y]),
    "one-hot booleans": lambda x, y: (x, np.eye(10)[y] > 0),
    "book's columns": lambda x, y: [(a[:, None] / 255, np.eye(10)[b][:, None]) for a, b in zip(x, y)],
    "label column": lambda x, y: (x, y[:, None]),
    "text labels": lambda x, y: (x, y.astype(str)),
    "float labels": lambda x, y: (x, y.astype(float)),
    "object labels": lambda x, y: (x, y.astype(object)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_training_gives_the_same_in_whatever_form_the_data_arrive(digits, form):
    x, y = pixels(digits)
    right, net = Net([64, 12, 10]), Net([64, 12, 10])
    right.train((x, y), 3.0, epochs=2, valid=(x, y))
    net.train(FORMS[form](x, y), 3.0, epochs=2, valid=FORMS[form](x, y))
    assert_allclose(net.network.predict(x), right.network.predict(x), rtol=1e-4, atol=1e-5)
    assert net.test(FORMS[form](x, y)) == pytest.approx(right.test((x, y)), abs=0.5)


WHOLE_NUMBERS = {
    "float64": lambda x, y: (x.astype(float), y),
    "int64": lambda x, y: (x.astype(int), y),
    "uint16": lambda x, y: (x.astype(np.uint16), y),
    "pairs of int64": lambda x, y: [(a.astype(int), b) for a, b in zip(x, y)],
    "lists of 0-255": lambda x, y: (x.tolist(), y.tolist()),
    "sparse int32": lambda x, y: (sparse.csr_matrix(x.astype(np.int32)), y),
}


@pytest.mark.parametrize("form", WHOLE_NUMBERS)
def test_pixels_of_another_dtype_are_refused_alike(digits, form):
    x, y = pixels(digits)
    data = WHOLE_NUMBERS[form](x, y)
    words = r"whole numbers from 0 to 255 as \w+; pixel bytes must be uint8\. Pass x\.astype\('uint8'\) or x / 255"
    with pytest.raises(DataError, match=f"training set: got {words}, or make the network with scaling='none'"):
        Net([64, 10]).train(data)
    with pytest.raises(DataError, match=f"evaluation: got {words}$"):
        Net([64, 10]).test(data)
    said = Net([64, 10], scaling="/255")  # the user says what they are
    said.train(data, 3.0)
    as_bytes = Net([64, 10])
    as_bytes.train((x, y), 3.0)
    assert_array_equal(said.network.predict(x), as_bytes.network.predict(x))
    plain = Net([64, 10], scaling="none")
    plain.train(data, 1e-4)
    assert plain.network.input_range == InputRange(0, 255)


def test_whole_numbers_that_are_features_are_numbers():
    net = Net([2, 3, 2], seed=1)
    net.train(OR, 3.0, epochs=500, batch_size=2)
    assert_array_equal(net.predict(np.array([[0, 0], [0, 1], [1, 0], [1, 1]])), [0, 1, 1, 1])
    arrays = Net([2, 3, 2], seed=1)
    arrays.train((np.array([x for x, _ in OR]), np.array([y for _, y in OR])), 3.0, epochs=500, batch_size=2)
    assert arrays.test(OR) == 100


def test_scikit_learns_digits_reach_to_16_and_are_numbers():
    found = load_digits()
    as_integers, as_floats = Net([64, 30, 10]), Net([64, 30, 10])
    as_integers.train((found.data[:600].astype(int), found.target[:600]), 3.0, epochs=2)
    as_floats.train({"data": found.data[:600], "target": found.target[:600]}, 3.0, epochs=2)
    assert_array_equal(as_integers.network.predict(found.data), as_floats.network.predict(found.data))


def test_bytes_that_are_no_pixels_are_reported(digits):
    found = load_digits()
    with pytest.raises(DataError, match=r"uint8 inputs no larger than 16.*x\.astype\('float32'\)"):
        Net([64, 10]).train((found.data.astype(np.uint8), found.target))
    with pytest.raises(DataError, match="no larger than 1"):
        Net([2, 2]).train((np.array([[0, 1], [1, 1]], np.uint8), [0, 1]))


# ---- the range that a network was trained on ----


def test_the_range_goes_with_the_network(digits, tmp_path):
    x, y = pixels(digits)
    net = Net([64, 10])
    assert net.network.input_range is None
    net.train((x, y))
    assert net.network.input_range == InputRange(0, 1, pixels=True)
    net.save(tmp_path / "net.safetensors")
    loaded = digitlab.load_network(tmp_path / "net.safetensors")
    assert loaded.input_range == InputRange(0, 1, pixels=True)
    assert loaded.copy().input_range == loaded.input_range
    with pytest.raises(DataError, match=r"numbers from 0 to 255; this network was trained on pixel bytes, as 0 to 1"):
        loaded.predict(x.astype(float))
    loaded.predict(x / 255)
    loaded.input_range = None
    loaded.predict(x / 100)


def test_a_resumed_run_and_a_group_know_the_range(digits, tmp_path):
    from digitlab.train import RunConfig, Trainer, load_checkpoint, save_checkpoint

    trainer = Trainer(mlp([64, 10]))
    trainer.fit(digits, epochs=1)
    save_checkpoint(trainer, tmp_path / "checkpoint.safetensors")
    again = Trainer(mlp([64, 10]))
    load_checkpoint(again, tmp_path / "checkpoint.safetensors")
    assert again.network.input_range == InputRange(0, 1, pixels=True)
    config = RunConfig(digitlab.describe_network(mlp([64, 10])), {"source": "digits", "train_size": 50}, epochs=1)
    (network,) = digitlab.train_many([config]).networks()
    assert network.input_range == InputRange(0, 1, pixels=True)


@pytest.mark.parametrize(
    "trained, given, words",
    [
        ((0, 1), (-0.4, 2.8), "numbers from -0.4 to 2.8; this network was trained on numbers from 0 to 1"),
        ((0, 1), (0, 16), "numbers from 0 to 16"),
        ((0, 16), (0, 255.5), "numbers from 0 to 255.5"),
        ((-1, 1), (0, 200.5), "numbers from 0 to 200.5"),
        ((0, 255), (0, 0.9), "numbers from 0 to 0.9; this network was trained on numbers from 0 to 255"),
    ],
)
def test_numbers_far_from_those_of_the_training_are_refused(trained, given, words):
    network = mlp([64, 3])
    network.input_range = InputRange(*trained)
    x = np.linspace(*given, 128).reshape(2, 64)
    for call in (lambda: network.predict(x), lambda: digitlab.evaluate(network, x, [0, 1])):
        with pytest.raises(DataError, match=words):
            call()


@pytest.mark.parametrize(
    "trained, given",
    [((0, 1), (-0.4, 1.4)), ((0, 1), (0.2, 0.3)), ((0, 1), (0, 0)), ((0, 255), (0, 0)), ((-3, 3), (-5, 5))],
)
def test_numbers_near_them_are_taken(trained, given):
    network = mlp([64, 3])
    network.input_range = InputRange(*trained)
    assert network.predict(np.linspace(*given, 128).reshape(2, 64)).shape == (2, 3)


def test_bytes_for_a_network_of_numbers():
    network, x = mlp([64, 3]), np.full((2, 64), 200, np.uint8)
    network.input_range = InputRange(0, 1)
    network.predict(x)
    for trained in (InputRange(0, 16), InputRange(-1, 1)):
        network.input_range = trained
        with pytest.raises(DataError, match=r"pixel bytes \(uint8\), which this network scales to 0 to 1"):
            network.predict(x)


def test_the_shipped_network_takes_bytes_or_numbers_up_to_1(digits):
    network, x = digitlab.shipped_network(), np.zeros((1, 784), np.uint8)
    x[0, ::2] = 255
    assert_allclose(network.predict(x), network.predict(x / 255), rtol=1e-5)
    for wrong in (x.astype(float), x.astype(int), x / 255 * 16):
        with pytest.raises(DataError, match="trained on pixel bytes, as 0 to 1"):
            network.predict(wrong)
    with pytest.raises(DataError, match="input: input 0 is NaN or infinite; expected finite numbers"):
        network.predict(np.full((1, 784), np.nan))


def test_ranges_in_files(tmp_path):
    for known in (None, InputRange(-1.5, 2), InputRange(0, 1, pixels=True)):
        assert as_range(describe_range(known)) == known
    for wrong in ({}, [], {"low": 1, "high": 0, "pixels": True}, {"low": "a", "high": 0, "pixels": 1}, 7):
        with pytest.raises(ConfigError, match="input_range: got"):
            as_range(wrong)
    assert InputRange(0, 1).joined(InputRange(-1, 0.5, pixels=True)) == InputRange(-1, 1, pixels=True)


@pytest.mark.parametrize(
    "shape, expected",
    [
        *[(shape, True) for shape in ((784,), (64,), (28, 28), (28, 28, 3), (2352,))],
        *[(shape, False) for shape in ((2,), (63,), (49,), (4, 4, 1))],
    ],
)
def test_what_is_shaped_as_a_picture(shape, expected):
    assert sees_pictures(Network([digitlab.Flatten(), Dense(2)], shape)) is expected


def test_single_examples_and_shapes():
    network = Network([digitlab.Flatten(), Dense(3)], (4, 5, 3))
    assert inputs(np.zeros((4, 5, 3)), network).shape == (1, 4, 5, 3)
    assert mlp([20, 3]).predict(np.zeros((4, 5))).shape == (1, 3)
    assert mlp([20, 3]).predict(np.zeros(20)).shape == (1, 3)
    with pytest.raises(ShapeError, match=r"images: got input of shape \(2, 3, 4, 5\), expected \(N, 4, 5, 3\)"):
        inputs(np.zeros((2, 3, 4, 5)), network, "images")


def test_a_look_inside_takes_the_same_inputs(digits):
    from digitlab.viz.activity import activities
    from digitlab.viz.explain import walk

    x, y = pixels(digits)
    network = mlp([64, 5, 10])
    for look in (lambda image: activities(network, image[None]), lambda image: walk(network, image, int(y[0]))):
        look(x[0])
        look(x[0] / 255)
        with pytest.raises(DataError, match="whole numbers from 0 to 239 as float64; pixel bytes must be uint8"):
            look(x[0].astype(float))


def test_a_network_on_pytorch_takes_the_same_inputs(digits):
    torch = pytest.importorskip("torch")
    x, y = pixels(digits)
    network = mlp([64, 10])
    right = network.predict(x)
    network.to("torch")
    for form in (x, x / 255, torch.from_numpy(x.copy()), torch.from_numpy(x / 255)):
        outputs = network.predict(form)
        assert isinstance(outputs, torch.Tensor)
        assert_allclose(outputs, right, rtol=1e-4, atol=1e-6)
        assert digitlab.evaluate(network, form, torch.from_numpy(y)).accuracy is not None
    assert network.predict(torch.from_numpy(x[0].copy())).shape == (1, 10)
    with pytest.raises(DataError, match="pixel bytes must be uint8"):
        network.predict(torch.from_numpy(x.astype(np.float32)))


# ---- targets ----


def test_columns_of_numbers_are_numbers():
    rng = np.random.default_rng(0)
    xs = rng.uniform(-3, 3, 400)
    pairs = [(np.array([x]), np.array([np.sin(x) / 2 + 0.5])) for x in xs]
    net = Net([1, 20, 1], loss="mse")
    net.train(pairs, 0.3, epochs=300)
    assert net.network.predict([[0.5]])[0, 0] == pytest.approx(np.sin(0.5) / 2 + 0.5, abs=0.03)
    assert net.test(pairs) < 3e-3


@pytest.mark.parametrize("y", [[0, 1, 1, 1], [0.0, 1.0, 1.0, 1.0], [[0], [1], [1], [1]], [False, True, True, True]])
@pytest.mark.parametrize("loss", ["quadratic", "cross-entropy", "mse"])
def test_one_output_takes_0_and_1(y, loss):
    x = [[0, 0], [0, 1], [1, 0], [1, 1]]
    (y_,) = (targets(y, mlp([2, 3, 1], loss=loss), "set"),)
    assert_array_equal(y_, [[0], [1], [1], [1]])
    assert y_.dtype == np.float32
    net = Net([2, 3, 1], loss=loss, seed=1)
    net.train((x, y), 0.5 if loss != "quadratic" else 3.0, epochs=600, batch_size=2)
    assert_array_equal(net.network.predict(x).ravel() > 0.5, [False, True, True, True])


def test_pixel_bytes_as_targets_are_scaled_as_the_inputs_are():
    x = np.array([[0, 255, 51, 102]], np.uint8)
    assert_allclose(targets(x, mlp([4, 2, 4]), "set"), [[0, 1, 0.2, 0.4]], rtol=1e-6)


def test_labels_are_int64_whatever_they_came_in():
    network = mlp([4, 3])
    for y in (
        [0, 2, 1],
        [0.0, 2.0, 1.0],
        ["0", "2", "1"],
        [[0], [2], [1]],
        np.array([0, 2, 1], object),
        np.array([0, 2, 1], np.uint8),
    ):
        found = targets(y, network, "set")
        assert_array_equal(found, [0, 2, 1])
        assert found.dtype == np.int64
    assert_array_equal(targets([False, True], network, "set"), [0, 1])


@pytest.mark.parametrize(
    "words, y, network",
    [
        (r"target 1 is 3\.7; expected whole-number labels \(N,\) or numbers of", [1, 3.7], mlp([4, 10])),
        ("a target is NaN or infinite", [1, np.nan], mlp([4, 10])),
        (r"labels from 1 to 10; .*counted from 1\? Then pass y - 1$", np.arange(1, 11), mlp([4, 10])),
        (r"labels from 1 to 26; .*pass y - 1 to a network with 26 outputs", np.arange(1, 27), mlp([4, 10])),
        (r"labels from 0 to 10; this network has 10 outputs, .*from 0 to 9$", np.arange(11), mlp([4, 10])),
        (r"labels from -1 to 1; .*from 0 to 9$", [-1, 1], mlp([4, 10])),
        (r"labels that are text, such as 'cat'; .*np\.unique\(y, return_inverse=True\)", ["cat", "dog"], mlp([4, 2])),
        (
            r"targets of shape \(2, 3\); expected whole-number labels \(N,\) or numbers of shape \(N, 2\)",
            np.eye(2, 3),
            mlp([4, 2]),
        ),
        (r"targets of shape \(2, 2\); expected numbers of shape \(N, 1\)", np.eye(2), mlp([4, 1])),
        (r"targets from 0 to 9, which outputs of Quadratic\(\) cannot reach", [0, 9], mlp([4, 1])),
        (r"targets from -1 to 1, which outputs of LogLikelihood\(\)", [[-1, 1.0]], mlp([4, 2], loss=LogLikelihood())),
        ("targets of type complex128", np.array([1j]), mlp([4, 2])),
    ],
)
def test_targets_that_cannot_be(words, y, network):
    with pytest.raises(DataError, match=words) as raised:
        targets(y, network, "training set")
    assert str(raised.value).startswith("training set: ")
    assert "\n" not in str(raised.value)


def test_numbers_of_any_size_where_the_loss_has_no_activation():
    assert_array_equal(targets([-5, 300.5], mlp([4, 1], loss=MeanSquaredError()), "set"), [[-5], [300.5]])


def test_examples_are_counted_and_named():
    with pytest.raises(ShapeError, match="test set: got inputs of shape"):
        examples((np.zeros((3, 4)), [0, 1]), mlp([4, 2]), "test set")
