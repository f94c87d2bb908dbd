"""What the page does with pictures, beside Python: centring, imagining, saliency, worked examples, damage."""

import numpy as np
import pytest

import digitlab.nn as nn
from contract.examples import LAYERS, batch, layer_network
from digitlab.data.photos.mark import pen_width
from digitlab.data.photos.mnist_form import cropped, mnist_form
from digitlab.data.synthetic.strokes import draw_digit, written_forms
from digitlab.nn.io.files import network_bytes
from digitlab.viz.ascent import logit_lead_gradient, variation_gradient
from digitlab.viz.imagine import linear_back
from digitlab.viz.inverse_query import inverse_query
from digitlab.viz.saliency import gradient_saliency, occlusion
from web.engine_page import Engine, encoded, stirred

pytestmark = [pytest.mark.web, pytest.mark.slow]
OPEN = "const network = (await import('/compare.js')).networkOf(file);"


@pytest.fixture(scope="module")
def engine(browser) -> Engine:
    return Engine(browser)


def dense_network(activation: str = "sigmoid", loss: str = "quadratic") -> nn.Network:
    return stirred(nn.mlp([784, 12, 10], activation=activation, loss=loss, dtype="float64"))


@pytest.mark.parametrize("height", [14, 60, 180, 400])
@pytest.mark.parametrize("width", [0.02, 0.05, 0.13])
def test_a_drawing_gets_mnists_form_as_in_python(engine, request, height, width):
    """Thin pens are widened, small drawings enlarged, large ones averaged: each way to the same bytes."""
    if height == 400 and not request.config.getoption("--long"):
        pytest.skip("the large drawings take seconds: --long")
    drawn = draw_digit(3, height, np.random.default_rng(height), width=width).astype(np.float32) / 255
    ink = np.pad(drawn, ((5, 9), (7, 3)))
    crop = cropped(ink, ink > 0.5)
    expected = mnist_form(crop, pen=pen_width(crop > 0.5))
    found = engine.run(
        "(m, ink, h, w) => { const d = m.centredDrawing(Float32Array.from(ink), h, w); return [d.pen, [...d.image]]; }",
        "digits.js",
        ink.ravel().tolist(),
        *ink.shape,
    )
    assert found[0] == pytest.approx(pen_width(crop > 0.5), abs=1e-6)
    assert np.abs(np.reshape(found[1], (28, 28)) - expected.astype(int)).max() <= 1


def test_the_examples_are_the_first_written_forms(engine):
    found = engine.run("async () => (await import('/js/examples.js')).FORMS", "digits.js")
    forms = [written_forms()[digit][0] for digit in range(10)]
    assert found == [[[list(point) for point in stroke] for stroke in form] for form in forms]


def test_an_empty_drawing_has_no_form(engine):
    assert engine.run("(m) => m.centredDrawing(new Float32Array(100), 10, 10)", "digits.js") is None


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softplus"])
@pytest.mark.parametrize("loss", ["quadratic", "log-likelihood", "mean-squared-error"])
def test_the_inversions_are_pythons(engine, activation, loss):
    network = dense_network(activation, loss)
    code = f"""async (m, file) => {{ {OPEN}
      return ["linearBack", "inverseQuery"].map((f) => [...[...m[f](network, 3)].at(-1).signal]); }}"""
    linear, inverse = engine.run(code, "imagine.js", encoded(network_bytes(network)))
    assert np.allclose(linear, linear_back(network, 3).ravel(), rtol=0, atol=1e-9)
    assert np.allclose(inverse, inverse_query(network, 3).ravel(), rtol=0, atol=1e-9)


def test_a_network_of_convolutions_says_why_it_has_no_inversion(engine):
    network = nn.Network([nn.Conv2D(2, 3), nn.Flatten(), nn.Dense(10)], (28, 28, 1))
    code = f"async (m, file) => {{ {OPEN} return m.whyNoChain(network); }}"
    assert "Conv2D(2, 3)" in engine.run(code, "imagine.js", encoded(network_bytes(network)))
    assert engine.run(code, "imagine.js", encoded(network_bytes(dense_network()))) == ""


