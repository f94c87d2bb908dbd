"""Looking inside: weights, activity, saliency, dead neurons, gradients, maps and the loss around a solution."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA

from digitlab.errors import ConfigError, ShapeError
from digitlab.gradients import SPSA, Backpropagation, CentralDifferences
from digitlab.nn import Conv2D, Dense, Flatten, Given, LogLikelihood, MaxPool2D, Network, ReLU, Sigmoid, Tanh, mlp
from digitlab.train import evaluate
from digitlab.train.recorders import gradient_norms
from digitlab.viz.activity import activities, activities_figure, as_strip, maps_figure
from digitlab.viz.drawing import network_figure, neuron_heights, stages
from digitlab.viz.embedding import embed, last_hidden, map_figure
from digitlab.viz.figures import new_figure, save_figure
from digitlab.viz.gradients import gradients_figure, norms_figure, write_apart
from digitlab.viz.look import WHAT, Subject
from digitlab.viz.neurons import Health, health, health_figure
from digitlab.viz.saliency import gradient_saliency, occlusion, saliency_figure
from digitlab.viz.surface import Surface, filter_normalized, loss_surface, surface_figure
from digitlab.viz.weights import filters_figure, weights_figure

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 8, 8)).astype(np.uint8)
LABELS = RNG.integers(0, 3, 40)


def conv(seed=0, dtype="float32"):
    layers = [Conv2D(4, 3), Tanh(), MaxPool2D(2), Flatten(), Dense(6), ReLU(), Dense(3)]
    return Network(layers, (8, 8, 1), LogLikelihood(), seed=seed, dtype=dtype)


# Weights


def tiles(figure):
    """The images of a figure of tiles, by the text above each."""
    axes = figure.axes[0]
    assert len(figure.axes) == 2, "the axes of all tiles, and the colour bar"
    above = {}
    for image in axes.get_images():
        left, right, _, top = image.get_extent()
        x, y = (left + right) / 2, top
        (text,) = (t for t in axes.texts if abs(t.get_position()[0] - x) < 1e-6 and 0 < y - t.get_position()[1] < 0.1)
        above[text.get_text()] = image
    return above


def test_weights_are_shown_as_they_are():
    W = np.arange(12.0).reshape(4, 3)
    figure = weights_figure(W, (2, 2))
    shown = tiles(figure)
    assert list(shown) == ["neuron 0", "neuron 1", "neuron 2"]
    assert_array_equal([image.get_array().ravel() for image in shown.values()], W.T)
    assert {image.get_clim() for image in shown.values()} == {(-11.0, 11.0)}, "one scale, 0 in the middle"
    few = weights_figure(W, (2, 2), limit=2)
    assert list(tiles(few)) == ["neuron 1", "neuron 2"]
    assert "2 with the longest" in few.get_suptitle()


def test_filters_by_channel():
    W = RNG.normal(size=(3, 3, 2, 5))
    figure = filters_figure(W)
    titles = tiles(figure)
    assert len(titles) == 10
    assert_array_equal(titles["1 → 4"].get_array(), W[:, :, 1, 4])
    (_, right, bottom, _), (left, _, _, top) = (titles[name].get_extent() for name in ("0 → 0", "1 → 0"))
    assert left < right < 1 and bottom < top, "a row per channel, a column per filter"
    one = filters_figure(W[:, :, :1])
    assert list(tiles(one))[-1] == "filter 4"
    assert "first 12 of 20 channels" in filters_figure(np.zeros((1, 1, 20, 2))).get_suptitle()


# Activity


def test_activities_are_the_forward_pass():
    net = conv()
    steps = activities(net, IMAGES[:2])
    assert [step.values.shape[1:] for step in steps] == [*net.shapes, (3,)]
    assert_allclose(steps[-2].values, net.forward(IMAGES[:2])[0])
    assert_allclose(steps[-1].values, net.predict(IMAGES[:2]))
    figure = activities_figure(steps)
    assert len(figure.subfigs) == len(steps)
    assert "8×8×1, from 0" in figure.subfigs[0].get_suptitle()
    assert_allclose(figure.subfigs[1].axes[2].get_images()[0].get_array(), steps[1].values[0, :, :, 2])
    maps = maps_figure(steps[1])
    assert list(tiles(maps)) == ["map 0", "map 1", "map 2", "map 3"]
    assert as_strip(np.zeros(64)).shape == (8, 8)
    assert as_strip(np.zeros(30)).shape == (1, 30)
    assert as_strip(np.zeros((5, 2, 3))).shape == (5, 6)


# Saliency


def test_gradient_saliency_is_torchs():
    torch = pytest.importorskip("torch")
    net = conv(dtype="float64")
    x, classes = RNG.random((3, 8, 8)), np.array([2, 0, 1])
    found = gradient_saliency(net, x, classes)
    p = {name: torch.tensor(q.value) for name, q in net.parameters().items()}
    t = torch.tensor(x[:, None], requires_grad=True)  # torch: channels first
    y = torch.tanh(torch.nn.functional.conv2d(t, p["0.W"].permute(3, 2, 0, 1), p["0.b"]))
    y = torch.nn.functional.max_pool2d(y, 2).permute(0, 2, 3, 1).reshape(3, -1)
    logits = torch.relu(y @ p["4.W"] + p["4.b"]) @ p["6.W"] + p["6.b"]
    logits[range(3), classes].sum().backward()
    assert_allclose(found, t.grad[:, 0].numpy(), rtol=1e-9, atol=1e-12)


def test_gradient_saliency_is_the_central_difference():
    net = mlp([64, 5, 3], dtype="float64")
    x, step = RNG.random((1, 8, 8)), 1e-6
    found = gradient_saliency(net, x, np.array([1]))
    for i, j in [(0, 0), (3, 4), (7, 7)]:
        shift = np.zeros_like(x)
        shift[0, i, j] = step
        up, down = (net.forward(x + s)[0][0, 1] for s in (shift, -shift))
        assert found[0, i, j] == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_occlusion_by_hand():
    # The output is the pixel in the middle of a 3×3 picture, over 255: only a patch over it takes it away.
    W = np.zeros((9, 2))
    W[4, 0] = 1.0
    from digitlab.nn import MeanSquaredError

    net = Network([Dense(2, Given(W.tolist()), None)], 9, MeanSquaredError())
    image = np.full((3, 3), 51, np.uint8)
    assert_allclose(occlusion(net, image, 0, size=1), [[0, 0, 0], [0, 0.2, 0], [0, 0, 0]], atol=1e-7)
    assert_allclose(occlusion(net, image, 0, size=3), np.full((3, 3), 0.2), atol=1e-7)
    assert_allclose(occlusion(net, image, 0, size=1, fill=255)[1, 1], -0.8, atol=1e-7)
    assert image.min() == 51, "the image itself is left alone"
    with pytest.raises(ConfigError, match="size: got 4, expected an odd number"):
        occlusion(net, image, 0, size=4)


def test_saliency_side_by_side():
    figure = saliency_figure(IMAGES[:2], RNG.normal(size=(2, 8, 8)), RNG.random((2, 8, 8)), ["a", "b"])
    assert [axes.get_title() for axes in figure.axes if axes.get_images()][::3] == ["a", "b"]


# Neurons


def test_dead_and_saturated_neurons_by_hand():
    # x is 0 or 1. ReLU neurons: x (alive), −x (dead), x − 2 (dead).
    x = np.array([[0.0], [1.0], [1.0]], np.float32)
    relu = Network([Dense(3, Given([[1.0, -1.0, 1.0]]), Given([0.0, 0.0, -2.0])), ReLU(), Dense(2)], 1)
    assert health(relu, x) == [Health("1: ReLU()", 3, 2, 0)]
    # Sigmoids: of x (alive), of 10 + x (saturated), of 0 (always the same: dead), of 20 x − 10 (at both ends),
    # of 30 (at an end, and always the same: dead, not saturated as well).
    sigmoid = Network(
        [Dense(5, Given([[1.0, 1.0, 0.0, 20.0, 0.0]]), Given([0.0, 10.0, 0.0, -10.0, 30.0])), Sigmoid()], 1, "mse"
    )
    assert health(sigmoid, x) == [Health("1: Sigmoid()", 5, 2, 2)]
    half = health(sigmoid, np.array([[0.0], [0.5]], np.float32))
    assert half == [Health("1: Sigmoid()", 5, 2, 1)], "at an end for half of the images only"


def test_a_channel_is_a_neuron_and_bars_hold_the_counts():
    (tanh, relu) = health(conv(), IMAGES)
    assert (tanh.name, tanh.neurons) == ("1: Tanh()", 4)
    assert relu.neurons == 6
    figure = health_figure([Health("a", 10, 2, 3)])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["5", "3", "2"]
    assert [bar.get_width() for bar in axes.patches] == [50, 30, 20]


# Gradients


def test_gradient_norms_over_epochs_and_of_one_moment():
    rows = [{"epoch": 0, "0.W": 1.0, "0.b": 0.5}, {"epoch": 1, "0.W": 0.1, "0.b": 0.0}]
    (axes,) = norms_figure(rows).axes
    assert [line.get_label() for line in axes.get_lines()] == ["0.W", "0.b"]
    assert_allclose(axes.get_lines()[0].get_ydata(), [1, 0.1])
    assert np.isnan(axes.get_lines()[1].get_ydata()[1]), "a logarithmic axis has no 0"
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.texts] == ["0.W", "0.b"] and axes.get_legend() is None
    (axes,) = norms_figure(rows[:1]).axes
    assert [line.get_ydata()[0] for line in axes.get_lines()] == [1, 0.5], "a logarithmic axis has no bars from 0"


def test_gradient_methods_differ_by_mark_and_not_by_colour_alone():
    rows = [
        SimpleNamespace(way=way, refusal=None, seconds=s, relative_error=e, evaluations=3)
        for way, s, e in ((Backpropagation(), 1e-3, 0.0), (CentralDifferences(), 1e-1, 1e-8), (SPSA(), 1e-3, math.inf))
    ]
    figure = gradients_figure(rows, title="x")
    lines = figure.axes[0].get_lines()
    assert len({line.get_marker() for line in lines}) == len({line.get_color() for line in lines}) == 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:2] == ["exact but for rounding", "approximation"]
    assert figure.axes[0].get_legend() is None


def test_labels_of_neighbours_do_not_cover_each_other():
    figure = new_figure(6, 4)
    axes = figure.add_subplot()
    places = [(1.0, 1.0), (1.1, 1.05), (1.0, 1.1), (5.0, 5.0)]
    axes.plot(*zip(*places), "o")
    write_apart(axes, {place: f"a long label {i}\nand more" for i, place in enumerate(places)})
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 4
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_gradient_norms_are_those_of_the_network():
    net = conv()
    found = gradient_norms(net, IMAGES, LABELS)
    assert net.parameters()["0.W"].grad is None, "the network itself is left alone"
    net.gradient(IMAGES, LABELS)
    assert found == pytest.approx(
        {name: np.sqrt((p.grad.astype(float) ** 2).sum()) for name, p in net.parameters().items()}
    )


# Maps of the hidden layer


def test_the_last_hidden_layer_and_its_maps():
    net = conv()
    features = last_hidden(net, IMAGES)
    assert_allclose(features, activities(net, IMAGES)[6].values, err_msg="what goes into layer 6")
    assert_allclose(np.abs(embed(features, "pca")), np.abs(PCA(2).fit_transform(features)), atol=1e-4)
    flat = embed(features, "tsne", seed=3)
    assert flat.shape == (40, 2)
    assert_array_equal(flat, embed(features, "tsne", seed=3), "a seed fixes it")
    with pytest.raises(ShapeError, match="needs a hidden layer"):
        last_hidden(mlp([64, 3]), IMAGES)
    figure = map_figure({"PCA": flat}, LABELS, ("0", "1", "2"))
    assert sum(len(points.get_offsets()) for points in figure.axes[0].collections) == 40


# The surface


def test_directions_are_as_long_as_the_filters():
    net = conv()
    direction = filter_normalized(net, np.random.default_rng(1))
    for name, p in net.parameters().items():
        d = direction[name]
        if p.value.ndim == 1:
            assert not d.any(), "biases stay"
            continue
        axes = tuple(range(d.ndim - 1))
        assert_allclose(np.sqrt((d**2).sum(axis=axes)), np.sqrt((p.value**2).sum(axis=axes)), rtol=1e-5)


def test_the_surface_is_the_loss_at_shifted_weights():
    net = mlp([64, 4, 3], seed=2)
    before = {name: array.copy() for name, array in net.state().items()}
    told = []
    found = loss_surface(
        net, IMAGES, LABELS, np.random.default_rng(7), size=3, reach=0.5, progress=lambda *now: told.append(now)
    )
    assert found.losses[1, 1] == pytest.approx(evaluate(net, IMAGES, LABELS).loss, rel=1e-6)
    rng = np.random.default_rng(7)
    first, second = filter_normalized(net, rng), filter_normalized(net, rng)
    moved = net.copy()
    for name, p in moved.parameters().items():
        p.value = p.value + 0.5 * first[name] - 0.5 * second[name]
    assert found.losses[0, 2] == pytest.approx(evaluate(moved, IMAGES, LABELS).loss, rel=1e-5)
    for name, array in net.state().items():
        assert_array_equal(array, before[name], err_msg="the network itself stays")
    assert told[-1] == (9, 9)
    with pytest.raises(ConfigError, match="size: got 4, expected an odd number"):
        loss_surface(net, IMAGES, LABELS, rng, size=4)


def test_the_surface_drawn(tmp_path):
    steps = np.linspace(-1, 1, 3)
    bowl = steps[:, None] ** 2 + steps**2
    figure = surface_figure(Surface(steps, steps, bowl))
    assert figure.axes[0].get_xlabel() == "first direction"
    save_figure(figure, tmp_path / "x.png")
    bowl[0, 0] = np.inf
    save_figure(surface_figure(Surface(steps, steps, bowl)), tmp_path / "y.png")
    save_figure(surface_figure(Surface(steps, steps, np.ones((3, 3)))), tmp_path / "z.png")


# The drawing


def test_what_stands_in_the_columns():
    columns = stages(conv(), most=5)
    assert [column.shape for column in columns] == [(8, 8, 1), (6, 6, 4), (3, 3, 4), (36,), (6,), (3,)]
    assert columns[1].after == ["Tanh()"]
    assert columns[3].neurons == [0, 9, 18, 26, 35], "evenly spread, first and last included"
    assert columns[5].neurons == [0, 1, 2]
    assert_allclose(neuron_heights(3), [1, 0.5, 0])
    assert_allclose(neuron_heights(1), [0.5])


def test_the_lines_are_the_weights(tmp_path):
    net = Network([Dense(2, Given([[4.0, -1.0], [0.0, 2.0]]), None)], 2)
    figure = network_figure(net)
    (lines,) = figure.axes[0].collections
    assert_allclose(lines.get_linewidths(), 0.1 + 1.9 * np.array([1, 0.25, 0, 0.5]))
    assert_allclose(lines.get_segments()[1], [[0, 1], [1, 0]], err_msg="from neuron 0 to neuron 1")
    orange, blue = lines.get_colors()[0][:3], lines.get_colors()[1][:3]
    assert orange[0] > orange[2]
    assert blue[2] > blue[0]
    save_figure(network_figure(conv()), tmp_path / "x.svg")


# All of it


@pytest.mark.slow
def test_everything_there_is_to_see_is_drawn(tmp_path):
    told = []
    subject = Subject(
        conv(), IMAGES, LABELS, ("0", "1", "2"), sample=30, points=10, size=3, progress=lambda *now: told.append(now)
    )
    for name, what in WHAT.items():
        if name == "weights":
            with pytest.raises(ShapeError, match="no dense layer takes the pixels"):
                list(what(subject))
            continue
        pictures = list(what(subject))
        assert pictures, name
        for picture in pictures:
            assert picture.caption.endswith((".", ")."))
            save_figure(picture.figure, tmp_path / f"{picture.name}.png", dpi=40)
    assert told[-1] == ("surface", 9, 9)
    names = {path.stem for path in tmp_path.iterdir()}
    assert {"filters-0", "maps-0", "maps-1", "maps-2", "confusion", "embedding"} <= names
    dense = Subject(mlp([64, 5, 3]), IMAGES, LABELS, ("0", "1", "2"))
    assert [picture.name for picture in WHAT["weights"](dense)] == ["weights"]
    for name in ("filters", "maps"):
        with pytest.raises(ShapeError):
            list(WHAT[name](dense))


def test_counts_in_the_subject_add_up():
    subject = Subject(mlp([64, 5, 4]), IMAGES, LABELS, ("0", "1", "2"))
    assert subject.confusion.sum() == 40
    assert subject.names == ["0", "1", "2", "3"], "an output without a class name has its number"
    assert_allclose(subject.probabilities.sum(axis=1), 1)
    assert subject.title(0).startswith(f"image 0: a {LABELS[0]},")
