"""What a Net shows: outputs, accuracy, failures, curves, pictures, one example step by step."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import digitlab
from digitlab import Conv2D, Dense, Flatten, LogLikelihood, Net, Network, Sigmoid
from digitlab.errors import ConfigError, DataError, ModelFileError
from digitlab.train.run import start_run


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def splits():
    return digitlab.load("digits")


@pytest.fixture(scope="module")
def net(splits):
    net = Net([64, 20, 10])
    net.train(splits.train, 3.0, epochs=5, valid=splits.valid, verbose=0)
    return net


@pytest.fixture(scope="module")
def conv(splits):
    layers = [Conv2D(4, 3), Sigmoid(), Flatten(), Dense(10)]
    net = Net(Network(layers, (8, 8, 1), LogLikelihood()))
    net.train(splits.train, 0.1, epochs=3, verbose=0)
    return net


def test_outputs_are_those_of_the_books_formula(net, splits):
    """σ(W σ(W x + b) + b), by hand, for one column of pixels as the book has it."""
    x = splits.test.images[3].reshape(64, 1) / 255
    a = x
    for W, b in zip(net.weights, net.biases, strict=True):
        a = 1 / (1 + np.exp(-(W.T @ a + b[:, None])))
    assert_allclose(net.feedforward(x)[0], a[:, 0], rtol=1e-5)
    assert [W.shape for W in net.weights] == [(64, 20), (20, 10)]


def test_weights_are_the_networks_own(splits):
    net = Net([64, 10])
    net.weights[0][:] = 0
    net.biases[0][:] = np.eye(10)[7] * 5
    assert set(net.predict(splits.test)) == {7}


def test_evaluate_counts_as_the_book_does(net, splits):
    loss, accuracy = net.evaluate(splits.test)
    right = sum(int(np.argmax(net.feedforward(image)[0])) == label for image, label in splits.test)
    assert accuracy == pytest.approx(right / len(splits.test))
    assert net.evaluate(splits.test.images, splits.test.labels) == (loss, accuracy)


def test_probabilities(net, splits):
    shares = net.predict_proba(splits.test)
    assert shares.shape == (300, 10)
    assert_allclose(shares.sum(axis=1), 1)
    assert_array_equal(shares.argmax(axis=1), net.predict(splits.test))
    with pytest.raises(ConfigError, match=r"predict_proba: the network gives numbers, not classes"):
        Net([1, 3, 1]).predict_proba([0.1])


def test_failures_are_what_is_misclassified(net, splits):
    found = net.failures(splits.test)
    assert sorted(found.positions) == np.flatnonzero(net.predict(splits.test) != splits.test.labels).tolist()
    assert (np.diff(found.confidences) <= 0).all(), "the most confident errors first"
    with pytest.raises(ConfigError, match="failures: the network gives numbers"):
        Net([1, 3, 1]).failures([(0.1, 0.2)])


def test_plot_and_pictures(net, conv, splits):
    assert len(net.plot().axes) == 2
    assert [picture.name for picture in net.look(splits.test)] == ["weights", "confusion"]
    assert [picture.name for picture in conv.look(splits.test)] == ["filters-0", "confusion"]
    with pytest.raises(ConfigError, match=r"got 'confussion' .did you mean 'confusion'"):
        net.look(splits.test, "confussion")
    with pytest.raises(DataError, match="look: got ndarray, expected Digits"):
        net.look(splits.test.images)
    with pytest.raises(ConfigError, match="plot: the history has no epoch yet"):
        Net([64, 10]).plot()


def test_explain_ends_with_the_gradient_of_the_network(net, splits):
    image, label = splits.test[5]
    found = net.explain(splits.test[5])
    twin = net.copy().network
    assert found.loss == pytest.approx(float(twin.gradient(image[None], np.array([label]))))
    assert_allclose(found.steps[0].backward["∂L/∂W"], twin.parameters()["0.W"].grad, rtol=1e-5)
    assert net.explain(image).loss == pytest.approx(net.explain(image, int(net.predict(image)[0])).loss)


def test_convolutions_have_everything_too(conv, splits, capsys):
    assert repr(conv).startswith("Net(8×8×1 → Conv2D(4, 3) → Sigmoid()")
    assert conv.test(splits.test) > 50
    assert conv.imagine(3).picture.shape == (8, 8)
    assert len(conv.failures(splits.test).positions)
    assert conv.explain(splits.test[0]).outputs.shape == (10,)
    conv.save("conv.safetensors")
    again = Net.load("conv.safetensors")
    assert_array_equal(again.predict(splits.test), conv.predict(splits.test))


def test_nets_by_name_and_by_sizes_in_words():
    assert repr(Net("64-10")) == "Net([64, 10])"
    assert Net("lenet5").network.input_shape == (28, 28, 1)
    assert Net("lenet5", classes=4).network.shapes[-1] == (4,)
    with pytest.raises(ConfigError, match=r"unknown network 'lenet6' .did you mean 'lenet5'"):
        Net("lenet6")
    with pytest.raises(ConfigError, match="Net has no setting 'activation'"):
        Net("lenet5", activation="relu")
    with pytest.raises(ConfigError, match="the network has its own"):
        Net(Net([64, 10]).network, loss="quadratic")


def test_a_run_folder_becomes_a_net_with_its_history(splits, tmp_path):
    config = digitlab.RunConfig(network=Net([64, 10]).network, data={"source": "digits"}, epochs=2)
    trainer = start_run(config, tmp_path / "run")
    trainer.fit(splits.train, splits.valid, epochs=2)
    net = Net.load(tmp_path / "run")
    assert len(net.history) == 2
    assert_array_equal(net.predict(splits.test), np.argmax(trainer.network.predict(splits.test.images), axis=1))
    with pytest.raises(ModelFileError, match="no such file"):
        Net.load("nothing.safetensors")


def test_weights_alone_and_copies(net, splits, tmp_path):
    net.save_weights("weights.safetensors")
    other = Net([64, 20, 10], seed=3)
    other.load_weights("weights.safetensors")
    assert_array_equal(other.predict_proba(splits.test), net.predict_proba(splits.test))
    copied = net.copy()
    copied.weights[0][:] = 0
    assert net.weights[0].any()
    assert len(copied.history) == len(net.history)
