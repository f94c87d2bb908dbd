"""Networks and weights of other programs: ONNX, PyTorch's state dict, Keras's files."""

import copy
import zipfile

import numpy as np
import pytest

import digitlab
from digitlab import nn
from digitlab.cli import run
from digitlab.errors import ModelFileError
from digitlab.exporting import export_network
from digitlab.nn.io.foreign_weights import take_weights
from digitlab.nn.zoo import ZOO


def drawn(network):
    rng = np.random.default_rng(0)
    for p in network.parameters().values():
        p.value = p.value + rng.normal(0, 0.1, p.value.shape).astype(p.value.dtype)
    return network


@pytest.mark.parametrize("name", ["chapter1", "rashid", "conv-without-fc", "double-conv-relu", "sprint"])
def test_onnx_there_and_back(name, tmp_path):
    pytest.importorskip("onnx")
    network = drawn(ZOO[name].build())
    export_network(network, tmp_path / "net.onnx", "onnx")
    back = digitlab.load_network(tmp_path / "net.onnx")
    assert back.scaling == network.scaling, "not the float32 beside it"
    images = np.random.default_rng(1).integers(0, 256, (5, *network.input_shape), dtype=np.uint8)
    np.testing.assert_allclose(back.predict(images), network.predict(images), atol=1e-5)


def inner():
    return nn.Residual([nn.Dense(3), nn.Tanh()])


