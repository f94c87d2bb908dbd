"""Splits: which images each part gets, and what a smaller experiment leaves alone."""

import numpy as np
import pytest

from digitlab.data import Digits, Splits, load
from digitlab.data.bundled import bundled_contents
from digitlab.data.splits import restrict, split_published, split_single
from digitlab.errors import DataError


def numbered(n: int) -> Digits:
    """n images that carry their number, two bytes each, sorted by label as many files are."""
    images = np.arange(n, dtype="<u2").view(np.uint8).reshape(n, 1, 2)
    return Digits(images, np.arange(n) * 10 // n, name="numbered")


def numbers(digits: Digits) -> list[int]:
    return np.ascontiguousarray(digits.images).view("<u2").ravel().tolist()


def test_the_last_sixth_validates() -> None:
    train, valid, test = split_published(numbered(60), numbered(7), "50k/10k/10k")
    assert numbers(train) == list(range(50))
    assert valid is not None and numbers(valid) == list(range(50, 60))
    assert numbers(test) == list(range(7))
    assert split_published(numbered(60), numbered(7), "60k/10k").valid is None
    with pytest.raises(DataError, match="too few"):
        split_published(numbered(5), numbered(7), "50k/10k/10k")


def test_one_set_is_cut_without_overlap_and_always_alike() -> None:
    one, two = (split_single(numbered(700), "50k/10k/10k") for _ in range(2))
    assert one.valid is not None and [len(part) for part in one if part] == [500, 100, 100]
    assert sorted(numbers(one.train) + numbers(one.valid) + numbers(one.test)) == list(range(700))
    assert numbers(one.test) == numbers(two.test)
    assert (one.test.counts() > 0).all()  # mixed, though the file is sorted
    # the test set stays the same when validation is not wanted
    assert numbers(split_single(numbered(700), "60k/10k").test) == numbers(one.test)
    assert one.train.name == "numbered (cut from one set) train"
    with pytest.raises(DataError, match="expected 7"):
        split_single(numbered(6), "50k/10k/10k")


def test_no_test_images_at_all_are_had_as_one_set() -> None:
    with pytest.raises(DataError, match=r"got test_size 0, expected at least 1 image; .* choose the part 'all'"):
        load("digits", test_size=0)
    assert len(load("digits", part="all")) == 1797


@pytest.fixture
def parts() -> Splits:
    return split_published(numbered(600), numbered(100), "50k/10k/10k")


@pytest.mark.parametrize("choice", [{"train_size": 20}, {"per_class": 2}, {"fraction": 0.04}])
def test_smaller_training_leaves_validation_and_test_alone(parts: Splits, choice: dict) -> None:
    small = restrict(parts, **choice)
    assert small.valid is parts.valid and small.test is parts.test
    if "per_class" in choice:
        assert small.train.counts().tolist() == [2] * 8 + [2, 0]  # the 9s of a sorted file are all in validation
    else:
        assert numbers(small.train) == list(range(20))


def test_per_class_follows_the_seed(parts: Splits) -> None:
    draws = [numbers(restrict(parts, per_class=3, seed=seed).train) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_digits_restrict_every_part() -> None:
    parts = restrict(bundled_contents().splits(), digits=[3, 7], train_size=30)
    assert all(part is not None and set(part.labels.tolist()) == {3, 7} for part in parts)
    assert len(parts.train) == 30  # chosen first, counted after
    assert restrict(bundled_contents().splits("60k/10k"), digits=[3]).valid is None


def test_contradicting_and_impossible_choices_are_reported(parts: Splits) -> None:
    with pytest.raises(DataError, match="train_size and fraction"):
        restrict(parts, train_size=5, fraction=0.5)
    with pytest.raises(DataError, match="train_size: got 501, expected 1 to 500"):
        restrict(parts, train_size=501)


def test_parts_by_name(parts: Splits) -> None:
    assert parts.part("valid") is parts.valid
    with pytest.raises(DataError, match=r"got 'validation', expected one of train, valid, test"):
        parts.part("validation")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="sets none aside"):
        parts._replace(valid=None).part("valid")


def test_the_bundled_digits_are_real_and_always_split_alike() -> None:
    train, valid, test = bundled_contents().splits()
    assert valid is not None and (len(train), len(valid), len(test)) == (1197, 300, 300)
    assert repr(train) == "Digits: 1,197 images 8×8, 10 classes (0–9), scikit-learn digits train"
    assert train.labels[:10].tolist() == list(range(10))
    assert all(part.counts().min() >= 27 for part in (train, valid, test))
    assert train.images.max() == 255 and train.images[0, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]
    joined = bundled_contents().splits("60k/10k")
    assert joined.valid is None and len(joined.train) == 1497
    assert np.array_equal(joined.test.images, test.images)


def test_sets_of_images_of_different_sizes(tmp_path):
    np.savez(
        tmp_path / "x.npz",
        x_train=np.zeros((12, 5, 5), np.uint8),
        y_train=np.arange(12) % 2,
        x_test=np.zeros((4, 6, 6), np.uint8),
        y_test=np.arange(4) % 2,
    )
    with pytest.raises(DataError, match=r"its training images are \(5, 5\) and others \(6, 6\); expected one size"):
        load(tmp_path / "x.npz")
