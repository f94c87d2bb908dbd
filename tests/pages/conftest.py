"""A machine on which a page can be run in seconds: an empty folder, and an MNIST of 1,500 images."""

import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from digitlab.books.data import enlarged
from digitlab.data import load, write_idx
from digitlab.data.formats import mnist_files

KERNELS = Path(os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_path("digitlab") / "kernels")


@pytest.fixture(scope="session")
def small_mnist(tmp_path_factory):
    """scikit-learn's digits at 28×28 under MNIST's names: 1,200 images to train and validate, 300 to test."""
    folder = tmp_path_factory.mktemp("data")
    train, valid, test = (enlarged(digits) for digits in load("digits"))
    images, labels = (np.concatenate([getattr(part, name) for part in (train, valid)]) for name in ("images", "labels"))
    contents = (images[:1200], labels[:1200].astype(np.uint8), test.images, test.labels.astype(np.uint8))
    for file, content in zip(mnist_files.FILES, contents):
        write_idx(folder / "mnist" / file.name, content)
    return folder


@pytest.fixture
def machine(tmp_path, monkeypatch, small_mnist):
    """An empty working folder on a machine that has this MNIST, and no network."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")
    monkeypatch.setenv("DIGITLAB_DATA", str(small_mnist))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(KERNELS))
    published = [
        dataclasses.replace(file, content=hashlib.sha256((small_mnist / "mnist" / file.name).read_bytes()).hexdigest())
        for file in mnist_files.FILES
    ]
    monkeypatch.setattr(mnist_files, "FILES", tuple(published))  # the only thing that is not as a user has it
    return work