GRAPHS = {
    "batch norm": ([nn.Dense(5), nn.BatchNorm(), nn.ReLU(), nn.Dense(3)], (7,)),
    "batch norm of pictures": (
        [nn.Conv2D(3, 3), nn.BatchNorm(), nn.MaxPool2D(2), nn.Flatten(), nn.Dense(4)],
        (6, 6, 2),
    ),
    "residual": ([nn.Dense(5), nn.Residual([nn.Dense(5), nn.ReLU(), nn.Dense(5)]), nn.Dense(3)], (7,)),
    "projection": ([nn.Residual([nn.Dense(5), nn.ReLU(), nn.Dense(5)], projection=nn.Dense(5)), nn.Dense(3)], (7,)),
    "residual of pictures": (
        [nn.Residual([nn.Conv2D(2, 3, padding=1), nn.BatchNorm(), nn.ReLU()]), nn.GlobalAveragePool(), nn.Dense(3)],
        (5, 5, 2),
    ),
    "branches": ([nn.Branches([[nn.Dense(4), nn.Tanh()], [nn.Dense(3)], []]), nn.Dense(3)], (7,)),
    "mean of branches": ([nn.Branches([[nn.Dense(4), nn.SiLU()], [nn.Dense(4)]], merge="mean"), nn.Dense(3)], (7,)),
    "forks in forks": (
        [nn.Dense(5), nn.Residual([nn.Branches([[nn.Dense(2)], [nn.Dense(3), inner()]])]), nn.Dense(3)],
        (7,),
    ),
    "both directions": ([nn.Bidirectional(nn.LSTM(3, returns="all")), nn.SimpleRNN(4), nn.Dense(3)], (4, 5)),
    "gates": ([nn.GRU(3, returns="all", reset="before"), nn.GRU(4, reverse=True), nn.Dense(3)], (4, 5)),
    "feedback": ([nn.Repeat(3), nn.SimpleRNN(4), nn.Dense(3)], (5,)),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_onnx_graphs_there_and_back(case, tmp_path):
    pytest.importorskip("onnx")
    layers, shape = GRAPHS[case]
    network = drawn(nn.Network(copy.deepcopy(layers), shape, "log-likelihood"))
    network.forward(np.random.default_rng(2).normal(size=(8, *shape)).astype("f"), training=True)  # running means
    export_network(network, tmp_path / "net.onnx", "onnx")
    back = digitlab.load_network(tmp_path / "net.onnx")
    images = np.random.default_rng(1).integers(0, 256, (5, *shape), dtype=np.uint8)
    np.testing.assert_allclose(back.predict(images), network.predict(images), atol=2e-6)


def test_onnx_of_a_residual_block_as_pytorch_writes_it(tmp_path):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    kernels = rng.normal(size=(2, 2, 3, 3)).astype("f")
    norm = {name: rng.uniform(0.5, 2, 2).astype("f") for name in ("gamma", "beta", "mean", "var")}
    nodes = [
        ("Conv", ["x", "k"], "a", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("BatchNormalization", ["a", *norm], "b", {"epsilon": 1e-3}),
        ("Add", ["b", "x"], "c", {}),
        ("Relu", ["c"], "d", {}),
        ("Flatten", ["d"], "e", {}),
        ("MatMul", ["e", "w"], "y", {}),
    ]
    dense = rng.normal(size=(2 * 3 * 4, 3)).astype("f")
    path = onnx_model(nodes, {"k": kernels, "w": dense, **norm}, (2, 3, 4), tmp_path / "n.onnx")
    x, t = rng.normal(size=(3, 2, 3, 4)).astype("f"), torch.nn.functional
    stats = [torch.tensor(norm[name]) for name in ("mean", "var", "gamma", "beta")]
    block = t.batch_norm(t.conv2d(torch.tensor(x), torch.tensor(kernels), padding=1), *stats, eps=1e-3)
    expected = (block + torch.tensor(x)).relu().flatten(1) @ torch.tensor(dense)
    found = digitlab.load_network(path).forward(x.transpose(0, 2, 3, 1))[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)


def onnx_model(nodes, constants, sizes, path):
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output], **given) for kind, inputs, output, given in nodes],
        "g",
        [helper.make_tensor_value_info("x", 1, ["N", *sizes])],
        [helper.make_tensor_value_info("y", 1, None)],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def test_onnx_as_pytorch_writes_it(tmp_path):
    """Pictures channels first, flattened in that order before the dense layer."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    kernels, biases = rng.normal(size=(3, 2, 3, 3)).astype("f"), rng.normal(size=3).astype("f")
    dense = rng.normal(size=(4, 3 * 2 * 2)).astype("f")
    nodes = [
        ("Conv", ["x", "k", "kb"], "a", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("Relu", ["a"], "b", {}),
        ("MaxPool", ["b"], "c", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Flatten", ["c"], "d", {}),
        ("Gemm", ["d", "w", "wb"], "y", {"transB": 1}),
    ]
    constants = {"k": kernels, "kb": biases, "w": dense, "wb": np.ones(4, "f")}
    network = digitlab.load_network(onnx_model(nodes, constants, (2, 4, 5), tmp_path / "n.onnx"))
    x = rng.normal(size=(3, 2, 4, 5)).astype("f")
    t = torch.nn.functional
    expected = t.max_pool2d(t.conv2d(torch.tensor(x), torch.tensor(kernels), torch.tensor(biases), padding=1).relu(), 2)
    expected = expected.flatten(1) @ torch.tensor(dense).T + 1
    np.testing.assert_allclose(network.forward(x.transpose(0, 2, 3, 1))[0], expected.numpy(), atol=1e-4)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([("Erf", ["x"], "y", {})], "the operator Erf"),
        ([("MatMul", ["x", "w"], "y", {})], "got weights"),
        ([("Gemm", ["w", "x"], "y", {})], "expected an input times a constant"),
        ([("Relu", ["x"], "a", {}), ("Tanh", ["a"], "b", {}), ("Relu", ["b"], "a", {})], "reads its own output"),
        ([("Relu", ["x"], "a", {}), ("Tanh", ["x"], "y", {})], "do not end in one node"),
        ([("Relu", ["x"], "a", {}), ("Sub", ["x", "a"], "y", {})], "Sub .*joins values"),
        ([("Relu", ["x"], "a", {}), ("Mul", ["x", "a"], "y", {})], "Mul .*is not read"),
    ],
)
def test_other_graphs_are_refused_in_one_line(nodes, message, tmp_path):
    path = onnx_model(nodes, {"w": np.zeros((7, 2), "f")}, (4,), tmp_path / "n.onnx")
    with pytest.raises(ModelFileError, match=message) as error:
        digitlab.load_network(path)
    assert "\n" not in str(error.value)


def test_a_damaged_onnx_file(tmp_path):
    pytest.importorskip("onnx")
    (tmp_path / "n.onnx").write_bytes(b"\x08\x08\x12\x7f" + b"\xff" * 50)
    with pytest.raises(ModelFileError, match="cannot be read as a network"):
        digitlab.load_network(tmp_path / "n.onnx")


def test_pytorch_state_dict(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(3 * 6 * 4, 5)
    )
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    network = nn.Network([nn.Conv2D(3, 3), nn.ReLU(), nn.Flatten(), nn.Dense(5)], (8, 6, 1), "log-likelihood")
    lines = take_weights(network, tmp_path / "model.safetensors")
    assert lines[0] == "0.W ← 0.weight, transposed"
    x = np.random.default_rng(0).normal(size=(4, 8, 6, 1)).astype("f")
    expected = model(torch.tensor(x.transpose(0, 3, 1, 2))).detach().numpy()
    np.testing.assert_allclose(network.forward(x)[0], expected, atol=1e-5)


def test_keras_weights_as_h5_and_npz(tmp_path):
    h5py = pytest.importorskip("h5py")
    network, wanted = digitlab.mlp([6, 4, 3]), drawn(digitlab.mlp([6, 4, 3]))
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        for name, values in (("dense", wanted.layers[0]), ("dense_1", wanted.layers[2])):
            file[f"layers/{name}/vars/0"] = values.params["W"].value
            file[f"layers/{name}/vars/1"] = values.params["b"].value
        file["optimizer/vars/0"] = np.ones((6, 4), "f")
    take_weights(network, tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(network.state()["2.W"], wanted.state()["2.W"])
    np.savez(tmp_path / "model.npz", *[p.value for p in wanted.parameters().values()])
    other = digitlab.mlp([6, 4, 3])
    take_weights(other, tmp_path / "model.npz")
    np.testing.assert_array_equal(other.state()["0.b"], wanted.state()["0.b"])


def test_weights_that_do_not_fit(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.zeros((6, 4)), b=np.zeros(4))
    with pytest.raises(ModelFileError, match=r"has no array for 2.W \(4, 3\)"):
        take_weights(digitlab.mlp([6, 4, 3]), tmp_path / "w.npz")
    with pytest.raises(ModelFileError, match="no place for: b"):
        take_weights(nn.Network([nn.Dense(4, biases=None)], 6, "log-likelihood"), tmp_path / "w.npz")


def test_an_array_that_claims_more_than_it_holds_is_not_allocated(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive, archive.open("a.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"shape": (10**9, 10**6), "fortran_order": False, "descr": "<f8"})
    with pytest.raises(ModelFileError, match="fewer numbers than it says"):
        take_weights(digitlab.mlp([6, 4, 3]), tmp_path / "w.npz")


@pytest.mark.parametrize("suffix", ["npz", "h5", "onnx"])
def test_a_damaged_file_gives_one_clear_line(suffix, tmp_path):
    network, path = drawn(digitlab.mlp([6, 4, 3])), tmp_path / f"w.{suffix}"
    if suffix == "h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for name, p in network.parameters().items():
                file[name] = p.value
    else:
        pytest.importorskip("onnx")
        export_network(network, path, suffix)
    good, rng = path.read_bytes(), np.random.default_rng(0)
    for i in range(60):
        damaged = bytearray(good[: rng.integers(len(good))] if i % 6 == 0 else good)
        for _ in range(3):
            damaged[rng.integers(len(damaged))] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            digitlab.load_network(path) if suffix == "onnx" else take_weights(network, path)
        except ModelFileError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.array([print], dtype=object))
    with pytest.raises(ModelFileError, match="holds objects"):
        take_weights(digitlab.mlp([6, 4, 3]), tmp_path / "w.npz")


def test_the_command_saves_and_says_what_it_assumed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    wanted = drawn(digitlab.mlp([6, 4, 3], activation="tanh", loss="log-likelihood"))
    np.savez("w.npz", *[p.value for p in wanted.parameters().values()])
    assert run(["import", "w.npz", "--net", "6-4-3", "--activation", "tanh", "--scaling", "/256"]) == 0
    printed = capsys.readouterr().out
    assert "assumed: pixels (uint8) scaled by /256" in printed and "makes softmax of the outputs" in printed
    x = np.random.default_rng(0).normal(size=(3, 6)).astype("f")
    np.testing.assert_array_equal(digitlab.load_network("w.safetensors").predict(x), wanted.predict(x))
    export_network(digitlab.mlp([6, 4, 3]), "n.json", "json")
    assert run(["import", "n.json"]) == 0
    assert "loss Quadratic" in " ".join(capsys.readouterr().out.split())
    assert run(["import", "w.npz"]) == 1


def test_a_map_names_the_array_of_a_parameter(tmp_path, capsys):
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(4, 4)).astype("f") for name in ("decoder", "encoder")}
    arrays |= {name: rng.normal(size=4).astype("f") for name in ("b1", "b2")}
    np.savez(tmp_path / "w.npz", **arrays)
    network = nn.mlp([4, 4, 4])
    lines = take_weights(network, tmp_path / "w.npz", {"0.W": "encoder", "2.b": "b1"})
    assert lines == ["0.W ← encoder", "0.b ← b2", "2.W ← decoder", "2.b ← b1"]
    np.testing.assert_array_equal(network.parameters()["0.W"].value, arrays["encoder"])
    for names, message in (({"0.V": "encoder"}, "'0.V'; there are"), ({"0.W": "encodr"}, "did you mean 'encoder'")):
        with pytest.raises(ModelFileError, match=message):
            take_weights(network, tmp_path / "w.npz", names)
    with pytest.raises(ModelFileError, match=r"has no array for 0\.W"):
        take_weights(network, tmp_path / "w.npz", {"0.W": "b1"})
    words = ["import", str(tmp_path / "w.npz"), "--net", "4-4-4", "--map", "0.W=encoder"]
    assert run(words) == 0 and "0.W ← encoder" in capsys.readouterr().out
    assert run([*words, "--map", "nothing"]) == 2 and "expected OURS=THEIRS" in capsys.readouterr().err
