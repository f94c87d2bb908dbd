"""Digits: what it accepts, what it refuses, and every way of choosing from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.data import Digits, concatenate
from digitlab.errors import DataError

IMAGES = np.zeros((3, 4, 5), dtype=np.uint8)
LABELS = np.array([3, 1, 2])


def test_it_holds_images_and_labels() -> None:
    digits = Digits(IMAGES, LABELS.astype(np.uint8))
    assert len(digits) == 3
    assert digits.image_shape == (4, 5)
    assert digits.labels.dtype == np.int64
    assert digits.class_names == tuple("0123456789")
    assert len(Digits(np.zeros((2, 4, 5, 3), np.uint8), LABELS[:2])) == 2


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (IMAGES / 255, LABELS, ["float64", "multiply by 255", "round", "astype"]),
        (np.full((3, 4, 5), np.nan), LABELS, ["NaN"]),
        (IMAGES.astype(int), LABELS, ["int64", "uint8"]),
        (IMAGES[0], LABELS, ["(4, 5)", "(N, H, W)", "reshape"]),
        (np.zeros((3, 4, 5, 4), np.uint8), LABELS, ["(3, 4, 5, 4)", "(N, H, W, 3)"]),
        (IMAGES[:0], LABELS[:0], ["empty set"]),
        (IMAGES, LABELS[:2], ["3 images", "2 labels"]),
        (IMAGES, LABELS / 2, ["float64", "whole numbers"]),
        (IMAGES, np.eye(3, dtype=int), ["(3, 3)", "argmax"]),
        (IMAGES, np.array([0, 10, 1]), ["label number 1 is 10", "expected 0–9"]),
        (IMAGES, np.array([0, 1, -1]), ["label number 2 is -1"]),
    ],
)
def test_it_refuses_what_does_not_fit(images: np.ndarray, labels: np.ndarray, words: list[str]) -> None:
    with pytest.raises(DataError) as error:
        Digits(images, labels)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_more_class_names_allow_more_labels() -> None:
    assert Digits(IMAGES, LABELS + 9, tuple("ABCDEFGHIJKLM")).counts().tolist() == [0] * 10 + [1, 1, 1]


def test_one_position_gives_image_and_label(digits: Digits) -> None:
    image, label = digits[7]
    assert label == 7 and type(label) is int
    assert np.array_equal(image, digits.images[7])
    assert digits[np.int64(-1)][1] == 9
    assert [label for _, label in digits] == digits.labels.tolist()


@pytest.mark.parametrize("position", [60, -61, 10**9])
def test_a_position_outside_is_reported(digits: Digits, position: int) -> None:
    with pytest.raises(DataError, match=f"got position {position}, expected"):
        digits[position]
    with pytest.raises(IndexError):
        digits[position]


@pytest.mark.parametrize("key", [slice(10, 20, 3), np.array([5, 5, -1]), [2, 0], np.arange(60) % 7 == 0])
def test_slices_positions_and_masks_choose_images_with_their_labels(digits: Digits, key: object) -> None:
    chosen = digits[key]
    assert isinstance(chosen, Digits)
    assert np.array_equal(chosen.images, digits.images[key])
    assert np.array_equal(chosen.labels, digits.labels[key])
    assert chosen.name == "noise"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (slice(0, 0), "nothing was chosen"),
        ([], "nothing was chosen"),
        (np.zeros(60, bool), "nothing was chosen"),
        (np.ones(59, bool), r"shape \(59,\), expected \(60,\)"),
        ([0, 60], "got position 60"),
        ("train", "got str"),
        ([0.5], "expected a number, slice, positions or mask"),
    ],
)
def test_keys_that_choose_nothing_are_reported(digits: Digits, key: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        digits[key]


@pytest.mark.parametrize("n", [0, -1, 61, 10**9, 2.0, True])
def test_first_wants_a_count_that_is_there(digits: Digits, n: int) -> None:
    with pytest.raises(DataError, match=r"first\(n\) got .*expected a whole number from 1 to 60"):
        digits.first(n)


def test_first_and_fraction_keep_the_order(digits: Digits) -> None:
    assert digits.first(4).labels.tolist() == [0, 1, 2, 3]
    assert digits.fraction(0.1).labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(digits.fraction(1e-9)) == 1
    drawn = digits.fraction(0.5, np.random.default_rng(0))
    assert len(drawn) == 30 and not np.array_equal(drawn.images, digits.images[:30])


@pytest.mark.parametrize("f", [0, -0.5, 1.01, float("nan")])
def test_fraction_wants_a_fraction(digits: Digits, f: float) -> None:
    with pytest.raises(DataError, match="above 0 and at most 1"):
        digits.fraction(f)


@given(n=st.integers(1, 6), seed=st.integers(0, 2**32))
def test_sample_draws_n_of_every_class_without_repeats(n: int, seed: int) -> None:
    marked = Digits(np.arange(60, dtype=np.uint8).reshape(60, 1, 1), np.arange(60) % 10)
    drawn = marked.sample(n, np.random.default_rng(seed))
    assert drawn.counts().tolist() == [n] * 10
    positions = drawn.images.ravel()
    assert np.array_equal(positions, np.unique(positions))
    assert np.array_equal(drawn.labels, positions % 10)


def test_sample_follows_its_generator_and_present_classes(digits: Digits) -> None:
    one, same, other = (digits.sample(2, np.random.default_rng(s)) for s in (5, 5, 6))
    assert np.array_equal(one.images, same.images)
    assert not np.array_equal(one.images, other.images)
    assert digits.only([3, 7]).sample(2, np.random.default_rng(0)).counts().tolist() == [0, 0, 0, 2, 0, 0, 0, 2, 0, 0]
    with pytest.raises(DataError, match=r"got 6, but class 5 has 5 images"):
        digits[:55].sample(6, np.random.default_rng(0))


def test_only_keeps_label_values(digits: Digits) -> None:
    some = digits.only([7, 3])
    assert some.labels.tolist() == [3, 7] * 6
    assert some.class_names == digits.class_names
    for classes, words in (([10], "got 10, expected classes 0–9"), ([], "got no class")):
        with pytest.raises(DataError, match=words):
            digits.only(classes)
    with pytest.raises(DataError, match="there are no images"):
        some.only([1])


def test_shuffled_keeps_pairs_together(digits: Digits) -> None:
    order = np.random.default_rng(3).permutation(60)
    mixed = digits.shuffled(np.random.default_rng(3))
    assert np.array_equal(mixed.images, digits.images[order])
    assert np.array_equal(mixed.labels, digits.labels[order])
    assert not np.array_equal(order, np.arange(60))


def test_split_cuts_consecutive_parts(digits: Digits) -> None:
    a, b, c = digits.split(10, -1, 5)
    assert [len(part) for part in (a, b, c)] == [10, 45, 5]
    assert np.array_equal(np.concatenate([a.images, b.images, c.images]), digits.images)
    for sizes in ((), (10,), (60, 0), (61,), (-1, -1), (61, -1)):
        with pytest.raises(DataError, match="add up to 60"):
            digits.split(*sizes)


def test_concatenate_joins_like_with_like(digits: Digits) -> None:
    joined = concatenate(digits.first(2), digits.first(3).renamed("more"), digits[5:6])
    assert joined.labels.tolist() == [0, 1, 0, 1, 2, 5]
    assert joined.name == "noise + more"
    with pytest.raises(DataError, match="one image shape"):
        concatenate(digits, Digits(IMAGES, LABELS))
    with pytest.raises(DataError, match="same class names"):
        concatenate(digits, Digits(digits.images, digits.labels, tuple("abcdefghij")))


def test_repr_is_one_telling_line(digits: Digits) -> None:
    assert repr(digits) == "Digits: 60 images 28×28, 10 classes (0–9), noise"
    assert repr(digits.only([3, 7])) == "Digits: 12 images 28×28, 2 of 10 classes (3, 7), noise"
    assert repr(Digits(np.zeros((1, 4, 5, 3), np.uint8), [0])) == "Digits: 1 image 4×5 RGB, 1 of 10 classes (0)"
    many = Digits(np.zeros((50_000, 1, 1), np.uint8), np.arange(50_000) % 10, name="mnist train")
    assert repr(many) == "Digits: 50,000 images 1×1, 10 classes (0–9), mnist train"


def test_a_set_cannot_be_reassigned(digits: Digits) -> None:
    with pytest.raises(AttributeError):
        digits.labels = LABELS  # type: ignore[misc]


def test_batches_hold_every_image_once():
    digits = Digits(np.arange(7 * 4, dtype=np.uint8).reshape(7, 2, 2), np.arange(7))
    assert [len(batch) for batch in digits.batches(3)] == [3, 3, 1]
    drawn = [label for batch in digits.batches(3, np.random.default_rng(0)) for _, label in batch]
    assert sorted(drawn) == list(range(7)) != drawn
    with pytest.raises(DataError, match=r"batches\(size\) got 0"):
        next(digits.batches(0))


def test_a_frame_is_what_kaggle_has():
    pytest.importorskip("pandas")
    digits = Digits(np.arange(8, dtype=np.uint8).reshape(2, 2, 2), np.array([3, 1]))
    frame = digits.to_frame()
    assert list(frame.columns) == ["label", "pixel0", "pixel1", "pixel2", "pixel3"]
    assert frame.to_numpy().tolist() == [[3, 0, 1, 2, 3], [1, 4, 5, 6, 7]]
    assert len(digits.plot().axes) == 2
