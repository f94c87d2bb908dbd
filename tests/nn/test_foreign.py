"""Networks of the books' programs, written here as those programs write them."""

import gzip
import io
import json
import pickle
import sys
import types
import zipfile

import numpy as np
import pytest

from digitlab.errors import ModelFileError
from digitlab.nn import CrossEntropy, Quadratic, load_network, mlp
from digitlab.nn.io.importers import read_foreign
from digitlab.train import Trainer
from digitlab.train.checkpoint import save_checkpoint

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


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


class Boom:
    def __reduce__(self):
        import os

        return os.system, ("touch exploded",)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("net.json", b'{"weights": [[[1, 2]]], "cost": "QuadraticCost"}', "lacks 'biases'"),
        ("net.json", b'{"weights": [[[1, 2]]], "biases": [[[1]]], "cost": "Odd"}', "unknown cost: 'Odd'"),
        ("net.json", b'{"weights": [[[1, 2]], [[1, 2]]], "biases": [[[1]], [[1]]]}', "do not make a chain"),
        ("net.json", b"not json", "but a text file, which cannot be read as a network"),
        ("net.json", b"{not json}", "cannot be read as a network: Expecting"),
        ("net.json", b'{"input_shape": [4], "layers": []}', "train them with: digitlab train --from-file .*net.json"),
        ("net.json", b'{"class_name": "Sequential", "config": {}}', "Keras's description"),
        ("net.json", gzip.compress(b'{"weights": []}' * 9, mtime=0)[:-12], "damaged"),
        ("net.pkl", pickle.dumps((1, 2, 3)), "three parts, as data sets do"),
        ("net.pkl", pickle.dumps(WEIGHTS), "its name does not say which"),
        ("weights.pkl", pickle.dumps(WEIGHTS), "the other half, .*biases.pkl, is missing"),
        ("saved_who.npy", npy(WEIGHTS[1]), "the other half, .*saved_wih.npy, is missing"),
        ("net.pkl", pickle.dumps(Boom()), "system"),
        ("net.pkl", pickle.dumps([1, 2]), "holds a list; expected weights and biases"),
        ("net.pkl", pickle.dumps({"weights": [[[1]]], "biases": [[b"1"]]}), "contain a bytes"),
        ("net.pkl", pickle.dumps({"weights": [np.array([[np.nan]])], "biases": [[0.0]]}), "NaN or infinity"),
        ("net.pkl", pickle.dumps({"weights": [], "biases": []}), "weights: got 0"),
        ("net.pkl", pickle.dumps({"weights": [[[1]]] * 1001, "biases": [[1]] * 1001}), "weights: got 1,001"),
        ("net.pkl", pickle.dumps({"weights": [[[1]]], "biases": [[10**400]]}), "too large for a weight"),
        ("net.pkl", pickle.dumps({"weights": [[[1]]], "biases": [[1]], "cost": [[]]}), "unknown cost"),
        ("net.pkl", pickle.dumps({"weights": [[[[1.0] * 999] * 999] * 999], "biases": [[1]]}), "contain a list"),
        ("net.pkl", pickle.dumps({"weights": [[[1.0] * 9999] * 9999], "biases": [[1]]}), "more than 268,435,456"),
        ("net.json", b'{"weights": [[[1]]], "biases": {}}', "biases: got a dict"),
        ("net.json", b"{" + b'"weights":[' * 1 + b"[" * 100_000, "nested too deeply"),
        ("net.json", b'{"weights": [[[1, "a"]]], "biases": [[1]]}', "contain a str"),
        ("net.npy", b"\x93NUMPY nonsense", "cannot be read"),
    ],
)
def test_bad_files_are_refused_in_a_sentence(tmp_path, monkeypatch, name, content, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=says):
        load_network(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_an_object_that_points_into_memory_is_refused(tmp_path):
    """NumPy would read any address that an attribute `__array_interface__` names."""
    inside = b"(dV__array_interface__\n(dVshape\n(I9\ntsVtypestr\nV<f8\nsVdata\n(I1\nI01\ntsVversion\nI3\nssb"
    for weights in (b"(inetwork\nNet\n" + inside, b"(l(inetwork\nNet\n" + inside + b"a"):
        (tmp_path / "net.pkl").write_bytes(b"\x80\x02(dVweights\n" + weights + b"sVbiases\n(lI1\nas.")
        with pytest.raises(ModelFileError, match="sets the attribute '__array_interface__'"):
            load_network(tmp_path / "net.pkl")


def test_no_such_file(tmp_path):
    for read in (load_network, read_foreign):
        with pytest.raises(ModelFileError, match=r"missing\.pkl: no such file"):
            read(tmp_path / "missing.pkl")


NETWORK2 = {
    "sizes": [6, 4, 3],
    "weights": [w.tolist() for w in WEIGHTS],
    "biases": [b.tolist() for b in BIASES],
    "cost": "CrossEntropyCost",
}


@pytest.mark.parametrize("name", ["net", "net.json", "net.txt", "net.safetensors", "net.pkl", "net.dat"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_network2_json_under_any_name(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(json.dumps(NETWORK2).encode()))
    network = load_network(tmp_path / name)
    assert isinstance(network.loss, CrossEntropy)
    check(network)


@pytest.mark.parametrize("name", ["net", "net.safetensors", "net.json"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("saved", [{"weights": WEIGHTS, "biases": BIASES}, (WEIGHTS, BIASES), [WEIGHTS, BIASES]])
def test_pickles_under_any_name(tmp_path, name, pack, saved):
    (tmp_path / name).write_bytes(pack(pickle.dumps(saved)))
    check(load_network(tmp_path / name))


@pytest.mark.parametrize(("one", "other"), [("my-weights.pkl", "my-biases.pkl"), ("weights", "biases")])
def test_pairs_under_other_names(tmp_path, one, other):
    (tmp_path / one).write_bytes(gzip.compress(pickle.dumps(WEIGHTS)))
    (tmp_path / other).write_bytes(pickle.dumps(BIASES))
    check(load_network(tmp_path / one))
    check(load_network(tmp_path / other))


def test_rashids_arrays_under_other_names_and_by_their_folder(tmp_path):
    (tmp_path / "wih-200").write_bytes(npy(WEIGHTS[0]))
    (tmp_path / "who-200").write_bytes(npy(WEIGHTS[1]))
    for name in ("wih-200", "who-200"):
        check(load_network(tmp_path / name), [0, 0])
    for name, array in zip(("saved_wih.npy", "saved_who.npy"), WEIGHTS):
        np.save(tmp_path / name, array)
    check(load_network(tmp_path), [0, 0])


@pytest.mark.parametrize("module", ["network2", "__main__"])
def test_a_pickled_network2_keeps_its_cost(tmp_path, monkeypatch, module):
    script = types.ModuleType(module)
    for name in ("Network", "CrossEntropyCost"):
        setattr(script, name, type(name, (), {"__module__": module, "__qualname__": name}))
    monkeypatch.setitem(sys.modules, module, script)
    whole = script.Network()
    whole.__dict__ |= {"sizes": [6, 4, 3], "weights": WEIGHTS, "biases": BIASES, "cost": script.CrossEntropyCost}
    (tmp_path / "net").write_bytes(pickle.dumps(whole))
    monkeypatch.undo()
    network = load_network(tmp_path / "net")
    assert isinstance(network.loss, CrossEntropy)
    check(network)


def archive(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "what", "mend"),
    [
        (archive("net/data.pkl", "net/data/0"), "a PyTorch file", r"load_state.*model\[0\]\.weight"),
        (b"\x89HDF\r\n\x1a\n" + b"x" * 90, "an HDF5 file", r"load_state.*get_weights"),
        (archive("config.json", "model.weights.h5"), "a Keras network", "load_state.*get_weights"),
        (b"\x08\x07\x12\x07pytorch" + b"\x00" * 90, "an ONNX network", "load_state.*initializer"),
        (archive("a.npy"), "a NumPy archive", "as data.*load_state"),
        (archive("a.txt"), "a zip archive", "Unpack it first"),
        (b"\0\0\x08\x03" + b"\0" * 90, "an IDX file", "It holds data: name a network first"),
        (b"label,pixel0\n5,0\n", "a table of text", "It holds data: name a network first"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 90, "a PNG picture", "It holds data: name a network first"),
        (b"<html>not found</html>", "a web page", "Fetch the file itself"),
        (b"epochs = 30\n", "a text file", r"expected a \.safetensors file, a run's folder"),
        (b"", "an empty file", "It may be cut short"),
    ],
)
@pytest.mark.parametrize("name", ["net", "net.safetensors", "net.pkl", "net.h5"])
def test_other_kinds_are_named_whatever_they_are_called(tmp_path, name, content, what, mend):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        ModelFileError, match=f"not a safetensors file but {what}.*which cannot be read.*{mend}"
    ) as told:
        load_network(tmp_path / name)
    assert "\n" not in str(told.value)


def test_files_of_a_run_name_its_folder(tmp_path):
    network, run = mlp([4, 3]), tmp_path / "000"
    network.save(run / "network.safetensors")
    save_checkpoint(Trainer(network), run / "checkpoint.safetensors")
    (run / "config.toml").write_text("epochs = 30\n")
    for name in ("config.toml", "checkpoint.safetensors"):
        with pytest.raises(ModelFileError, match=f"name the run's folder.*, {run}"):
            load_network(run / name)
    assert load_network(run).shapes == network.shapes
    with pytest.raises(ModelFileError, match=f"is a group of 1 runs; name one of them, such as {run}"):
        load_network(tmp_path)
    (run / "packed").write_bytes(gzip.compress((run / "network.safetensors").read_bytes()))
    with pytest.raises(ModelFileError, match=r"a safetensors file, compressed with gzip, .*gunzip -c"):
        load_network(run / "packed")
