"""What single experiments compute, by hand or against the books' own formulas."""

import numpy as np
import pytest

from digitlab.books.animation import TurningSurface
from digitlab.books.chapters import first_steps, nielsen3, nielsen5, nielsen6, rashid
from digitlab.books.chapters.nielsen1 import darkness
from digitlab.books.experiment import Result, Variant
from digitlab.nn import Dense, Network, Quadratic, Sigmoid, mlp
from digitlab.nn.io.building import build_network
from digitlab.nn.io.description import describe_network
from digitlab.viz.inverse_query import inverse_query


def test_the_single_neuron_by_its_closed_formulas():
    """a = σ(w + b); quadratic: ∂C/∂z = a·a(1 − a); cross-entropy: ∂C/∂z = a; both w and b take a step of η ∂C/∂z."""
    curves = nielsen3.neuron({"epochs": 300})["curves"]
    for label, (loss, w, b, rate) in nielsen3.NEURONS.items():
        z, outputs = w + b, []
        for _ in range(301):
            a = 1 / (1 + np.exp(-z))
            outputs.append(a)
            z -= 2 * rate * (a * a * (1 - a) if loss is Quadratic else a)
        np.testing.assert_allclose(curves[label], outputs, rtol=1e-12)
    assert round(curves["quadratic, w .6, b .9"][0], 2) == 0.82
    assert round(curves["quadratic, w .6, b .9"][-1], 2) == 0.09
    hard = curves["quadratic, w 2, b 2"]
    assert round(hard[0], 2) == 0.98 and hard[150] > 0.85 > 0.5 > hard[-1]  # flat for about 150 epochs
    assert curves["cross-entropy, η .15, w 2, b 2"][50] < 0.2  # where the error is large it learns fast


def test_backquery_as_the_notebook_has_it():
    net = build_network(describe_network(rashid.rashid_network(20)), seed=1)
    wih, who = (p.value.T.astype(float) for p in net.parameters().values())
    logit = lambda p: np.log(p / (1 - p))  # noqa: E731
    targets = np.full(10, 0.01)
    targets[3] = 0.99
    hidden = who.T @ logit(targets)
    hidden = (hidden - hidden.min()) / (hidden - hidden.min()).max() * 0.98 + 0.01
    inputs = wih.T @ logit(hidden)
    inputs = (inputs - inputs.min()) / (inputs - inputs.min()).max() * 0.98 + 0.01
    np.testing.assert_allclose(inverse_query(net, 3), inputs.reshape(28, 28), rtol=1e-6)


def test_rashids_network_is_the_zoos():
    from digitlab.nn import build_named

    mine, theirs = describe_network(rashid.rashid_network(200)), describe_network(build_named("rashid"))
    assert mine["input_shape"] == theirs["input_shape"]
    assert (mine["loss"], mine["scaling"], mine["layers"]) == (theirs["loss"], theirs["scaling"], theirs["layers"])


def test_own_images_are_ten_dark_digits_on_white():
    images = rashid.own_images()
    assert images.shape == (10, 28, 28) and images.dtype == np.uint8
    assert (np.median(images, axis=(1, 2)) == 255).all() and (images.min(axis=(1, 2)) < 60).all()
    assert len({image.tobytes() for image in images}) == 10


def test_gradient_norms_are_of_the_mean_gradient_by_the_biases():
    given = {"data": {"source": "digits", "train_size": 50}, "depth": 2, "epochs": 2, "seed": 5}
    norms = nielsen5.gradient_norms(given)["norms"]
    from digitlab.books.data import Data

    train = Data("digits", train_size=50).load().train
    net = mlp([784, 30, 30, 10], loss="cross-entropy", init="scaled", scaling="/256", seed=5)
    per_example = dict.fromkeys(("0.b", "2.b"), 0.0)
    for image, label in train:
        net.gradient(image[None], np.array([label]))
        for name in per_example:
            per_example[name] = per_example[name] + net.parameters()[name].grad / 50
    assert [values[0] for values in norms] == pytest.approx([np.linalg.norm(g) for g in per_example.values()], rel=1e-4)
    assert norms[0][1] != norms[0][0]


