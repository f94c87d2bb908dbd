"""A safetensors file costs no more than its size warrants, names no other file, and is refused in one line.

The descriptions that took a minute, or all memory, when they were read; and tensors of every type of the format.
"""

import json
import struct
import tomllib

import numpy as np
import pytest
import tomli_w
from safetensors.numpy import save_file

from digitlab.cli import run
from digitlab.data import load
from digitlab.errors import DigitlabError, ModelFileError
from digitlab.nn import Dense, Network, load_network, mlp
from digitlab.train import RunConfig, start_run

DENSE = {"type": "Dense", "out_features": 2}


def network(*layers, shape=(3,)):
    return {"input_shape": list(shape), "loss": {"type": "Quadratic"}, "layers": list(layers)}


def nested(depth):
    inner = network(DENSE)
    for _ in range(depth):
        inner = network({"type": "Subnetwork", "network": inner})
    return inner


def contained(depth):
    """As text: Python's JSON encoder would need as many frames on the stack."""
    begin, end = '{"type": "Sequential", "layers": [', "]}"
    return json.dumps(network("INSIDE")).replace('"INSIDE"', begin * depth + json.dumps(DENSE) + end * depth)


HOSTILE = {
    "networks inside each other": nested(25),
    "few networks inside each other": nested(8),
    "layers inside each other": contained(400),
    "many layers": network(*[{"type": "ReLU"}] * 6_000),
    "many layers that are allowed": network(*[{"type": "ReLU"}] * 500),
    "wide": network({"type": "Dense", "out_features": 2**24}),
    "wider than numbers go": network({"type": "Dense", "out_features": 10**400}),
    "wide in total": network(*[{"type": "Dense", "out_features": 3000}] * 9),
    "wide normalization": network({"type": "BatchNorm"}, shape=(2**24,)),
    "large inputs": network({"type": "Slice", "rows": [0, 2]}, shape=(2**20, 2**20)),
    "many slices": network(
        {"type": "Branches", "branches": [[{"type": "Slice", "rows": [0, 9]}]] * 99}, shape=(4096, 4096)
    ),
    "many classes": network({"type": "Combine", "sizes": [3], "classes": 2 * 10**9}),
    "many classes that are allowed": network({"type": "Combine", "sizes": [2**24] * 99, "classes": 2**24}),
    "many neurons": network({"type": "PerNeuron", "activations": ["relu"], "neurons": [[[0, 2**24]]]}),
    "a path": network({"type": "Subnetwork", "network": "other.safetensors"}),
    "a path, and an activation at the end": {
        **network({"type": "Subnetwork", "network": "other.safetensors"}),
        "allow_output_activation": True,
    },
    "a path as text": network("subnetwork:other.safetensors"),
    "a path in a branch": network({"type": "Branches", "branches": [["Sub-Network:network=other.safetensors"]]}),
    "no tables": network(1, None, [], "?", {"type": 3}, {"type": "Dense", "out_features": [[]]}),
    "a table of odd things": {"input_shape": {"a": 1}, "layers": {"b": 2}, "loss": 5, "scaling": [[]], "dtype": 7},
    "no biases": network({"type": "Dense", "out_features": 2, "biases": {}}),
    "a frozen number": {**network(DENSE), "frozen": 5},
    "frozen deep": {**network(DENSE), "frozen": {"0.W": [[[[[[1]]]]]]}},
    "class names": None,
}


def write(path, description, arrays, **more):
    described = description if isinstance(description, str) else json.dumps(description)
    rest = json.dumps({"format": 1, **more})
    save_file(arrays, path, metadata={"digitlab": f'{{"network": {described}, {rest[1:]}'})


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_description_is_refused_soon(name, tmp_path, monkeypatch, quick, attempts):
    monkeypatch.chdir(tmp_path)
    mlp([3, 2], seed=1).save("other.safetensors")
    write("it.safetensors", HOSTILE[name], {"0.W": np.zeros((3, 2), "f4")}, class_names=[{}])
    with quick(), pytest.raises(ModelFileError, match=r"it\.safetensors"):
        load_network("it.safetensors")
    attempts.count()


@pytest.mark.parametrize("name", ["a path", "a path, and an activation at the end", "a path as text"])
def test_a_runs_settings_name_no_other_file(name, tmp_path, attempts):
    mlp([3, 2], seed=1).save(tmp_path / "other.safetensors")
    description = json.loads(json.dumps(HOSTILE[name]).replace("other.", f"{tmp_path}/other."))
    (tmp_path / "config.json").write_text(json.dumps({"network": description}))
    RunConfig.load(tmp_path / "config.json")  # settings that a user writes may
    with pytest.raises(ValueError, match="another file"):
        RunConfig.load(tmp_path / "config.json", run=True)


