"""The JavaScript engine of the page beside Python: every layer and loss, every network of the zoo."""

import inspect
from pathlib import Path

import numpy as np
import pytest

import digitlab.nn as nn
import digitlab.optim as optim
from contract.examples import LAYERS, LOSSES, batch, layer_network, public
from digitlab.nn.describe import choices, describe, members, required
from digitlab.nn.io.files import network_bytes
from digitlab.nn.zoo import ZOO, build_named
from web.engine_page import Engine, apart, encoded, stirred

pytestmark = [pytest.mark.web, pytest.mark.slow]
CLOSE = 1e-5  # of the largest number in a gradient; of the largest number, or of 1, in values


@pytest.fixture(scope="module")
def engine(browser) -> Engine:
    return Engine(browser)


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[f"{i}-{type(e[0]).__name__}" for i, e in enumerate(LAYERS)])
def test_a_layer_computes_what_python_computes(engine, layer, shape):
    network = stirred(layer_network(layer, shape))
    targets = np.random.default_rng(1).standard_normal((3, *network.shapes[-1]))
    far = apart(engine.compare(network, batch(shape), targets if layer.differentiable else None))
    assert {name: share for name, share in far.items() if share > 1e-12} == {}


@pytest.mark.parametrize(("layer", "shape"), [e for e in LAYERS if isinstance(e[0], nn.Dropout | nn.BatchNorm)])
def test_a_layer_trains_as_in_python(engine, layer, shape):
    """Dropout with the same mask, BatchNorm with the batch and its running values, wherever they are."""
    network = stirred(layer_network(layer, shape))
    targets = np.random.default_rng(1).standard_normal((3, *network.shapes[-1]))
    far = apart(engine.compare(network, batch(shape), targets if layer.differentiable else None, training=True))
    assert {name: share for name, share in far.items() if share > 1e-12} == {}


INSIDE = [
    nn.Branches([[nn.Dense(3), nn.Tanh(), nn.BatchNorm(), nn.Dropout(0.3)], [nn.Dropout(0.5, inverted=False)]]),
    nn.Residual([nn.Dense(4), nn.Dropout(0.25), nn.Tanh(), nn.Sequential([nn.BatchNorm(0.3)])]),
    nn.Subnetwork(nn.Network([nn.Dense(3), nn.Dropout(0.5), nn.Tanh(), nn.BatchNorm()], 4, "log-likelihood")),
    nn.Subnetwork(
        nn.Network([nn.Dense(3), nn.Dropout(0.5), nn.Tanh(), nn.BatchNorm()], 4, "log-likelihood"), frozen=True
    ),
]


@pytest.mark.parametrize("layer", INSIDE, ids=lambda layer: type(layer).__name__)
def test_dropout_and_batchnorm_inside_other_layers_train_as_in_python(engine, layer):
    network = stirred(nn.Network([layer, nn.Dropout(0.4), nn.Dense(3)], 4, nn.LogLikelihood(), dtype="float64"))
    far = apart(engine.compare(network, batch((4,)), np.array([0, 2, 1]), training=True))
    assert sum(name.startswith("buffer") for name in far) == sum(
        len(part.buffers) for _, part in network.named_layers()
    )
    assert {name: share for name, share in far.items() if share > 1e-12} == {}


@pytest.mark.parametrize("loss", LOSSES, ids=[f"{i}-{type(loss).__name__}" for i, loss in enumerate(LOSSES)])
def test_a_loss_computes_what_python_computes(engine, loss):
    network = nn.Network([nn.Dense(3)], 4, loss, dtype="float64")
    far = apart(engine.compare(network, batch((4,)), np.array([0, 2, 1])))
    assert {name: share for name, share in far.items() if share > 1e-12} == {}