def test_darkness_guesses_the_nearest_mean():
    found = darkness({"name": "darkness", "data": {"source": "digits"}})
    assert 0.1 < found["test"] < 0.5
    assert len(found["darkness"]) == 10 and found["darkness"][1] > 0


def test_network3_as_written_draws_as_the_book_and_corrected_as_one_does():
    kernels = {}
    for written in (True, False):
        net = build_network(
            describe_network(nielsen6.network3((20, 40), (100,), relu=True, as_written=written)), seed=0
        )
        kernels[written] = net
    first, second = (kernels[True].layers[i].params["W"].value for i in (0, 3))
    assert first.std() == pytest.approx(np.sqrt(4 / (20 * 25)), rel=0.1)
    assert second.std() == pytest.approx(np.sqrt(4 / (40 * 25)), rel=0.05)
    dense = [layer for layer in kernels[True].layers if isinstance(layer, Dense)]
    assert dense[0].params["W"].value.std() == pytest.approx(1 / np.sqrt(100), rel=0.02)
    assert not dense[-1].params["W"].value.any()  # softmax from zeros
    assert kernels[True].layers[0].params["b"].value.std() > 0.5
    assert kernels[False].layers[3].params["W"].value.std() == pytest.approx(np.sqrt(2 / (20 * 25)), rel=0.05)
    assert not kernels[False].layers[0].params["b"].value.any()


def test_dropout_is_on_every_dense_layers_inputs():
    net = nielsen6.network3((20, 40), (1000, 1000), relu=True, as_written=True, dropout=0.5)
    kinds = [type(layer).__name__ for layer in net.layers]
    assert [kinds[i - 1] for i, kind in enumerate(kinds) if kind == "Dense"] == ["Dropout"] * 3
    assert net.shapes[-1] == (10,) and (640,) in net.shapes


@pytest.mark.slow
def test_the_surface_turns_once(tmp_path):
    from PIL import Image

    surface = TurningSurface([1, 2, 3], [0.1, 0.2], np.arange(6).reshape(2, 3), ("a", "b", "c"), "title", frames=4)
    axes = surface.figure()[1]
    (best,) = axes.get_lines()
    assert best.get_color() == "black" and [float(v[0]) for v in best.get_data_3d()] == [3, 0.2, 5]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["best: 5.00 at 3 a, b 0.2"]
    names = surface.save(tmp_path / "surface")
    assert names[:2] == ["surface.png", "surface.gif"]
    with Image.open(tmp_path / "surface.gif") as gif:
        frames = []
        for i in range(gif.n_frames):
            gif.seek(i)
            frames.append(np.asarray(gif.convert("RGB")).tobytes())
        assert gif.n_frames == 4 and len(set(frames)) == 4
        assert gif.info["duration"] in (30, 33, 34)


def test_the_surface_is_of_the_mean_over_seeds_and_whole_in_full():
    results = [Result(series={"surface": np.full((8, 15), float(v)).tolist()}) for v in (90, 94)]
    (turning,) = first_steps._grid_draw(results, Variant()).values()
    assert np.asarray(turning.z).tolist() == np.full((8, 15), 92.0).tolist()
    assert (turning.frames, first_steps._grid_draw(results, Variant("quick"))["surface"].frames) == (360, 12)


def test_the_rule_differs_by_more_than_rounding():
    found = rashid.rule({"seed": 0})
    assert found["passed"] == {"Backpropagation": True, "RashidRule": False}
    assert 0 < found["cosine"] < 1 and found["relative_error"] > 0.5


def test_a_network_without_sigmoid_between_is_no_rashid_network():
    net = Network([Dense(3), Sigmoid(), Dense(2)], 4, Quadratic())
    from digitlab.gradients import RashidRule

    assert RashidRule().unsupported_reason(net) is None
