"""Two sets in one."""

from pathlib import Path

import numpy as np
import pytest

from digitlab.data import Digits, Splits, load, write_npz
from digitlab.data.mixing import mix_in
from digitlab.errors import DataError


def test_mixing(tmp_path: Path, digits: Digits) -> None:
    own = Splits(digits.first(3).renamed("own"), digits.first(1), digits.first(2))
    mixed = mix_in(own, Splits(digits.renamed("many"), digits, digits), seed=1)
    assert mixed.valid is not None
    assert (len(mixed.train), len(mixed.valid), len(mixed.test)) == (33, 11, 2)
    assert mixed.train.name == "own + many" and np.array_equal(mixed.train.images[:3], own.train.images)
    again = mix_in(own, Splits(digits, digits, digits), seed=1)
    assert np.array_equal(again.train.images, mixed.train.images)
    write_npz(tmp_path / "a.npz", digits)
    assert len(load(tmp_path / "a.npz", mix=tmp_path / "a.npz").train) == 44 + 44  # no more than there are
    with pytest.raises(DataError, match="expected one image shape"):
        load(tmp_path / "a.npz", mix="digits")
