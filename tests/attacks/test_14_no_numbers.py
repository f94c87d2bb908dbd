"""NaN, infinity, nothing and odd settings are refused in a line, in training, in prediction, in every container."""

import numpy as np
import pytest

from digitlab.errors import DigitlabError
from digitlab.gradients import check_gradients
from digitlab.nn import mlp
from digitlab.train import RunConfig, Trainer

rng = np.random.default_rng(0)
X, Y = rng.random((20, 3), dtype="float32"), rng.integers(0, 2, 20)


def spoiled(value):
    x = X.copy()
    x[3, 1] = value
    return x


INPUTS = {
    "nan": spoiled(np.nan),
    "infinite": spoiled(np.inf),
    "minus infinite": spoiled(-np.inf),
    "masked": np.ma.masked_array(X, mask=X > 0.9),
    "masked without a mask": np.ma.masked_array(X),
    "empty": X[:0],
    "complex": X * 1j,
    "text": X.astype(str),
    "flat": X.ravel(),
    "deep": X[:, None, None, :, None][..., [0, 0]],
    "a number": np.float32(1),
    "none": None,
    "ragged": [[1.0, 2.0, 3.0], [1.0]],
    "dates": np.zeros((20, 3), "M8[s]"),
    "objects": np.full((20, 3), object()),
    "a dictionary": {},
    "large whole numbers": [[2**70] * 3] * 20,
}


def tensors():
    torch = pytest.importorskip("torch")
    return torch.tensor(X).bfloat16(), torch.tensor(X).to_sparse(), torch.tensor(spoiled(np.nan))


@pytest.mark.slow  # imports PyTorch
def test_tensors(attempts):
    for x in tensors():
        with pytest.raises(DigitlabError):
            mlp([3, 2]).predict(x)
        attempts.count()


@pytest.mark.parametrize("name", INPUTS)
def test_inputs(name, attempts):
    with pytest.raises(DigitlabError):
        mlp([3, 2]).predict(INPUTS[name])
    with pytest.raises(DigitlabError):
        Trainer(mlp([3, 2]), engine="reference").fit((INPUTS[name], Y), epochs=1)
    with pytest.raises(DigitlabError):
        check_gradients(mlp([3, 2]), INPUTS[name], Y)
    attempts.count(3)


@pytest.mark.parametrize("y", [Y * np.nan, Y - 1, Y + 7, Y[:-1], Y[:0], Y * 0.5, None, [2**70] * 20], ids=range(8))
def test_labels(y, attempts):
    with pytest.raises(DigitlabError):
        Trainer(mlp([3, 2]), engine="reference").fit((X, y), epochs=1)
    with pytest.raises(DigitlabError):
        check_gradients(mlp([3, 2]), X, y)
    attempts.count(2)


ODD = [float("nan"), float("inf"), 1.5, "3", None, True, -1, 0, 10**400, [], np.float64("nan")]


@pytest.mark.parametrize("value", ODD, ids=lambda value: str(value)[:9])
def test_settings(value, attempts):
    for setting in ("epochs", "batch_size"):
        with pytest.raises(DigitlabError, match=setting):
            RunConfig(network=mlp([3, 2]), **{setting: value})
        attempts.count()
    with pytest.raises(DigitlabError, match="epochs"):
        Trainer(mlp([3, 2]), engine="reference").fit((X, Y), epochs=value)
    with pytest.raises(DigitlabError, match="batch_size"):
        Trainer(mlp([3, 2]), batch_size=value)
    if not (type(value) in (bool, int) and value >= 1):  # True is 1, and a large one takes all examples at once
        with pytest.raises(DigitlabError, match="batch_size"):
            mlp([3, 2]).predict(X, batch_size=value)
    attempts.count(3)
