"""Networks of the books' programs, written here as those programs write them."""

import json
import pickle
import sys
import types

import numpy as np
import pytest

from digitlab.errors import ModelFileError
from digitlab.nn import CrossEntropy, Quadratic, load_network

RNG = np.random.default_rng(5)
WEIGHTS = [RNG.normal(size=(4, 6)), RNG.normal(size=(3, 4))]  # (out, in), as the books have them
BIASES = [RNG.normal(size=(4, 1)), RNG.normal(size=(3, 1))]
X = RNG.random((5, 6)).astype(np.float32)


def by_the_book(x, biases=BIASES):
    """The books' feedforward, column by column."""
    a = x[:, None].astype(np.float64)
    for w, b in zip(WEIGHTS, biases):
        a = 1 / (1 + np.exp(-(w @ a + b)))
    return a[:, 0]


def check(network, biases=BIASES):
    expected = np.array([by_the_book(x, biases) for x in X])
    np.testing.assert_allclose(network.predict(X), expected, rtol=1e-5)


@pytest.mark.parametrize(("cost", "loss"), [("CrossEntropyCost", CrossEntropy), ("QuadraticCost", Quadratic)])
def test_network2_json(tmp_path, cost, loss):
    saved = {"sizes": [6, 4, 3], "weights": [w.tolist() for w in WEIGHTS], "biases": [b.tolist() for b in BIASES]}
    (tmp_path / "net.json").write_text(json.dumps({**saved, "cost": cost}))
    network = load_network(tmp_path / "net.json")
    assert isinstance(network.loss, loss)
    check(network)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pair_of_pickles(tmp_path, protocol):
    (tmp_path / "weights_file").write_bytes(pickle.dumps(WEIGHTS, protocol))
    (tmp_path / "biases_file").write_bytes(pickle.dumps(BIASES, protocol))
    check(load_network(tmp_path / "weights_file"))
    check(load_network(tmp_path / "biases_file"))


def test_whole_pickled_object(tmp_path, monkeypatch):
    module = types.ModuleType("network")

    class Network:
        pass

    Network.__module__, Network.__qualname__ = "network", "Network"
    module.Network = Network
    monkeypatch.setitem(sys.modules, "network", module)
    whole = Network()
    whole.sizes, whole.num_layers, whole.weights, whole.biases = [6, 4, 3], 3, WEIGHTS, BIASES
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(whole))
    monkeypatch.delitem(sys.modules, "network")  # as on a reader's machine, who does not have that program
    check(load_network(tmp_path / "net.pkl"))


def test_rashids_arrays_have_no_biases(tmp_path):
    np.save(tmp_path / "saved_wih.npy", WEIGHTS[0])
    np.save(tmp_path / "saved_who.npy", WEIGHTS[1])
    network = load_network(tmp_path / "saved_wih.npy")
    check(network, [0, 0])
    assert sorted(network.parameters()) == ["0.W", "2.W"]


class Boom:
    def __reduce__(self):
        import os

        return os.system, ("touch exploded",)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("net.json", b'{"weights": [[[1, 2]]], "cost": "QuadraticCost"}', "lacks 'biases'"),
        ("net.json", b'{"weights": [[[1, 2]]], "biases": [[[1]]], "cost": "Odd"}', "unknown cost 'Odd'"),
        ("net.json", b'{"weights": [[[1, 2]], [[1, 2]]], "biases": [[[1]], [[1]]]}', "do not make a chain"),
        ("net.json", b"not json", "cannot be read"),
        ("net.pkl", pickle.dumps(Boom()), "system"),
        ("net.pkl", pickle.dumps([1, 2]), "no attribute"),
        ("net.npy", b"\x93NUMPY nonsense", "cannot be read"),
    ],
)
def test_bad_files_are_refused_in_a_sentence(tmp_path, monkeypatch, name, content, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=says):
        load_network(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_unknown_kind_and_missing_file(tmp_path):
    from digitlab.nn.foreign import read_foreign

    (tmp_path / "net.onnx").write_bytes(b"x")
    with pytest.raises(ModelFileError, match="no kind read here"):
        read_foreign(tmp_path / "net.onnx")
    with pytest.raises(ModelFileError, match="no such file"):
        load_network(tmp_path / "missing.pkl")
