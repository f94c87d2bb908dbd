"""Pictures say what they show: titles, axes, legends; they are files, not windows; and pyplot is never loaded."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose
from PIL import Image

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import Dense, Flatten, Given, MaxPool2D, Network, Sigmoid, mlp
from digitlab.train import History, Trainer
from digitlab.viz.curves import CurvesPicture, curves_figure
from digitlab.viz.figures import COLOURS, heatmap_figure, name_lines, new_figure, save_figure
from digitlab.viz.functions import fit_figure
from digitlab.viz.imagine import imagine, linear_back, one_hot, picture_shape
from train.helpers import TEST, TRAIN, VALID, network


def history(n=4, accuracy=True):
    """A training that is best in epoch 2."""
    rows = []
    for epoch in range(1, n + 1):
        row = {"epoch": epoch, "train_loss": 1 / epoch, "valid_loss": 1.1 / epoch}
        rows.append(row | ({"valid_accuracy": 0.9 if epoch == 2 else 0.5} if accuracy else {}))
    return History(rows)


def test_curves_of_one_run():
    figure = curves_figure({"first": history()}, title="A run")
    assert figure.get_suptitle() == "A run"
    loss, accuracy = figure.axes
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "mean loss per example")
    assert (accuracy.get_xlabel(), accuracy.get_ylabel()) == ("epoch", "accuracy (%)")
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["train", "valid"]
    (valid,) = accuracy.get_legend().get_texts()
    assert valid.get_text() == "valid, best 90.00 % in epoch 2"
    assert_allclose(loss.get_lines()[0].get_xydata(), [[1, 1], [2, 1 / 2], [3, 1 / 3], [4, 1 / 4]])
    assert_allclose(accuracy.get_lines()[0].get_ydata(), [50, 90, 50, 50])


def test_the_best_epoch_has_a_dot_and_its_figure_is_in_the_legend():
    _, accuracy = curves_figure({"first": history()}).axes
    dot = accuracy.get_lines()[1]
    assert_allclose(dot.get_xydata(), [[2, 90]])
    assert not accuracy.texts, "no number over the curves"


def test_several_runs_have_a_colour_each_and_their_names():
    figure = curves_figure({"one": history(3), "two": history(4)})
    loss = figure.axes[0]
    assert not any(axes.get_legend() for axes in figure.axes), "outside of the panels"
    (legend,) = figure.legends
    best = "best 90.00 % in epoch 2"
    assert [text.get_text() for text in legend.get_texts()] == [f"one, {best}", f"two, {best}"]
    assert "training dotted, validation solid" in figure.get_suptitle()
    colours = [line.get_color() for line in loss.get_lines()]
    assert colours == [COLOURS[0]] * 2 + [COLOURS[1]] * 2
    assert len({line.get_linestyle() for line in loss.get_lines()[:2]}) == 2, "not by colour alone"


def test_a_network_that_classes_nothing_has_one_panel():
    assert len(curves_figure({"fit": history(accuracy=False)}).axes) == 1


def test_one_epoch_is_a_point_that_one_can_see():
    assert curves_figure({"short": history(1)}).axes[0].get_lines()[0].get_marker() == "."


def test_nothing_to_draw_is_no_error(tmp_path):
    save_figure(curves_figure({"none": History()}), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").is_file()


def test_more_runs_than_colours():
    figure = curves_figure({str(i): history() for i in range(len(COLOURS) + 2)})
    assert len(figure.axes[0].get_lines()) == 2 * (len(COLOURS) + 2)
    colours = {line.get_color() for line in figure.axes[0].get_lines()}
    assert len(colours) == len(COLOURS) + 2, "no two alike"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [str(i) for i in range(len(COLOURS) + 2)]
    assert not any(axes.get_legend() for axes in figure.axes), "beside the curves"


def test_the_picture_of_a_run(tmp_path):
    Trainer(network(), callbacks=[CurvesPicture(tmp_path / "run")]).fit(TRAIN, VALID, TEST, epochs=3)
    with Image.open(tmp_path / "run" / "curves.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 400
        assert len(image.convert("RGB").getcolors(1 << 24)) > 50, "not an empty sheet"


def test_no_picture_of_a_run_with_one_epoch(tmp_path):
    trainer = Trainer(network(), callbacks=[picture := CurvesPicture(tmp_path / "run")])
    trainer.fit(TRAIN, VALID, TEST, epochs=1)
    picture.on_epoch_end(trainer, {"total_seconds": 40})  # a long one
    assert not (tmp_path / "run").exists()


def test_no_picture_of_a_run_without_an_epoch(tmp_path):
    class Stop(CurvesPicture):
        def on_fit_start(self, trainer):
            trainer.stop("at once")

    Trainer(network(), callbacks=[Stop(tmp_path / "run")]).fit(TRAIN, epochs=3)
    assert not (tmp_path / "run").exists()


def test_a_long_run_is_drawn_now_and_then(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(CurvesPicture, "_draw", lambda self, trainer: drawn.append(trainer))
    picture = CurvesPicture(tmp_path)
    for seconds in (10, 31, 40, 60, 62, 100):
        picture.on_epoch_end(seconds, {"total_seconds": seconds})
    assert drawn == [31, 62, 100]


def test_the_suffix_chooses_the_format(tmp_path):
    figure = heatmap_figure([np.eye(3)], ["eye"])
    save_figure(figure, tmp_path / "x.svg")
    assert ElementTree.parse(tmp_path / "x.svg").getroot().tag.endswith("svg")
    save_figure(figure, tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.pdf", "x.svg"]


@pytest.mark.parametrize("name", ["x.doc", "x"])
def test_a_format_that_is_none(tmp_path, name):
    with pytest.raises(ConfigError, match=r"expected a file name that ends in \.png"):
        save_figure(new_figure(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_heat_maps_are_centred_on_0_and_titled():
    figure = heatmap_figure([np.array([[-1.0, 4.0]]), np.zeros((2, 2))], ["a", "b"], columns=5)
    first, second = (axes for axes in figure.axes if axes.get_images())
    assert (first.get_title(), second.get_title()) == ("a", "b")
    assert first.get_images()[0].get_clim() == (-4, 4)
    assert second.get_images()[0].get_clim() == (-1, 1)


@pytest.mark.slow
def test_no_window_is_ever_opened_and_pyplot_never_loaded(tmp_path):
    code = f"""
