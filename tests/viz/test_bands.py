"""Bands over seeds, confusion matrices and pictures of augmentation say what they show."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from digitlab.train import History
from digitlab.viz.augment import augment_figure
from digitlab.viz.confusion import confusion_figure
from digitlab.viz.curves import bands_figure, by_epoch


def history(*accuracies):
    return History(
        {"epoch": e, "train_loss": 1 - a, "valid_accuracy": a, "valid_loss": 2 - a} for e, a in enumerate(accuracies, 1)
    )


def test_trainings_of_unequal_length():
    """By hand: epoch 1 of .2 .4 .6, epoch 2 of .6 .8, epoch 3 of .9 alone; one diverged at once."""
    s = by_epoch([history(0.2), history(0.4, 0.6), history(0.6, 0.8, 0.9), History()], "valid_accuracy")
    assert list(s) == [1, 2, 3]
    assert [one.n for one in s.values()] == [3, 2, 1]
    assert_allclose([one.mean for one in s.values()], [0.4, 0.7, 0.9])
    assert_allclose([one.sd for one in s.values()], [0.2, 0.02**0.5, 0])
    assert by_epoch([History()], "valid_accuracy") == {}


def test_a_line_and_a_band_for_each_setting():
    groups = {"sgd": [history(0.2, 0.5), history(0.4, 0.7)], "adam": [history(0.1, 0.9)]}
    figure = bands_figure(groups, title="Optimizers")
    loss, accuracy = figure.axes
    assert figure.get_suptitle() == "Optimizers"
    assert [a.get_title() for a in figure.axes] == ["training", "validation"]
    assert [a.get_ylabel() for a in figure.axes] == ["mean loss per example", "accuracy (%)"]
    assert {a.get_xlabel() for a in figure.axes} == {"epoch"}
    first, second = accuracy.get_lines()
    assert_allclose(first.get_xydata(), [[1, 30], [2, 60]])
    assert_allclose(second.get_ydata(), [10, 90])
    (band,) = accuracy.collections  # a single seed has none
    edges = band.get_paths()[0].vertices[:, 1]
    assert_allclose([edges.min(), edges.max()], [30 - 200**0.5, 60 + 200**0.5])
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["sgd", "adam"]
    assert first.get_color() != second.get_color()


def test_more_settings_than_colours_differ_by_dashes():
    (axes,) = bands_figure({str(i): [history(0.5)] for i in range(9)}, title="", columns=["valid_loss"]).axes
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.get_lines()}
    assert len(looks) == 9


def test_a_confusion_matrix():
    counts = np.array([[90, 10, 0], [5, 95, 0], [0, 50, 50]])
    figure = confusion_figure(counts, ["a", "b", "c"], title="T")
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("predicted class", "true class", "T")
    written = {t.get_position(): t.get_text() for t in axes.texts}
    assert written == {(0, 0): "90", (1, 0): "10", (0, 1): "5", (1, 1): "95", (1, 2): "50", (2, 2): "50"}
    shades = axes.images[0].get_array()
    assert shades.mask.tolist() == np.eye(3, dtype=bool).tolist()
    assert shades[2, 1] == 50 and shades[0, 1] == 10
    assert "%" in figure.axes[1].get_ylabel()


@pytest.mark.parametrize("counts", [np.zeros((2, 2), int), np.array([[5, 0], [0, 5]]), np.array([[4]])])
def test_a_confusion_matrix_without_errors(counts):
    figure = confusion_figure(counts, [str(i) for i in range(len(counts))], title="")
    figure.canvas.draw()  # a scale from 0 to 0, or a row without images, would warn here
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == [str(n) for n in counts.flat if n]
    assert not np.ma.filled(axes.images[0].get_array(), 0).any()


def test_a_grid_of_augmented_images():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 8, 8), np.uint8)
    figure = augment_figure({"as it is": images, "shift": images[::-1]}, title="shift")
    assert len(figure.axes) == 6
    assert [axes.get_title() for axes in figure.axes[:2]] == ["as it is", "shift"]
    assert_allclose(figure.axes[1].images[0].get_array(), images[2])
    colour = rng.integers(0, 256, (1, 8, 8, 3), np.uint8)
    assert augment_figure({"one": colour}, title="").axes[0].images[0].get_array().shape == (8, 8, 3)
