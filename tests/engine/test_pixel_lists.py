"""Lists of non-zero pixels: what they say of a picture, and that networks on the same images share them."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.engine.fast import FastEngine
from digitlab.engine.fast.compiler.load import kernels
from digitlab.engine.fast.pixel_lists import fingerprint, list_pixels, shared_lists, was_listed
from digitlab.nn import mlp
from digitlab.optim import SGD


@pytest.fixture(scope="module")
def compiled():
    return kernels()


def pictures(seed=0, rows=50, n=60):
    rng = np.random.default_rng(seed)
    return np.where(rng.random((rows, n)) < 0.2, rng.integers(1, 256, (rows, n)), 0).astype(np.uint8)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    rows=st.integers(1, 9), n=st.integers(1, 40), seed=st.integers(0, 99), kind=st.sampled_from([np.uint8, np.float32])
)
def test_the_lists_say_what_the_pictures_say(rows, n, seed, kind):
    x = pictures(seed, rows, n).astype(kind)
    factor = 0.5 if kind is np.uint8 else 1.0
    lists = list_pixels(kernels(), x, factor, 0.01)
    if lists is None:
        assert np.count_nonzero(x) > 0.5 * x.size - rows, "more than half of the numbers, lists made even included"
        return
    again = np.zeros((rows, n), np.float32)
    for row, (start, end) in enumerate(zip(lists.starts[:-1, 0], lists.starts[1:, 0])):
        np.add.at(again[row], lists.indices[start:end], lists.values[start:end])
    assert np.array_equal(again, x * np.float32(factor))
    sums = lists.starts[:-1, 1].view(np.float64)
    np.testing.assert_allclose(sums, (x.astype(np.float64) * factor).sum(axis=1))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(size=st.integers(1, 300), seed=st.integers(0, 99), data=st.data())
def test_any_change_gives_another_fingerprint(size, seed, data):
    x = np.random.default_rng(seed).integers(0, 3, (1, size)).astype(np.uint8)
    before = fingerprint(kernels(), x)
    assert fingerprint(kernels(), x.copy()) == before
    place = data.draw(st.integers(0, size - 1))
    x[0, place] = (int(x[0, place]) + data.draw(st.integers(1, 255))) % 256
    assert fingerprint(kernels(), x) != before


def test_an_order_that_was_changed_gives_another_fingerprint(compiled):
    x = pictures(rows=64)
    assert fingerprint(compiled, x) != fingerprint(compiled, np.ascontiguousarray(x[::-1]))


def test_equal_pictures_share_their_lists(compiled):
    x = pictures()
    lists = shared_lists(compiled, x, 1.0, 0.0)
    assert shared_lists(compiled, x.copy(), 1.0, 0.0) is lists
    assert shared_lists(compiled, x, 0.5, 0.0) is not lists
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: shared_lists(compiled, pictures(7), 1.0, 0.0), range(8)))
    assert all(some is found[0] for some in found)


def test_what_is_not_used_is_freed(compiled):
    watched = weakref.ref(shared_lists(compiled, pictures(3), 1.0, 0.0))
    gc.collect()
    assert watched() is None


@pytest.mark.slow
def test_lists_live_as_long_as_the_pictures_and_are_replaced_with_them(compiled):
    x = pictures(4)
    first = weakref.ref(shared_lists(compiled, x, 1.0, 0.0, owner=x))
    gc.collect()
    assert first() is not None, "a second training finds them"
    assert shared_lists(compiled, x, 1.0, 0.0, owner=x) is first()
    assert was_listed(x) and not was_listed(x.copy())
    x[:] = x[::-1].copy()
    second = weakref.ref(shared_lists(compiled, x, 1.0, 0.0, owner=x))
    gc.collect()
    assert first() is None and second() is not None
    del x
    gc.collect()
    assert second() is None


def test_pictures_changed_in_place_and_placed_again_are_listed_again():
    x, y = pictures(), np.arange(50) % 7
    engine, other = (FastEngine(mlp([60, 8, 7], seed=1), SGD(0.5), threads=1) for _ in range(2))
    for some in (engine, other):
        some.place(x)
        some.train_batches(x, y, np.arange(50), 10, np.full(5, 0.5))
    x[:] = x[::-1].copy()
    engine.place(x)
    engine.train_batches(x, y, np.arange(50), 10, np.full(5, 0.5))
    other.train_batches(x.copy(), y, np.arange(50), 10, np.full(5, 0.5))
    for name, p in engine.network.parameters().items():
        assert np.array_equal(p.value, other.network.parameters()[name].value)