def run_of_a_stranger(folder, description):
    """The folder of a run whose settings name another file as a layer, beside a sound network."""
    start_run(RunConfig(network=mlp([64, 10]), data={"source": "digits"}, epochs=1, engine="reference"), folder).fit(
        load("digits").train.first(20), epochs=1
    )
    config = folder / "config.toml"
    table = tomllib.loads(config.read_text(encoding="utf-8"))
    config.write_text(tomli_w.dumps({**table, "network": {**description, "input_shape": [64]}}), encoding="utf-8")


COMMANDS = ["runs", "info", "watch", "compare", "explain", "doctor", "train --resume --run", "test", "look", "ensemble"]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["a path", "a path as text"])
def test_no_command_opens_what_a_runs_settings_name(name, command, tmp_path, monkeypatch, capsys, attempts):
    if not attempts.long and command not in ("compare", "watch"):
        pytest.skip("the other commands: with --long")
    monkeypatch.chdir(tmp_path)
    run_of_a_stranger(tmp_path / "it", HOSTILE[name])
    opened = []
    monkeypatch.setattr("digitlab.nn.subnetwork.load_network", lambda path: opened.append(path) or mlp([64, 10]))
    run([*command.split(), "it"])
    assert not opened, capsys.readouterr()
    attempts.count()


def test_a_page_names_no_file(tmp_path, attempts):
    from digitlab.web.plans import network_table

    mlp([4, 3], seed=1).save(tmp_path / "other.safetensors")
    with pytest.raises(DigitlabError, match="names another file"):
        network_table({"activation": f"subnetwork:network={tmp_path}/other.safetensors", "layers": []}, (4,), 3)
    attempts.count()


def test_a_study_names_no_file(attempts):
    from digitlab.search.study import stored_plan

    for name in ("a path", "a path as text", "a path in a branch"):
        with pytest.raises(DigitlabError, match="names another file"):
            stored_plan({"base": {"network": HOSTILE[name]}, "space": {"batch_size": {"choice": [1, 2]}}})
        attempts.count()


def test_honest_ones_still_load(tmp_path):
    from digitlab.nn import Branches, Combine, PerNeuron, Slice, Subnetwork

    inner = mlp([6, 3], seed=2)
    whole = Network(
        [
            Branches([[Slice(indices=[0, 1, 2, 3, 4, 5]), Subnetwork(inner, outputs="activations")] for _ in range(3)]),
            Combine([3, 3, 3], 3),
            PerNeuron(["relu", "linear"], [[0], [1, 2]]),
            Dense(2),
        ],
        6,
        seed=1,
    )
    outer = Network([Subnetwork(Network([Subnetwork(whole)], 6))], 6)
    outer.save(tmp_path / "it.safetensors")
    again = load_network(tmp_path / "it.safetensors")
    x = np.random.default_rng(0).random((4, 6), "f4")
    np.testing.assert_array_equal(again.predict(x), outer.predict(x))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(value, tmp_path, attempts):
    net = mlp([3, 2], seed=1)
    net.layers[0].params["W"].value[1, 1] = value
    net.save(tmp_path / "it.safetensors")
    with pytest.raises(ModelFileError, match=r"0\.W contains NaN or infinity"):
        load_network(tmp_path / "it.safetensors")


@pytest.mark.parametrize("dtype", ["F16", "I64", "BOOL", "U8", "BF16", "F8_E4M3", "F8_E5M2", "F4", "F32x"])
def test_tensors_of_every_type(dtype, tmp_path, attempts):
    size = {"BF16": 2, "F16": 2, "I64": 8}.get(dtype, 1)
    text = json.dumps({"format": 1, "network": network(DENSE)})
    header = json.dumps(
        {
            "__metadata__": {"digitlab": text},
            "0.W": {"dtype": dtype, "shape": [3, 2], "data_offsets": [0, 6 * size]},
            "0.b": {"dtype": dtype, "shape": [2], "data_offsets": [6 * size, 8 * size]},
        }
    ).encode()
    (tmp_path / "it.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\1" * 8 * size)
    try:
        W = load_network(tmp_path / "it.safetensors").parameters()["0.W"].value
    except ModelFileError as error:
        assert "it.safetensors" in str(error) and dtype not in ("F16", "I64", "BOOL", "U8")
    else:  # NumPy's own types, and bfloat16 where a library taught it to NumPy
        assert W.dtype == np.float32 and np.isfinite(W).all() and dtype not in ("F4", "F32x")
    attempts.count()
