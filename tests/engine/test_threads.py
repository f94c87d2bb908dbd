"""How many threads compute: the cores there are, what the environment says, and fair shares among trainings."""

import os

import pytest
from threadpoolctl import threadpool_info

from digitlab.engine import threads
from digitlab.engine.threads import blas_threads_for, kernel_threads, sharing_cores


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch):
    monkeypatch.delenv(threads.THREADS, raising=False)
    monkeypatch.setattr(threads, "available_cores", lambda: 8)


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_every_core_unless_the_environment_says_otherwise(monkeypatch):
    assert kernel_threads() == 8
    for said, there in (("3", 3), ("0", 8), ("many", 8), ("", 8), ("12", 12)):
        monkeypatch.setenv(threads.THREADS, said)
        assert kernel_threads() == there, said


@pytest.mark.parametrize(("trainings", "each"), [(1, 8), (2, 4), (3, 2), (8, 1), (20, 1), (None, 1)])
def test_trainings_share_the_cores_and_give_them_back(trainings, each):
    before = blas_threads()
    with sharing_cores(trainings):
        assert kernel_threads() == each
        assert blas_threads() == {1}
    assert kernel_threads() == 8
    assert blas_threads() == before


def test_the_smallest_share_counts_while_it_lasts(monkeypatch):
    first, second, before = sharing_cores(2), sharing_cores(4), blas_threads()
    first.__enter__()
    second.__enter__()
    assert kernel_threads() == 2
    first.__exit__(None, None, None)  # in whatever order they end
    assert kernel_threads() == 2
    assert blas_threads() == {1}
    second.__exit__(None, None, None)
    assert kernel_threads() == 8
    assert blas_threads() == before
    monkeypatch.setenv(threads.THREADS, "4")
    with sharing_cores(2):
        assert kernel_threads() == 2


def test_small_batches_have_one_blas_thread():
    with blas_threads_for(threads.SMALL_BATCH):
        assert blas_threads() == {1}
    before = blas_threads()
    with blas_threads_for(threads.SMALL_BATCH + 1):
        assert blas_threads() == before


def test_the_cores_of_this_process(monkeypatch):
    monkeypatch.undo()
    if hasattr(os, "sched_getaffinity"):
        assert threads.available_cores() == len(os.sched_getaffinity(0))
    else:
        assert threads.available_cores() == os.cpu_count()