def test_steps_of_the_ascent_are_pythons(engine):
    """Two steps from one picture: with the blur of the first, and without."""
    from scipy.ndimage import gaussian_filter

    network, start = dense_network(), np.random.default_rng(1).random((1, 28, 28))
    wanted, expected = np.eye(10)[[3]], start
    for step in range(2):
        gradient = logit_lead_gradient(network, expected, wanted)
        prior = 2 * 0.1 * expected + 0.03 * variation_gradient(expected)
        expected = expected + 0.1 * (1 - step / 2) * (gradient / np.abs(gradient).max() - prior)
        if step == 0:
            expected = gaussian_filter(expected, (0, 0.5, 0.5))
        expected = expected.clip(0, 1)
    code = f"""async (m, file, start) => {{ {OPEN}
      return [...[...m.ascend(network, 3, {{ steps: 2, start: Float64Array.from(start) }})].at(-1).picture]; }}"""
    found = engine.run(code, "imagine.js", encoded(network_bytes(network)), start.ravel().tolist())
    assert np.allclose(found, expected.ravel(), rtol=0, atol=1e-9)


def test_the_ascent_reaches_the_digit(engine):
    code = f"async (m, file) => {{ {OPEN} return [...m.ascend(network, 7)].map((s) => s.lead); }}"
    leads = engine.run(code, "imagine.js", encoded(network_bytes(dense_network())))
    assert len(leads) == 121
    assert leads[-1] > leads[0] + 1  # this network knows no 7, but the picture becomes one to it


def test_saliency_and_occlusion_are_pythons(engine):
    network = dense_network()
    image = np.random.default_rng(2).integers(0, 256, (28, 28)).astype(np.uint8)
    code = f"""async (m, file, bytes) => {{ {OPEN}
      const x = network.prepare(bytes);
      return [[...m.gradientSaliency(network, x, 3)], [...[...m.occlusion(network, x, 3)].at(-1).falls]]; }}"""
    saliency, falls = engine.run(code, "saliency.js", encoded(network_bytes(network)), image.ravel().tolist())
    expected = gradient_saliency(network, network.prepare(image.reshape(1, 784)), np.array([3]))
    assert np.allclose(saliency, expected.ravel(), rtol=0, atol=1e-9)
    assert np.allclose(falls, occlusion(network, image, 3).ravel(), rtol=0, atol=1e-6)


OPENED = [(layer, shape) for layer, shape in LAYERS if not layer.children() and type(layer).__name__ != "Combine"]


@pytest.mark.parametrize(("layer", "shape"), OPENED, ids=[f"{i}-{type(e[0]).__name__}" for i, e in enumerate(OPENED)])
def test_a_worked_example_gives_the_layers_number(engine, layer, shape):
    """Every number of the output follows from the terms, the bias and the parts that are shown."""
    network = stirred(layer_network(layer, shape))
    code = f"""async (m, file, x) => {{ {OPEN}
      const {{ steps }} = network.forward(network.batch(x));
      return Array.from(steps[0].y.data, (_, i) => m.worked(steps[0], i)); }}"""
    found = engine.run(code, "worked.js", encoded(network_bytes(network)), batch(shape)[0].ravel().tolist())
    y, _ = network.forward(batch(shape)[:1])
    assert len(found) == y.size
    for index, shown in enumerate(found):
        assert follows(**shown) == pytest.approx(y.ravel()[index], abs=1e-9)
        assert shown["y"] == pytest.approx(y.ravel()[index], abs=1e-9)


def follows(rule: str, terms: list, bias: float | None, parts: list, **others) -> float:
    """The number that the shown ones give by their rule."""
    products, named = [term["product"] for term in terms], dict(parts)
    match rule:
        case "sum" | "mean":
            return sum(products) + (bias or 0)
        case "largest":
            return max(products)
        case "γ x̂ + β":
            return named["γ"] * named["x̂ = (x − μ) / s"] + named["β"]
        case "gates":
            return parts[-1][1]
    assert rule in ("the same number", "f(x)")
    return products[0]


def test_the_largest_path_follows_the_weights(engine):
    """784 → 12 → 10 with one strong connection from pixel 400 over neuron 5 to output 2."""
    network = nn.mlp([784, 12, 10], activation="relu", init=nn.Constant(0.001), dtype="float64")
    network.layers[0].params["W"].value[400, 5] = network.layers[2].params["W"].value[5, 2] = 3.0
    code = f"""async (m, file) => {{ {OPEN}
      const {{ steps }} = network.forward(network.batch(new Float64Array(784).fill(0.5)));
      const {{ path, pixel }} = m.largestPath(steps, 2);
      return [path.map((p) => p.index), pixel]; }}"""
    assert engine.run(code, "saliency.js", encoded(network_bytes(network))) == [[2, 5, 5], 400]


