"""Expanded sets: what the books' programs make, written so that validation stays apart from training."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from digitlab.data import Digits, Splits, load, read_idx
from digitlab.data.augment import expand, expanded_blocks, rotations, shifts, write_expanded
from digitlab.errors import DataError


def nielsen(image):
    """expand_mnist.py, in our words: the image rolled by one, and what came round set to 0."""
    for d, axis, vacated in [(1, 0, np.s_[0, :]), (-1, 0, np.s_[-1, :]), (1, 1, np.s_[:, 0]), (-1, 1, np.s_[:, -1])]:
        rolled = np.roll(image, d, axis)
        rolled[vacated] = 0
        yield axis, d, rolled


def test_five_for_one_as_in_the_book(digits):
    large = expand(digits, shifts())
    assert len(large) == 5 * len(digits)
    for k in (0, 17, 59):
        five = large.images[5 * k : 5 * k + 5]
        assert_array_equal(five[0], digits.images[k])
        truth = {(axis, d): image for axis, d, image in nielsen(digits.images[k])}
        for at, how in enumerate([(0, 1), (0, -1), (1, 1), (1, -1)], 1):
            assert_array_equal(five[at], truth[how])
    assert_array_equal(large.labels, np.repeat(digits.labels, 5))


def test_three_for_one_as_rashid(digits):
    images = np.pad(digits.images[:, 4:-4, 4:-4], ((0, 0), (4, 4), (4, 4)))
    large = expand(Digits(images, digits.labels), rotations(10))
    for k in (0, 31):
        for at, angle in ((1, 10), (2, -10)):
            truth = ndimage.rotate(images[k].astype(float), angle, cval=0, order=1, reshape=False)
            assert np.abs(large.images[3 * k + at] - truth).max() < 0.51
        assert_array_equal(large.images[3 * k], images[k])


def test_mixed_is_the_same_set_in_another_order(digits):
    plain, mixed = expand(digits, shifts()), expand(digits, shifts(), np.random.default_rng(0))
    assert not np.array_equal(plain.labels, mixed.labels)
    as_set = lambda d: sorted((image.tobytes(), label) for image, label in d)  # noqa: E731
    assert as_set(plain) == as_set(mixed)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_a_stream_of_blocks_is_the_whole(digits, block):
    whole = expand(digits, shifts(), np.random.default_rng(3))
    parts = list(expanded_blocks(digits, shifts(), np.random.default_rng(3), block=block))
    assert max(map(len, parts)) <= block
    assert_array_equal(np.concatenate([part.images for part in parts]), whole.images)
    assert_array_equal(np.concatenate([part.labels for part in parts]), whole.labels)


def parts_of(digits, valid=True):
    return Splits(digits.first(40), digits[40:50] if valid else None, digits[50:])


@pytest.mark.parametrize("name", ["large", "large.npz"])
@pytest.mark.parametrize("compress", [True, False])
def test_what_is_written_is_read_again_and_validation_is_apart(tmp_path, digits, name, compress):
    parts, told = parts_of(digits), []
    files = write_expanded(tmp_path / name, parts, shifts(), compress=compress, advance=told.append)
    assert all(file.is_file() for file in files) and sum(told) == 200
    train, valid, test = load(tmp_path / name)
    assert_array_equal(train.images, expand(parts.train, shifts()).images)
    assert_array_equal(train.labels, np.repeat(parts.train.labels, 5))
    for got, truth in ((valid, parts.valid), (test, parts.test)):
        assert_array_equal(got.images, truth.images)
        assert_array_equal(got.labels, truth.labels)
    joined = load(tmp_path / name, split="60k/10k")
    assert joined.valid is None and len(joined.train) == 210


@pytest.mark.parametrize("name", ["large", "large.npz"])
def test_without_a_validation_set(tmp_path, digits, name):
    write_expanded(tmp_path / name, parts_of(digits, valid=False), shifts())
    train, valid, _ = load(tmp_path / name, split="60k/10k")
    assert valid is None and len(train) == 200


@pytest.mark.parametrize("name", ["large", "large.npz"])
def test_the_same_set_has_the_same_bytes(tmp_path, digits, name):
    a, b = (write_expanded(tmp_path / where / name, parts_of(digits), shifts()) for where in "ab")
    assert [file.read_bytes() for file in a] == [file.read_bytes() for file in b]


def test_a_second_set_in_a_folder_leaves_nothing_of_the_first(tmp_path, digits):
    write_expanded(tmp_path / "x", parts_of(digits), shifts())
    write_expanded(tmp_path / "x", parts_of(digits, valid=False), rotations(), compress=False)
    assert sorted(file.name for file in (tmp_path / "x").iterdir()) == [
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
    ]
    assert len(read_idx(tmp_path / "x" / "train-images-idx3-ubyte")) == 120


def test_a_kill_in_the_middle_leaves_no_half_set(tmp_path, digits):
    def killed(images):
        raise KeyboardInterrupt

    for name in ("x", "x.npz"):
        with pytest.raises(KeyboardInterrupt):
            write_expanded(tmp_path / name, parts_of(digits), shifts(), advance=killed)
    assert not (tmp_path / "x.npz").exists()
    assert not (tmp_path / "x").exists()


def test_a_kill_leaves_an_older_set_as_it_was(tmp_path, digits):
    def killed(images):
        raise KeyboardInterrupt

    for name in ("x", "x.npz"):
        write_expanded(tmp_path / name, parts_of(digits), shifts())
        with pytest.raises(KeyboardInterrupt):
            write_expanded(tmp_path / name, parts_of(digits), rotations(), advance=killed)
        assert len(load(tmp_path / name).train) == 5 * len(parts_of(digits).train)
    assert sorted(file.name for file in tmp_path.rglob(".*")) == []


@pytest.mark.parametrize("name", ["x", "x.npz"])
def test_classes_keep_their_names(tmp_path, digits, name):
    letters = Digits(digits.images, np.arange(len(digits)) % 12, tuple("ABCDEFGHIJKL"))
    write_expanded(tmp_path / name, parts_of(letters), shifts())
    assert all(part.class_names == letters.class_names for part in load(tmp_path / name))
    write_expanded(tmp_path / name, parts_of(digits), shifts())
    assert load(tmp_path / name).train.class_names == digits.class_names, "nothing of the first is left"


@pytest.mark.parametrize("name", ["set.npz", "set"])
def test_more_classes_than_a_byte_counts(tmp_path, name):
    labels = np.array([0, 256, 299])
    many = Digits(np.zeros((3, 4, 4), np.uint8), labels, tuple(map(str, range(300))))
    with pytest.raises(DataError, match="got 300 classes, expected 256 at most"):
        write_expanded(tmp_path / name, Splits(many, None, many), shifts())
    assert not list(tmp_path.iterdir())


def test_another_suffix(tmp_path, digits):
    with pytest.raises(DataError, match=r"expected a folder \(IDX files\) or a file name that ends in .npz"):
        write_expanded(tmp_path / "x.pkl", parts_of(digits), shifts())


def test_colour_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 7, 3), np.uint8)
    digits = Digits(images, np.arange(20) % 10)
    write_expanded(tmp_path / "c.npz", Splits(digits.first(10), digits[10:15], digits[15:]), shifts())
    assert load(tmp_path / "c.npz").train.images.shape == (50, 6, 7, 3)


@pytest.mark.slow
def test_memory_stays_modest(tmp_path, digits, memory_below):
    large = expand(digits, np.tile(shifts(), (100, 1, 1)))  # 30,000 images, 23.5 MB
    parts = Splits(large, None, digits)
    with memory_below(45):  # the expanded set would be 112 MiB
        write_expanded(tmp_path / "x", parts, shifts(), compress=False)
