"""The sets of the experiments: enlarged, expanded, cut down."""

import numpy as np
import pytest
from scipy.ndimage import rotate, shift

from digitlab.books.data import Data, enlarged, with_rotations, with_shifts
from digitlab.data import Digits
from digitlab.errors import ConfigError


@pytest.fixture
def few():
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    return Digits(images, np.arange(6))


def test_the_table_is_what_it_was_made_from():
    data = Data("digits", train_size=30, expand="shifts", whole=True)
    assert Data(**data.table()) == data
    assert Data().table() == {}


def test_enlarged_keeps_every_pixel_in_the_middle(few):
    small = Digits(few.images[:, :8, :8], few.labels)
    large = enlarged(small)
    assert large.images.shape == (6, 28, 28)
    np.testing.assert_array_equal(large.images[:, 3:27:3, 3:27:3], small.images)
    assert not large.images[:, :2].any() and not large.images[:, 26:].any()


@pytest.mark.slow
def test_shifts_are_the_five_and_the_vacated_experiment_is_empty(few):
    many = with_shifts(few)
    assert len(many) == 30
    for image, label in few:
        moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
        expected = {shift(image, move, order=0).tobytes() for move in moves}
        assert {i.tobytes() for i, other in many if other == label} == expected
    assert many.labels.tolist() != np.repeat(few.labels, 5).tolist()  # mixed, since network3 does not shuffle
    np.testing.assert_array_equal(with_shifts(few).images, many.images)


def test_rotations_follow_each_image_and_are_rashids(few):
    """His line, on scaled pictures: scipy.ndimage.rotate(picture, ±10, cval=.01, order=1, reshape=False)."""
    many = with_rotations(few)
    assert many.labels.tolist() == np.repeat(few.labels, 3).tolist()
    np.testing.assert_array_equal(many.images[::3], few.images)
    scaled = few.images[0] / 255 * 0.99 + 0.01
    for got, angle in zip(many.images[1:3], (10, -10)):
        theirs = rotate(scaled, angle, cval=0.01, order=1, reshape=False)
        inside = np.s_[4:24, 4:24]  # at the border, libraries differ in how they mix picture and paper
        np.testing.assert_allclose((got / 255 * 0.99 + 0.01)[inside], theirs[inside], atol=0.004)


def test_sizes_are_of_the_first_images():
    whole, part = Data("digits").load(), Data("digits", train_size=25, valid_size=7, test_size=9).load()
    assert [len(p) for p in part] == [25, 7, 9]
    np.testing.assert_array_equal(part.train.images, whole.train.images[:25])
    assert [len(p) for p in Data("digits").shrunk().load()] == [400, 200, 200]


def test_left_over_images_are_dropped_only_when_asked():
    assert len(Data("digits", train_size=25, whole=True).load().train) == 20
    assert len(Data("digits", train_size=25, whole=True, expand="shifts").load().train) == 120


def test_without_validation():
    assert Data("digits", split="60k/10k", train_size=10).load().valid is None


def test_an_unknown_expansion():
    with pytest.raises(ConfigError, match="expand: got 'twice'"):
        Data("digits", expand="twice").load()
