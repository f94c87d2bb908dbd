"""The real MNIST: that it is read as published, image for image."""

import time

import numpy as np
import pytest

from digitlab.data import Splits, find_mnist, load

pytestmark = pytest.mark.mnist


def test_sizes_and_names(mnist_splits: Splits) -> None:
    train, valid, test = mnist_splits
    assert repr(train) == "Digits: 50,000 images 28×28, 10 classes (0–9), mnist train"
    assert repr(valid) == "Digits: 10,000 images 28×28, 10 classes (0–9), mnist valid"
    assert repr(test) == "Digits: 10,000 images 28×28, 10 classes (0–9), mnist test"


def test_counts_per_class(mnist_splits: Splits) -> None:
    train, valid, test = mnist_splits
    assert valid is not None
    published = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert (train.counts() + valid.counts()).tolist() == published
    assert valid.counts().tolist() == [991, 1064, 990, 1030, 983, 915, 967, 1090, 1009, 961]
    assert test.counts().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_first_labels(mnist_splits: Splits) -> None:
    assert mnist_splits.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist_splits.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


@pytest.mark.slow
def test_validation_is_the_last_ten_thousand(mnist_splits: Splits) -> None:
    whole = load("mnist", split="60k/10k")
    assert whole.valid is None and len(whole.train) == 60_000
    assert mnist_splits.valid is not None
    assert np.array_equal(whole.train.images[50_000:], mnist_splits.valid.images)
    assert np.array_equal(whole.train.labels[50_000:], mnist_splits.valid.labels)
    # the mean and deviation that PyTorch's examples normalise by: 0.1307 and 0.3081
    pixels = whole.train.images
    assert pixels.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert pixels.std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_the_first_digit_is_upright(mnist_splits: Splits) -> None:
    image = mnist_splits.train.images[0]
    assert image[5, 12:22].tolist() == [3, 18, 18, 18, 126, 136, 175, 26, 166, 255]
    assert image.sum() == 27_525


def test_the_folder_is_read_alike_without_its_name(mnist_splits: Splits) -> None:
    folder = find_mnist()
    assert folder is not None
    start = time.process_time()
    test = load(folder, part="test")
    assert time.process_time() - start < 5  # half a second on a quiet machine; a loop over pixels would take minutes
    assert np.array_equal(test.images, mnist_splits.test.images)
