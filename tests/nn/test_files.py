"""Saved networks: whole or not at all, and every damaged or foreign file explained."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import save_file

from digitlab.errors import ConfigError, ModelFileError
from digitlab.lab import Net
from digitlab.nn import Dense, Network, load_network, mlp
from digitlab.nn.io.files import read_arrays, read_metadata, write_arrays
from digitlab.nn.normalization import BatchNorm


@pytest.fixture
def net():
    return mlp([4, 3, 2], seed=1)


@pytest.fixture
def path(net, tmp_path):
    net.save(tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


def rewritten(path, change):
    """The file with its arrays and metadata as `change` leaves them."""
    arrays, metadata = read_arrays(path), read_metadata(path)
    change(arrays, metadata)
    save_file(arrays, path, metadata={"digitlab": json.dumps(metadata)})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_there_and_back(dtype, tmp_path):
    net = mlp([4, 3, 2], loss="softmax", dropout=0.2, scaling="/256", dtype=dtype, seed=7)
    net.save(tmp_path / "deep" / "er" / "net.safetensors")
    again = load_network(str(tmp_path / "deep" / "er" / "net.safetensors"))
    assert repr(again) == repr(net)
    assert again.scaling == net.scaling
    for name, p in net.parameters().items():
        assert_array_equal(again.parameters()[name].value, p.value)
        assert again.parameters()[name].value.dtype == dtype
    images = np.random.default_rng(0).integers(0, 256, (5, 2, 2), dtype=np.uint8)
    assert_array_equal(again.predict(images), net.predict(images))


def test_the_loaded_weights_can_be_trained(path):
    net = load_network(path)
    net.gradient(np.zeros((1, 4), "float32"), np.array([1]))
    before = net.parameters()["0.W"].value.copy()
    net.parameters()["0.W"].value += 1  # an array that was read, and not one that may only be looked at
    assert_array_equal(net.parameters()["0.W"].value, before + 1)


def test_buffers_are_saved_too(tmp_path):
    net = Network([Dense(3), BatchNorm()], 4)
    net.forward(np.random.default_rng(0).random((9, 4)), training=True)
    net.save(tmp_path / "net.safetensors")
    again = load_network(tmp_path / "net.safetensors")
    assert_array_equal(again.layers[1].buffers["running_mean"], net.layers[1].buffers["running_mean"])


def test_torch_tensors_are_saved_as_they_are(net, path, tmp_path):
    torch = pytest.importorskip("torch")
    for p in net.parameters().values():
        p.value = torch.asarray(p.value)
    net.save(tmp_path / "torch.safetensors")
    assert (tmp_path / "torch.safetensors").read_bytes() == path.read_bytes()


def test_no_such_file(tmp_path):
    with pytest.raises(ModelFileError, match=r"nothing\.safetensors: no such file"):
        load_network(tmp_path / "nothing.safetensors")
    with pytest.raises(ModelFileError, match="no such file"):
        load_network(tmp_path)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 20, 100, -1])
def test_a_file_cut_short(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ModelFileError, match=r"net\.safetensors: not a safetensors file .*cut short"):
        load_network(path)


@pytest.mark.parametrize("content", [b"\0" * 64, b"\xff" * 64, b"{}" * 40, b"PK\x03\x04" + b"x" * 60])
def test_another_kind_of_file(path, content):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a safetensors file"):
        load_network(path)


def test_a_pickle_is_never_executed(path, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelFileError, match="not a safetensors file"):
        load_network(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3"])
def test_a_type_that_numpy_lacks(tmp_path, kind):
    size = 2 if kind == "BF16" else 1
    head = json.dumps({"weight": {"dtype": kind, "shape": [4], "data_offsets": [0, 4 * size]}}).encode()
    path = tmp_path / "half.safetensors"
    path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(4 * size))
    with pytest.raises(ModelFileError, match=f"weight has type {kind}, expected one that NumPy has"):
        read_arrays(path)


def test_a_safetensors_file_of_another_origin(tmp_path):
    save_file({"weight": np.zeros((2, 2))}, tmp_path / "other.safetensors")
    with pytest.raises(ModelFileError, match="holds no digitlab network"):
        load_network(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda arrays, _: arrays.pop("0.W"), r"missing: 0\.W \(4, 3\)"),
        (lambda arrays, _: arrays.update({"9.W": np.zeros(2)}), r"not in this network: 9\.W \(2,\)"),
        (lambda arrays, _: arrays.update({"0.W": np.zeros((3, 4))}), r"0\.W has shape \(3, 4\), expected \(4, 3\)"),
        (lambda _, meta: meta["network"].pop("layers"), "needs 'layers'"),
        (lambda _, meta: meta["network"].update(surprise=1), "no 'surprise'"),
        (lambda _, meta: meta["network"]["layers"].append({"type": "Transformer"}), "unknown layer 'Transformer'"),
        (lambda _, meta: meta["network"]["layers"][0].update(units=3), "Dense has no setting 'units'"),
        (lambda _, meta: meta["network"].update(input_shape=[5]), r"0\.W has shape \(4, 3\), expected \(5, 3\)"),
        (lambda _, meta: meta.update(format=99), "written in format 99, this version reads 1; update digitlab"),
        (lambda _, meta: meta.pop("network"), "holds no digitlab network"),
    ],
)
def test_what_does_not_fit_is_named(path, change, message):
    rewritten(path, change)
    with pytest.raises(ModelFileError, match=message) as raised:
        load_network(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda _, meta: meta.update(network=[1, 2]), "description"),
        (lambda _, meta: meta.update(network="mlp"), "description"),
        (lambda _, meta: meta["network"].update(dtype="float16x"), "dtype"),
        (lambda _, meta: meta["network"]["layers"][0].update(out_features="many"), "out_features"),
        (lambda _, meta: meta["network"]["layers"][0].update(out_features=-3), "out_features"),
    ],
)
def test_descriptions_of_the_wrong_kind_are_explained(path, change, message):
    rewritten(path, change)
    with pytest.raises(ModelFileError, match=message):
        load_network(path)


@pytest.mark.parametrize("text, message", [("{", "not JSON"), ("[1]", "is list, expected a table")])
def test_a_damaged_description(path, text, message):
    save_file(read_arrays(path), path, metadata={"digitlab": text})
    with pytest.raises(ModelFileError, match=message):
        load_network(path)


def test_all_faults_are_listed_at_once(path):
    def change(arrays, _):
        arrays.pop("0.b")
        arrays["x"] = np.zeros(1)
        arrays["2.W"] = np.zeros((1, 1))

    rewritten(path, change)
    with pytest.raises(ModelFileError, match=r"missing: 0\.b .*; not in this network: x .*; 2\.W has shape"):
        load_network(path)


def test_loading_is_all_or_nothing(net):
    before = {name: p.value.copy() for name, p in net.parameters().items()}
    state = {name: array + 1 for name, array in net.state().items()}
    state.pop("2.b")
    with pytest.raises(ModelFileError):
        net.load_state(state)
    for name, p in net.parameters().items():
        assert_array_equal(p.value, before[name])


def test_load_state_copies(net):
    state = net.copy().state()
    net.load_state(state)
    state["0.W"][:] = 99
    assert not (net.parameters()["0.W"].value == 99).any()


def test_load_state_copies_torch_tensors_too(net):
    torch = pytest.importorskip("torch")
    for p in net.parameters().values():
        p.value = torch.asarray(p.value)
    state = net.copy().state()
    net.load_state(state)
    state["0.W"][:] = 99
    assert not (net.parameters()["0.W"].value == 99).any()


def test_load_weights_of_another_network_of_the_form(path):
    other = mlp([4, 3, 2], loss="cross-entropy", seed=9)
    other.load_weights(path)
    assert_array_equal(other.parameters()["0.W"].value, load_network(path).parameters()["0.W"].value)
    with pytest.raises(ModelFileError, match="do not fit"):
        mlp([4, 5, 2]).load_weights(path)


def test_a_failure_midway_leaves_the_old_file_and_no_other(net, path, monkeypatch):
    before = path.read_bytes()

    def half(file, content):
        file.write_text("half a fi")
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="no space"):
        net.save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_in_a_new_place_leaves_nothing(net, tmp_path, monkeypatch):
    def failing(*_, **__):
        raise OSError("gone")

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(OSError, match="gone"):
        net.save(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_saving_twice_gives_the_same_bytes(net, path, tmp_path):
    net.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_saved_files_are_as_readable_as_any(path):
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_arrays_and_metadata_alone(tmp_path):
    write_arrays(tmp_path / "a.safetensors", {"x": np.arange(6).reshape(2, 3).T, "s": np.float32(2)}, {"why": "é"})
    arrays = read_arrays(tmp_path / "a.safetensors")
    assert_array_equal(arrays["x"], np.arange(6).reshape(2, 3).T)
    assert arrays["s"] == 2
    assert read_metadata(tmp_path / "a.safetensors") == {"format": 1, "why": "é"}


@pytest.mark.parametrize("name", ["n.pkl", "n.json", "n.npy", "weights_file"])
def test_a_network_renamed_as_another_format_is_read(tmp_path, name):
    network = mlp([4, 3], seed=1)
    network.save(tmp_path / "n.safetensors")
    (tmp_path / "n.safetensors").rename(tmp_path / name)
    read = load_network(tmp_path / name)
    np.testing.assert_array_equal(read.parameters()["0.W"].value, network.parameters()["0.W"].value)


@pytest.mark.parametrize("name", ["n.json", "n.npz", "n.pt", "n.onnx", "n.h5", "n.pkl", "n.SafeTensors.gz", "n.keras"])
def test_no_name_lies_about_the_format(tmp_path, name):
    network = mlp([4, 3])
    for write in (network.save, network.save_weights, Net([4, 3]).save):
        with pytest.raises(
            ConfigError, match=rf"ends in \.safetensors for .*the suffix \{name[name.rindex('.') :]} is"
        ):
            write(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["net", "n.SAFETENSORS", "net-95.42", "0.5-net", "a.pt/net"])
def test_names_that_make_no_other_claim(tmp_path, name):
    mlp([4, 3]).save(tmp_path / name)
    assert load_network(tmp_path / name).shapes == [(4,), (3,)]


def test_weights_alone(tmp_path):
    network, other = mlp([4, 3], seed=1), mlp([4, 3], seed=2)
    network.save_weights(tmp_path / "w.safetensors")
    other.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(other.parameters()["0.W"].value, network.parameters()["0.W"].value)
    with pytest.raises(ModelFileError, match="holds no digitlab network"):
        load_network(tmp_path / "w.safetensors")
    (tmp_path / "other").write_text("{}")
    with pytest.raises(ModelFileError, match="other: not a safetensors file but a JSON file"):
        other.load_weights(tmp_path / "other")
    with pytest.raises(ModelFileError, match=r"w\.safetensors: these weights do not fit.*0\.W has shape"):
        mlp([5, 3]).load_weights(tmp_path / "w.safetensors")
