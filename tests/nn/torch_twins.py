"""PyTorch as the judge: our layers and PyTorch's functions on the same numbers, forward and backward."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")

# oneDNN's convolution of one channel with stride (1, 2) reads past its input on some processors and returns numbers
# such as -1e31 (PyTorch 2.13.0). PyTorch's own kernels are right, and they are the truth here.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch.backends.mkldnn.set_flags(False)

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def drawn(seed: int, *shape: int, dtype: str = "float64") -> np.ndarray:
    """Numbers around 0."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def leaf(array: np.ndarray) -> "torch.Tensor":
    """A tensor whose gradient PyTorch keeps."""
    return torch.tensor(array).requires_grad_()


def nchw(x: "torch.Tensor") -> "torch.Tensor":
    """Our layout, channels last, as PyTorch's."""
    return x.movedim(-1, 1)


def nhwc(x: "torch.Tensor") -> "torch.Tensor":
    """PyTorch's layout as ours."""
    return x.movedim(1, -1)


def assert_agree(mine: np.ndarray, theirs: "torch.Tensor | np.ndarray", dtype: str) -> None:
    """Equal to 1e-5 of the largest number in float32, to 1e-10 in float64."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert mine.dtype == theirs.dtype
    tolerance = TOLERANCE[dtype]
    assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance * max(1.0, np.abs(theirs).max(initial=0)))