def compare_zoo(engine: Engine, name: str, digits, size: int = 250) -> dict[str, float]:
    """The largest differences of values and gradients, in float32, and milliseconds an image.

    With ReLU a number within rounding of 0, and with max pooling two that are nearly the largest of a window, may fall
    on either side in float32, and the gradient jumps. Gradients of such networks, and the values of their inner layers,
    are compared in float64 on the first 100 images; their outputs in float32 on all.
    """
    network = stirred(build_named(name, seed=1), scale=0.03)  # some begin with a last layer of zeros
    images = digits.images if network.input_shape[-1:] != (3,) else np.repeat(digits.images[..., None], 3, axis=3)
    labels = np.asarray(digits.labels)
    kinks = any(isinstance(layer, nn.ReLU | nn.MaxPool2D) for layer in network.layers)
    results = []
    if kinks:
        exact = stirred(build_named(name, seed=1, dtype="float64"), scale=0.03)
        for start in range(0, min(len(images), 100), 50):
            part = slice(start, start + 50)
            results.append(engine.compare(exact, exact.prepare(images[part]), labels[part]))
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        targets = None if kinks else labels[part]
        results.append(engine.compare(network, network.prepare(images[part]), targets, outputs_only=kinks))
    gradients = [result["differences"]["grad x"][1] for result in results if "grad x" in result["differences"]]
    assert min(gradients) > 0, "a network whose neurons are all dead shows nothing"
    shares = [(key, share) for result in results for key, share in apart(result).items()]
    return {
        "values": max(share for key, share in shares if not key.startswith("grad")),
        "gradients": max(share for key, share in shares if key.startswith("grad")),
        "ms": sum(result["ms"] for result in results) / len(images),
    }


@pytest.mark.mnist
@pytest.mark.parametrize("name", ["chapter3", "conv-without-fc", "lenet5", "rows-lstm", "rashid", "best"])
def test_a_network_of_the_zoo_computes_what_python_computes(engine, mnist_splits, name):
    far = compare_zoo(engine, name, mnist_splits.test[:3])
    assert max(far["values"], far["gradients"]) < CLOSE, far


@pytest.mark.mnist
@pytest.mark.parametrize("name", ZOO)
def test_a_network_of_the_zoo_on_a_thousand_images(engine, mnist_splits, request, capsys, name):
    """Prints a row of the table in docs/play.md."""
    if not request.config.getoption("--long"):
        pytest.skip("takes minutes for all networks: give --long")
    far = compare_zoo(engine, name, mnist_splits.test[:1000])
    with capsys.disabled():
        print(f"\n| {name} | {far['values']:.1e} | {far['gradients']:.1e} | {far['ms']:.1f} |", flush=True)
    assert max(far["values"], far["gradients"]) < CLOSE, far


def test_every_class_is_there_with_pythons_formulas_file_and_settings(engine):
    """One home for each fact is Python's class; the page repeats it, and this test compares the two."""
    found = engine.run(
        """async (layers) => {
          const { LOSSES } = await import("/js/engine/losses.js");
          const facts = ([name, { python, formulas, defaults }]) => [
            name, { python, ...formulas, defaults: Object.entries(defaults) },
          ];
          return Object.fromEntries([...Object.entries(layers.LAYERS), ...Object.entries(LOSSES)].map(facts));
        }""",
        "layers/index.js",
    )
    classes = {cls.__name__: cls for family in (nn.Layer, nn.Loss) for cls in public(family)}
    assert found.keys() == classes.keys()
    for name, cls in classes.items():
        assert Path(inspect.getfile(cls)).as_posix().endswith(found[name]["python"]), name
        assert found[name]["forward"] == cls.formulas.forward, name
        assert found[name]["backward"] == cls.formulas.backward, name
        fields = {f.name: f for f in choices(cls)}
        for key, value in found[name]["defaults"]:
            if not required(fields[key]) and key not in ("biases", "layers"):  # initializers, and an empty list
                assert value == describe(fields[key].default), (name, key)


@pytest.mark.parametrize("optimizer", members(optim.Optimizer), ids=lambda cls: cls.__name__)
def test_an_optimizer_steps_as_in_python(engine, optimizer):
    rng = np.random.default_rng(3)
    value, gradients = rng.standard_normal(4), rng.standard_normal((3, 4))
    chosen = optimizer()
    stepped, state = value, chosen.init_state(value)
    for gradient in gradients:
        stepped, state = chosen.update(stepped, gradient, state, 0.1)
    found = engine.run(
        """(m, name, value, gradients) => {
          const optimizer = new m.OPTIMIZERS[name]();
          let state = optimizer.initState(value);
          for (const g of gradients) [value, state] = optimizer.update(value, g, state, 0.1);
          return value;
        }""",
        "optimizers.js",
        optimizer.__name__,
        value.tolist(),
        gradients.tolist(),
    )
    assert np.allclose(found, stepped, rtol=0, atol=1e-12)


