"""Every container that a person has, and what comes out of it: the same numbers, in NumPy arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_array_equal
from scipy import sparse

from digitlab.convert import as_array, as_examples
from digitlab.data import Digits
from digitlab.errors import DataError, ShapeError

X = np.arange(24, dtype=np.uint8).reshape(4, 6)
Y = np.array([0, 1, 2, 0])


class MapStyle:
    """A data set as torch's: a length and items, and no IndexError at the end."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i % len(self.items)]


class Frame:
    """What a pandas DataFrame or Series shows of itself here."""

    columns = ("a", "b")

    def __init__(self, values):
        self.values = values

    def to_numpy(self):
        return self.values


class H5:
    """What an h5py data set shows of itself: a shape, a dtype, and its numbers on request."""

    shape, dtype = X.shape, X.dtype

    def __array__(self, dtype=None, copy=None):
        return X


PAIRS = [(x, int(y)) for x, y in zip(X, Y)]
SETS = {
    "pair of arrays": (X, Y),
    "list of two arrays": [X, Y],
    "pair of lists of arrays": (list(X), Y.tolist()),
    "Digits": Digits(X.reshape(4, 2, 3), Y),
    "list of pairs": PAIRS,
    "tuple of pairs": tuple(PAIRS),
    "list of lists": [list(pair) for pair in PAIRS],
    "zip": zip(X, Y),
    "generator": (pair for pair in PAIRS),
    "generator of batches": ((X[i : i + 2], Y[i : i + 2]) for i in (0, 2)),
    "map-style data set": MapStyle(PAIRS),
    "map-style data set of batches": MapStyle([(X[:3], Y[:3]), (X[3:], Y[3:])]),
    "data set of mappings": MapStyle([{"image": x, "label": y} for x, y in PAIRS]),
    "mapping": {"images": X, "labels": Y},
    "scikit-learn's": {"data": X, "target": Y, "images": X.reshape(4, 2, 3)},
    "tables": (Frame(X), Frame(Y)),
    "SciPy sparse rows": (sparse.csr_matrix(X), Y),
    "h5py": (H5(), Y),
    "array of objects": (X.astype(object), Y.astype(object)),
}


@pytest.mark.parametrize("name", SETS)
def test_every_container_gives_the_same_examples(name):
    data = SETS[name]
    if name in ("zip", "generator"):  # used up by the first test run in this process
        data = zip(X, Y) if name == "zip" else (pair for pair in PAIRS)
    x, y = as_examples(data)
    assert_array_equal(x.reshape(4, 6), X)
    assert_array_equal(y, Y)
    if name != "array of objects":
        assert x.dtype == np.uint8, "bytes stay bytes"


def test_pandas():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X).assign(label=Y)
    x, y = as_examples((table.drop(columns="label"), table["label"]))
    assert_array_equal(x, X)
    assert_array_equal(y, Y)
    with pytest.raises(DataError, match=r"one DataFrame without targets.*table\.drop\(columns='label'\)"):
        as_examples(table)


def test_h5py(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "set.h5", "w") as file:
        file["x"], file["y"] = X, Y
        for form in (file, (file["x"], file["y"])):
            x, y = as_examples(form)
            assert_array_equal(x, X)
            assert_array_equal(y, Y)


def test_torch():
    torch = pytest.importorskip("torch")
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    data = torch.utils.data.TensorDataset(x, y)
    for form in ((x, y), data, torch.utils.data.DataLoader(data, batch_size=3), list(data), (x, Y)):
        a, b = as_examples(form)
        assert_array_equal(a, X)
        assert_array_equal(b, Y)
        assert a.dtype == np.uint8


@given(npst.arrays(st.sampled_from(["u1", "i4", "i8", "f4", "f8", "?"]), npst.array_shapes(min_dims=1, max_dims=4)))
def test_arrays_and_their_lists_keep_their_numbers(values):
    assert as_array(values) is values
    assert_array_equal(as_array(values.tolist()), values)
    again = as_array(list(values))
    assert_array_equal(again, values)
    assert again.dtype == values.dtype


@pytest.mark.parametrize(
    "error, words, data",
    [
        (DataError, "got NoneType; expected Digits", None),
        (DataError, "got str; expected Digits", "mnist"),
        (DataError, "got an empty list; expected at least one", []),
        (DataError, "got one ndarray without targets; expected a pair", X),
        (DataError, "got a tuple of 3 arrays; expected Digits or a pair", (X, Y, Y)),
        (DataError, "example 0 is a tuple of 3; expected", [(X[0], 1, 1.0)]),
        (DataError, "got different shapes", [(X[0], 1), (X[0, :3], 1)]),
        (DataError, "uint8 and float64 together", [(X[0], 1), (X[0] / 255, 1)]),
        (DataError, "got a table with a, b; expected names such as 'image' and 'label'", {"a": X, "b": Y}),
        (DataError, "rows of different lengths", ([[1, 2], [3]], [0, 1])),
        (DataError, "among the values; expected numbers", (np.array([[None, 1]], object), [0])),
        (ShapeError, r"inputs of shape \(4, 6\) with targets of shape \(3,\)", (X, Y[:3])),
        (ShapeError, "expected one row of inputs per target", (np.float64(1), np.float64(2))),
    ],
)
def test_what_is_no_set_of_examples(error, words, data):
    with pytest.raises(error, match=words) as raised:
        as_examples(data, "training set")
    assert str(raised.value).startswith("training set")
    assert "\n" not in str(raised.value)


def test_splits_are_three_sets():
    from digitlab import load

    with pytest.raises(DataError, match=r"got Splits; expected one of its sets, such as splits\.train"):
        as_examples(load("digits"))