import sys
from digitlab.viz.figures import heatmap_figure, save_figure
from digitlab.viz.curves import curves_figure
from digitlab.train import History
import numpy as np
save_figure(heatmap_figure([np.eye(4)], ["x"]), {str(tmp_path / "x.png")!r})
save_figure(curves_figure({{"a": History([{{"epoch": 1, "train_loss": 1.0}}])}}), {str(tmp_path / "y.png")!r})
print("matplotlib.pyplot" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
    assert done.stderr == ""


# Imagining


def two_layers():
    """W₁ (3, 2) and W₂ (2, 2) by hand."""
    first, second = [[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]], [[1.0, 0.0], [2.0, 5.0]]
    return Network([Dense(2, Given(first), Given([9.0, 9.0])), Sigmoid(), Dense(2, Given(second))], 3)


def test_the_linear_way_back_by_hand():
    # e₁ W₂ᵀ = (0, 5), and (0, 5) W₁ᵀ = (10, −5, 0); biases and activations have no part in it.
    assert_allclose(linear_back(two_layers(), 1), [[10.0, -5.0, 0.0]])
    assert_allclose(linear_back(two_layers(), 0), [[5.0, -2.0, 3.0]])


def test_imagine_shows_the_stretched_picture_to_the_network():
    net = two_layers()
    seen = imagine(net, 1)
    outputs = net.predict(np.array([[1.0, 0.0, 1 / 3]], np.float32))[0]
    assert (seen.digit, seen.first, seen.second) == (1, int(outputs.argmax()), int(outputs.argmin()))
    assert seen.margin == pytest.approx(100 * (outputs.max() - outputs.min()) / outputs.min(), rel=1e-5)


def test_a_picture_of_ones_own():
    assert imagine(mlp([9, 3]), 2, np.full((3, 3), 7.0)).margin >= 0, "a flat picture is no division by 0"


def test_an_output_of_0_is_no_division_by_0():
    net = Network([Dense(2, Given([[100.0, -100.0]] * 4), Given([1e4, -1e4]))], 4)
    assert np.isfinite(imagine(net, 0).margin)


def test_networks_without_one_linear_way_back():
    net = Network([MaxPool2D(2), Flatten(), Dense(3)], (4, 4, 1))
    assert linear_back(Network([Flatten(), Dense(3)], (4, 4, 1)), 0).shape == (4, 4)
    masked = Network([Dense(2, connections=[[1, 0], [0, 1], [1, 1]])], 3)
    masked.layers[0].params["W"].value[:] = 7.0  # a number where there is no connection counts as 0
    assert_allclose(linear_back(masked, 0).ravel(), [7.0, 0.0, 7.0])
    with pytest.raises(ShapeError, match="this network has MaxPool2D"):
        linear_back(net, 0)
    with pytest.raises(ShapeError, match="needs a chain of dense layers"):
        linear_back(Network([Sigmoid()], 4, "mse"), 0)


def test_one_hot_and_the_shapes_of_pictures():
    assert_allclose(one_hot(mlp([4, 3]), 2), [0, 0, 1])
    with pytest.raises(ConfigError, match="got 3; this network has outputs for 0 to 2"):
        one_hot(mlp([4, 3]), 3)
    assert picture_shape(mlp([784, 10])) == (28, 28)
    assert picture_shape(mlp([6, 10])) == (1, 6)
    assert picture_shape(Network([Flatten(), Dense(2)], (5, 7, 1))) == (5, 7)
    assert picture_shape(Network([Flatten(), Dense(2)], (5, 7, 3))) == (5, 7, 3)


def test_names_of_lines_are_at_their_ends_and_apart():
    figure = new_figure(6, 4)
    axes = figure.add_subplot()
    for i, end in enumerate((1.0, 1.01, 5.0)):
        axes.plot([0, 1], [3, end], label=f"line {i}")
    axes.plot([0, 1], [0, 0], label="_unnamed")
    name_lines(axes)
    figure.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert list(boxes) == ["line 0", "line 1", "line 2"]
    some = list(boxes.values())
    assert not any(a.overlaps(b) for i, a in enumerate(some) for b in some[:i])
    assert all(box.x0 > axes.get_window_extent().x1 for box in some) and max(box.x1 for box in some) <= figure.bbox.x1
    level = axes.transData.transform((1, 5.0))[1]
    assert boxes["line 2"].y0 < level < boxes["line 2"].y1


def test_a_fit_shows_points_the_residual_and_a_ramp_that_ends_in_a_thin_line():
    grid = np.linspace(0, 1, 20)
    curves = {"before": 0 * grid, "epoch 1": grid / 2, "epoch 9": grid + 0.01}
    upper, lower = fit_figure(grid, grid, curves, title="x", points=(grid, grid)).axes
    function, points, *lines = upper.get_lines()
    assert [line.get_label() for line in lines] == list(curves) and points.get_label() == "training points (20)"
    assert lines[-1].get_linewidth() < function.get_linewidth() / 2
    brightness = [sum(to_rgb(line.get_color())) for line in lines]
    assert brightness[:-1] == sorted(brightness[:-1], reverse=True), "from light to dark"
    assert_allclose(lower.get_lines()[1].get_ydata(), 0.01)
    many = fit_figure(grid, grid, curves, title="x", points=(np.zeros(400), np.zeros(400))).axes[0].get_lines()[1]
    assert len(many.get_xdata()) == 50 and many.get_label() == "training points (every 8th of 400)"


def test_characters_that_the_font_lacks_give_no_warning(tmp_path):
    figure = new_figure()
    figure.suptitle("手写数字 \u0baa\u05d0 \U0001f9ff")  # warnings are errors in tests
    save_figure(figure, tmp_path / "it.png")
    assert figure._repr_png_()[:4] == b"\x89PNG"