def test_a_training_step_is_pythons(engine):
    network = stirred(nn.Network([nn.Dense(3), nn.Tanh(), nn.Dense(2)], 4, nn.LogLikelihood(), dtype="float64"))
    x, adam = batch((4,)), optim.Adam()
    states = {name: adam.init_state(p.value) for name, p in network.parameters().items()}
    file = encoded(network_bytes(network))
    for _ in range(2):
        network.gradient(x, np.array([0, 1, 1]))
        for name, p in network.parameters().items():
            p.value, states[name] = adam.update(p.value, p.grad, states[name], 0.01)
    found = engine.run(
        """async (m, file, x) => {
          const network = (await import("/compare.js")).networkOf(file);
          const [states, optimizer] = [new Map(), new m.OPTIMIZERS.Adam()];
          for (let i = 0; i < 2; i++) {
            network.gradient(network.batch(x), [0, 1, 1]);
            m.trainingStep(network, optimizer, states, 0.01);
          }
          const values = [...network.parameters()].map(([name, { layer, key }]) => [name, [...layer.params[key].data]]);
          return Object.fromEntries(values);
        }""",
        "optimizers.js",
        file,
        x.ravel().tolist(),
    )
    assert found.keys() == network.parameters().keys()
    for name, p in network.parameters().items():
        assert np.allclose(found[name], p.value.ravel(), rtol=0, atol=1e-12), name


WHOLE = network_bytes(nn.Network([nn.Dense(2)], 3))
DAMAGED = {
    "empty": (b"", "it has 0 bytes"),
    "cut": (WHOLE[:-4], "does not fit"),
    "longer": (WHOLE + b"\0\0", "2 bytes belong to no array"),
    "header-length": (b"\xff" * 8 + WHOLE[8:], "header is longer than the file"),
    "no-json": (WHOLE[:8] + b"?" + WHOLE[9:], "header is not JSON"),
    "type": (WHOLE.replace(b'"F32"', b'"I64"', 1), "not F32"),
    "shape": (WHOLE.replace(b"[2]", b"[9]", 1), "does not fit"),
    "name": (WHOLE.replace(b"0.b", b"7.b", 1), "missing 0.b"),
    "layer": (WHOLE.replace(b"Dense", b"Fence", 1), "no layer Fence"),
}


@pytest.mark.parametrize(("data", "said"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_with_a_reason(engine, data, said):
    found = engine.run(
        """(m, file) => {
          const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0)).buffer;
          try { m.readNetwork(bytes); } catch (error) { return error.message; }
          return "read";
        }""",
        "network.js",
        encoded(data),
    )
    assert said in found


def test_float16_weights_are_read(engine):
    from safetensors.numpy import save

    numbers = np.array([0, 1, -2.5, 6e-8, 65504, np.inf], np.float16)
    found = engine.run(
        """(m, file) => {
          const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0)).buffer;
          return [...m.readSafetensors(bytes).tensors.a.data].map(String);
        }""",
        "safetensors.js",
        encoded(save({"a": numbers})),
    )
    assert [float(text) for text in found] == [float(n) for n in numbers]


def test_the_probability_of_no_class_is_that_of_judge(engine):
    from digitlab.judging import judge

    network = stirred(nn.Network([nn.Dense(3)], 4, nn.LogLikelihood(), open_set=True))
    images = np.random.default_rng(0).integers(0, 256, (3, 4)).astype(np.uint8)
    found = engine.run(
        """async (m, file, images, closed) => {
          const { networkOf } = await import("/compare.js");
          const network = networkOf(file);
          const none = images.map((bytes) => network.ofNoClass(network.forward(network.prepare(bytes)).logits.data));
          return [none, networkOf(closed).ofNoClass([0, 0])];
        }""",
        "network.js",
        encoded(network_bytes(network)),
        images.tolist(),
        encoded(WHOLE),
    )
    assert found[0] == pytest.approx(judge(network, images).not_digit, rel=1e-5)
    assert found[1] is None
