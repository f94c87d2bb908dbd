"""Exported networks compute what the networks here compute: by ONNX Runtime, PyTorch, NumPy and network2."""

import importlib.util
import json
import re
import subprocess
import sys

import numpy as np
import pytest

import digitlab
from digitlab import nn
from digitlab.cli.export import TO
from digitlab.ensemble import combine
from digitlab.errors import ConfigError
from digitlab.exporting import export_formats, export_network
from digitlab.nn.zoo import ZOO


def drawn(network, seed=0):
    """The network with every parameter drawn, biases too, so that none hides an error."""
    rng = np.random.default_rng(seed)
    for p in network.parameters().values():
        p.value = p.value + rng.normal(0, 0.1, p.value.shape).astype(p.value.dtype)
    for name, buffer in network.state().items():
        if "running" in name:
            buffer += rng.uniform(0, 0.5, buffer.shape).astype(buffer.dtype)
    return network


def pixels(network, n=20):
    return np.random.default_rng(1).integers(0, 256, (n, *network.input_shape), dtype=np.uint8)


def imported(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def to_onnx(network, path):
    pytest.importorskip("onnx")
    export_network(network, path, "onnx")


def run_onnx(path, images):
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(path, options).run(None, {"images": images})[0]


def test_the_command_offers_every_format():
    assert set(TO) == set(export_formats())


@pytest.mark.parametrize("name", ZOO)
def test_onnx_of_the_zoo(name, tmp_path):
    network = drawn(ZOO[name].build())
    to_onnx(network, tmp_path / "net.onnx")
    images = pixels(network)
    np.testing.assert_allclose(run_onnx(tmp_path / "net.onnx", images), network.predict(images), atol=1e-5)


@pytest.mark.slow
@pytest.mark.mnist
def test_onnx_of_the_shipped_network_on_the_test_images(mnist_splits, tmp_path):
    network, images = digitlab.shipped_network(), mnist_splits.test.images
    to_onnx(network, tmp_path / "net.onnx")
    found = run_onnx(tmp_path / "net.onnx", images.reshape(-1, *network.input_shape))
    np.testing.assert_allclose(found, network.predict(images), atol=1e-5)


@pytest.mark.parametrize("how", ["vote", "mean"])
def test_onnx_of_an_ensemble_with_members_scaled_differently(how, tmp_path):
    members = [drawn(digitlab.mlp([64, 8, 5], scaling=scaling, seed=i)) for i, scaling in enumerate(("/255", "0.01-1"))]
    members.append(drawn(nn.Network([nn.Conv2D(3, 3), nn.Flatten(), nn.Dense(5)], (8, 8, 1), nn.LogLikelihood())))
    network = combine(members, how)
    to_onnx(network, tmp_path / "net.onnx")
    images = pixels(network)
    np.testing.assert_allclose(run_onnx(tmp_path / "net.onnx", images), network.predict(images), atol=1e-5)


def test_onnx_refuses_a_layer_of_ones_own(tmp_path):
    pytest.importorskip("onnx")

    class Odd(nn.ReLU):
        def forward(self, x, *, training=False):
            return x + 1, None

    network = nn.Network([Odd(), nn.Dense(2)], 4, "log-likelihood")
    with pytest.raises(ConfigError, match="cannot export the layer Odd"):
        export_network(network, tmp_path / "net.onnx", "onnx")


def test_onnx_takes_numbers_where_the_network_was_trained_on_numbers(tmp_path):
    network = digitlab.mlp([4, 3, 2])
    x = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    digitlab.Trainer(network).fit((x, np.arange(9) % 2), epochs=1)
    to_onnx(network, tmp_path / "net.onnx")
    np.testing.assert_allclose(run_onnx(tmp_path / "net.onnx", x), network.predict(x), atol=1e-6)


TORCH = [name for name in ZOO if name not in ("double-fc-dropout", "best")]


@pytest.mark.parametrize("name", TORCH)
def test_pytorch_module(name, tmp_path):
    torch = pytest.importorskip("torch")
    network = drawn(ZOO[name].build())
    path, _ = export_network(network, tmp_path / "net.py", "pytorch")
    images = pixels(network)
    with torch.no_grad():
        found = imported(path).load().predict(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(found, network.predict(images), atol=1e-5)


def test_pytorch_module_of_other_layers(tmp_path):
    torch = pytest.importorskip("torch")
    inner = [nn.Conv2D(3, 3, padding=1, biases=None), nn.BatchNorm(), nn.LeakyReLU(0.2)]
    layers = [nn.Residual(inner, projection=nn.Conv2D(3, 1)), nn.Bias(), nn.GlobalAveragePool(), nn.LayerNorm()]
    layers += [nn.Residual([nn.Dense(3), nn.GELU()]), nn.ELU(0.5), nn.Dropout(0.3), nn.Dense(2)]
    network = drawn(nn.Network(layers, (6, 6, 2), nn.CrossEntropy()))
    path, _ = export_network(network, tmp_path / "net.py", "pytorch")
    images = pixels(network)
    with torch.no_grad():
        found = imported(path).load().predict(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(found, network.predict(images), atol=1e-5)


def branched_networks():
    """Branches, and ensembles of three networks by mean and by vote."""
    members = [
        drawn(nn.Network([nn.Conv2D(2, 3), nn.ReLU(), nn.Flatten(), nn.Dense(4)], (6, 6, 1), nn.LogLikelihood())),
        drawn(nn.mlp([36, 5, 4], loss="cross-entropy", seed=1)),
    ]
    both = nn.Branches({"left side": [nn.Dense(5), nn.Tanh()], "right": []}, merge="concatenate")
    summed = nn.Branches([[nn.Dense(6)], [nn.Dense(6), nn.ReLU()]], merge="mean")
    branched = drawn(nn.Network([both, summed, nn.Repeat(2), nn.SimpleRNN(3), nn.Dense(4)], 36, nn.LogLikelihood()))
    return [branched, *(digitlab.combine([*members, branched], how) for how in ("mean", "vote"))]


def test_pytorch_module_of_branches_and_ensembles(tmp_path):
    torch = pytest.importorskip("torch")
    for network in branched_networks():
        path, _ = export_network(network, tmp_path / "net.py", "pytorch")
        images = pixels(network)
        with torch.no_grad():
            found = imported(path).load().predict(torch.from_numpy(images)).numpy()
        np.testing.assert_allclose(found, network.predict(images), atol=1e-5)


@pytest.mark.parametrize("name", ["chapter1", "rashid", "conv-without-fc", "sprint", "best-narrow"])
def test_numpy_script_runs_by_itself(name, tmp_path):
    network = drawn(ZOO[name].build())
    path, _ = export_network(network, tmp_path / "net.py", "numpy-script")
    images = pixels(network, 5)
    np.testing.assert_allclose(imported(path).predict(images), network.predict(images), atol=1e-5)
    assert len(path.read_text().splitlines()) <= 60
    np.save(tmp_path / "digits.npy", images)
    command = [sys.executable, "-I", str(path), str(tmp_path / "digits.npy")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert list(map(int, printed.split())) == network.predict(images).argmax(axis=1).tolist()
    assert "digitlab" not in {line.split()[1] for line in path.read_text().splitlines() if "import " in line[:7]}


@pytest.mark.slow
def test_numpy_script_refuses_what_it_has_no_line_for(tmp_path):
    with pytest.raises(ConfigError, match=r"numpy-script: .*LSTM.*export to onnx"):
        export_network(ZOO["rows-lstm"].build(), tmp_path / "net.py", "numpy-script")


def test_keras_file_names_layers_and_weights_in_keras_order(tmp_path):
    network = drawn(ZOO["sprint"].build())
    path, weights = export_network(network, tmp_path / "net.py", "keras")
    compile(path.read_text(), path, "exec")
    line = "layers.Conv2D(16, 5, strides=1, padding='valid', dilation_rate=1, name=\"layer0\")(x)"
    assert line in path.read_text()
    arrays = dict(np.load(weights))
    expected = [p.value.shape for p in network.parameters().values()]
    assert [arrays[name].shape for name in arrays] == expected  # kernel, bias, kernel, bias: Keras's layouts are ours


def test_keras_file_of_branches_and_ensembles(tmp_path):
    for network in branched_networks():
        path, weights = export_network(network, tmp_path / "net.py", "keras")
        text = path.read_text()
        compile(text, path, "exec")
        names = {name.split("/")[0] for name in np.load(weights).files}
        assert names == set(re.findall(r'name="(\w+)"', text))
        assert text.count("layers.Average()") == 1 and "part0" in text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras with PyTorch
@pytest.mark.parametrize("name", ["lenet5", "rows-lstm", "rows-gru", "sprint"])
def test_keras_model(name, tmp_path):
    pytest.importorskip("keras")  # with KERAS_BACKEND=torch; all of the zoo agreed in Keras 3.15
    network = drawn(ZOO[name].build())
    path, _ = export_network(network, tmp_path / "net.py", "keras")
    images = pixels(network)
    np.testing.assert_allclose(imported(path).load().predict(images, verbose=0), network.predict(images), atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_keras_model_of_branches_and_ensembles(tmp_path):
    pytest.importorskip("keras")
    inner = [nn.Conv2D(3, 3, padding=1, biases=None), nn.BatchNorm(), nn.LeakyReLU(0.2)]
    layers = [nn.Residual(inner, projection=nn.Conv2D(3, 1)), nn.GlobalAveragePool(), nn.LayerNorm()]
    layers += [nn.Residual([nn.Dense(3), nn.GELU()]), nn.Repeat(4), nn.Bidirectional(nn.GRU(3)), nn.Dense(2)]
    for network in (drawn(nn.Network(layers, (6, 6, 2), nn.CrossEntropy())), *branched_networks()):
        path, _ = export_network(network, tmp_path / "net.py", "keras")
        images = pixels(network)
        found = imported(path).load().predict(images, verbose=0)
        np.testing.assert_allclose(found, network.predict(images), atol=1e-5)


@pytest.mark.parametrize("scaling", ["/256", "/255", "0.01-1"])
def test_network2_json_there_and_back(scaling, tmp_path):
    network = drawn(digitlab.mlp([64, 8, 5], loss="cross-entropy", scaling=scaling))
    export_network(network, tmp_path / "net.json", "json")
    images = pixels(network)
    back = digitlab.load_network(tmp_path / "net.json")
    np.testing.assert_allclose(back.predict(images), network.predict(images), atol=1e-5)
    saved = json.loads((tmp_path / "net.json").read_text())
    a = images[0][:, None] / 256  # as network2.Network.feedforward computes
    for w, b in zip(saved["weights"], saved["biases"], strict=True):
        a = 1 / (1 + np.exp(-(np.dot(w, a) + b)))
    np.testing.assert_allclose(a[:, 0], network.predict(images[:1])[0], atol=1e-5)
    assert saved["sizes"] == [64, 8, 5] and saved["cost"] == "CrossEntropyCost"


def test_network2_json_refuses_other_networks(tmp_path):
    with pytest.raises(ConfigError, match=r"network2.py has only dense layers with sigmoids .*; got"):
        export_network(digitlab.mlp([4, 3, 2], activation="relu"), tmp_path / "net.json", "json")


def test_arrays_by_name(tmp_path):
    network = drawn(digitlab.mlp([4, 3, 2]))
    export_network(network, tmp_path / "net.npz", "npz")
    np.testing.assert_array_equal(dict(np.load(tmp_path / "net.npz"))["0.W"], network.state()["0.W"])
    files = export_network(network, tmp_path / "tables", "csv")
    assert [file.name for file in files] == ["0.W.csv", "0.b.csv", "2.W.csv", "2.b.csv"]
    np.testing.assert_allclose(np.loadtxt(files[0], delimiter=","), network.state()["0.W"], rtol=1e-7)


def test_the_command_writes_beside_the_network(tmp_path, monkeypatch, capsys):
    from digitlab.cli import run

    digitlab.mlp([4, 3, 2]).save(tmp_path / "run.safetensors")
    monkeypatch.chdir(tmp_path)
    assert run(["export", "run.safetensors", "--to", "npz"]) == 0
    assert (tmp_path / "run.npz").is_file() and "run.npz" in capsys.readouterr().out
    assert run(["export", "run.safetensors", "--to", "npz", "--out", "x.onnx"]) == 1
    assert run(["export", "run.safetensors", "--to", "safetensors"]) == 2


@pytest.mark.parametrize("out", [[], ["--out", "run.py"]])
def test_no_format_overwrites_the_network_or_the_files_of_another_format(tmp_path, monkeypatch, out):
    from digitlab.cli import run

    digitlab.mlp([4, 3, 2]).save(tmp_path / "run.safetensors")
    before = (tmp_path / "run.safetensors").read_bytes()
    monkeypatch.chdir(tmp_path)
    written = {"run.safetensors"}
    for to in ("npz", "pytorch", "keras", "numpy-script"):
        assert run(["export", "run.safetensors", "--to", to, *(out if to == "pytorch" else [])]) == 0
        assert (tmp_path / "run.safetensors").read_bytes() == before, to
        now = {path.name for path in tmp_path.iterdir()}
        assert len(now) == len(written) + (1 if to == "npz" else 2), to
        written = now
    assert {"run-keras.py", "run-keras.npz", "run-numpy-script.npz", "run.npz"} <= written
    assert {"run.py", "run-weights.safetensors"} <= written if out else "run-pytorch-weights.safetensors" in written