def test_damage_to_a_network(engine):
    network = dense_network()
    code = f"""async (m, file, x) => {{ {OPEN}
      const out = (settings) => [...m.damagedNetwork(network, settings).forward(network.batch(x)).logits.data];
      const off = new Map([[1, [...Array(12).keys()]]]);
      return {{ whole: out({{}}), off: out({{ off }}), unbiased: out({{ biases: false }}), bits: out({{ bits: 24 }}),
               two: [...m.rounded([1, -0.4, 0.6, 0], 2)], one: [...m.rounded([1, -0.5, 0, 0.5], 1)] }}; }}"""
    x = np.random.default_rng(4).random(784)
    found = engine.run(code, "damage.js", encoded(network_bytes(network)), x.tolist())
    assert np.allclose(found["whole"], network.forward(x[None])[0])
    assert np.allclose(found["off"], network.layers[2].params["b"].value)  # only the biases are left
    assert np.allclose(found["bits"], found["whole"], atol=1e-3)
    assert found["two"] == [1, 0, 1, 0]
    assert found["one"] == [0.5, -0.5, 0, 0.5]
    for layer in (network.layers[0], network.layers[2]):
        layer.params["b"].value[:] = 0
    assert np.allclose(found["unbiased"], network.forward(x[None])[0])


def test_weights_of_one_bit_in_a_recurrent_layer(engine):
    network = stirred(nn.Network([nn.GRU(3), nn.Dense(10)], (4, 2), nn.LogLikelihood(), dtype="float64"))
    code = f"""async (m, file, x) => {{ {OPEN}
      return [...m.damagedNetwork(network, {{ bits: 1 }}).forward(network.batch(x)).logits.data]; }}"""
    x = batch((4, 2))[:1]
    found = engine.run(code, "damage.js", encoded(network_bytes(network)), x.ravel().tolist())
    for name, p in network.parameters().items():
        if name.endswith(("W", "U")):
            p.value = np.sign(p.value) * np.abs(p.value).mean()
    assert np.allclose(found, network.forward(x)[0], rtol=0, atol=1e-12)


def test_damage_to_an_image(engine):
    code = """(m) => {
      const image = Float32Array.from([0, 0, 0, 1, 0.5, 0, 0, 0, 0]);
      const at = (settings) => [...m.damagedImage(image, [3, 3], settings)].map((v) => Math.round(v * 1e6) / 1e6);
      return [at({ right: 1 }), at({ down: 1 }), at({ degrees: 90 }), at({ rows: 1 }), at({ noise: 0.1, seed: 3 })];
    }"""
    right, down, turned, rows, noisy = engine.run(code, "damage.js")
    assert right == [0, 0, 0, 0, 1, 0.5, 0, 0, 0]
    assert down == [0, 0, 0, 0, 0, 0, 1, 0.5, 0]
    assert turned == [0, 0, 0, 0, 0.5, 0, 0, 1, 0]  # counter-clockwise: left goes down
    assert rows == [0] * 9
    assert 0 <= min(noisy) <= max(noisy) <= 1
    assert noisy != [0, 0, 0, 1, 0.5, 0, 0, 0, 0]


def test_the_smallest_change_fools_the_network(engine):
    """For one linear layer the distance to the nearest plane is known: |z_k − z_c| / ‖w_k − w_c‖."""
    network = nn.Network([nn.Dense(3)], 4, nn.LogLikelihood(), dtype="float64", seed=4)
    x, weights = np.array([0.5, 0.45, 0.5, 0.55]), network.layers[0].params["W"].value
    network.layers[0].params["b"].value = np.array([0, 0.02, 0.1]) - x @ weights  # so that the planes are near
    z = network.forward(x[None])[0][0]
    best = z.argmax()
    distances = [abs(z[k] - z[best]) / np.linalg.norm(weights[:, k] - weights[:, best]) for k in range(3) if k != best]
    code = f"""async (m, file, x) => {{ {OPEN}
      const s = [...m.fool(network, x)];
      return [s.length, s.at(-1).seen, s.at(-1).length]; }}"""
    steps, seen, length = engine.run(code, "damage.js", encoded(network_bytes(network)), x.tolist())
    assert steps == 1
    assert seen != best
    assert length == pytest.approx(1.02 * min(distances), rel=0.01)
