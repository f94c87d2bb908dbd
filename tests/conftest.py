"""What tests of every folder share."""

import os

import pytest

from digitlab.data import Splits, find_mnist, load


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
