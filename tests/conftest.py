"""What tests of every folder share."""

import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

# pytest-xdist keeps every core busy: more threads for BLAS and PyTorch in each process only wait for one another, which
# costs three times the processor time. NumPy reads this when it is imported. Tests of threads set their own number.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from digitlab.data import Splits, find_mnist, load

# One compilation for all tests. `DIGITLAB_KERNELS= pytest ...` compiles what each network needs.
os.environ.setdefault("DIGITLAB_KERNELS", "all")


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests that take minutes, too")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("pages"):
            item.add_marker("slow")  # `-m "not slow"` leaves out the pages, too


@pytest.fixture(scope="session")
def mnist_splits() -> Splits:
    """The real MNIST, from DIGITLAB_DATA or the cache; never downloaded by a test.

    Skips where it is not there, but fails where it has to be: with CI or DIGITLAB_REQUIRE_MNIST set.
    """
    if find_mnist() is None:
        why = "MNIST is not on this machine: set DIGITLAB_DATA, or run `digitlab data fetch` once"
        if os.environ.get("CI") or os.environ.get("DIGITLAB_REQUIRE_MNIST"):
            pytest.fail(why)
        pytest.skip(why)
    return load("mnist")


@pytest.fixture
def memory_below() -> Callable[[float], object]:
    """`with memory_below(4):` fails if more than 4 MiB were held at any moment inside."""

    @contextmanager
    def limit(mebibytes: float) -> Iterator[None]:
        tracemalloc.start()
        try:
            yield
            peak = tracemalloc.get_traced_memory()[1] / 2**20
        finally:
            tracemalloc.stop()
        assert peak < mebibytes, f"{peak:.1f} MiB were held"

    return limit


def pytest_make_parametrize_id(config, val, argname):
    """Bytes do not name a test: those of an archive hold the time of day, and all processes must agree on the names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def form() -> Callable[..., np.ndarray]:
    """A function that draws a printed form with a digit in each cell that is no dot."""
    from digitlab.data.synthetic.pages import print_digit

    def draw(cells: list[str], lines: int = 3, side: int = 60, edge: int = 30) -> np.ndarray:
        """uint8 (H, W); `lines`, `side` and `edge`: pixels of a line, of a cell, and of the paper around the form."""
        rows, columns = len(cells), len(cells[0])
        page = np.full((side * rows + 2 * edge, side * columns + 2 * edge), 245, np.uint8)
        for at in range(rows + 1):
            page[edge + side * at :, edge:][:lines, : lines + side * columns] = 60
        for at in range(columns + 1):
            page[edge:, edge + side * at :][: lines + side * rows, :lines] = 60
        for row, text in enumerate(cells):
            for column, character in enumerate(text):
                if character != ".":
                    ink = print_digit(character, 34, "DejaVuSans")
                    top, left = edge + side * row + 15, edge + side * column + 20
                    page[top : top + ink.shape[0], left : left + ink.shape[1]] -= (ink * 0.7).astype(np.uint8)
        return page

    return draw
