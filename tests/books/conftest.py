"""Everything here runs on the digits that scikit-learn carries, so that no file and no network is needed."""

from pathlib import Path

import pytest

from digitlab.books.experiment import Variant


@pytest.fixture
def variant() -> Variant:
    return Variant("quick", "as-written", 0, "digits")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"
