"""PyTorch as a witness: the same layer, loss or network there, derived by its autograd, on shapes drawn at random."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from digitlab.nn import (
    ELU,
    GELU,
    CrossEntropy,
    Dense,
    HardSigmoid,
    LeakyReLU,
    Linear,
    LogLikelihood,
    MeanSquaredError,
    Network,
    Normal,
    Quadratic,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)

torch = pytest.importorskip("torch")
F = torch.nn.functional


def hard_sigmoid(x):
    """PyTorch's own is derived with a float32 1/6 in double precision too (2.13), so there it is written out."""
    return F.hardsigmoid(x) if x.dtype == torch.float32 else torch.clamp(x / 6 + 0.5, 0, 1)


ACTIVATIONS = [
    (Linear(), lambda x: x),
    (Sigmoid(), torch.sigmoid),
    (Tanh(), torch.tanh),
    (ReLU(), F.relu),
    (LeakyReLU(), F.leaky_relu),
    (LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2)),
    (ELU(), F.elu),
    (ELU(0.7), lambda x: F.elu(x, 0.7)),
    (GELU(), lambda x: F.gelu(x, approximate="tanh")),
    (Softplus(), F.softplus),
    (SiLU(), F.silu),
    (HardSigmoid(), hard_sigmoid),
]


def smoothed(t, s, classes):
    return t * (1 - s) + s / classes


def one_hot(t, z):
    return t if t.ndim == 2 else F.one_hot(t, z.shape[1]).to(z.dtype)


# Our loss, theirs on (logits, targets, smoothing); targets are labels or soft rows.
LOSSES = {
    "quadratic": (Quadratic, lambda z, t: ((torch.sigmoid(z) - t) ** 2).sum() / (2 * len(z))),
    "cross-entropy": (CrossEntropy, lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="sum") / len(z)),
    "log-likelihood": (LogLikelihood, lambda z, t: F.cross_entropy(z, t)),
    "mean-squared-error": (MeanSquaredError, F.mse_loss),
}
dtypes = pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float64", 1e-10)])
sizes = st.integers(1, 7)
seeds = st.integers(0, 2**16)
everyday = settings(max_examples=15, deadline=None, derandomize=True)


def drawn(seed, *shape, dtype="float64", spread=3.0):
    return (spread * np.random.default_rng(seed).normal(size=shape)).astype(dtype)


def leaf(array):
    return torch.tensor(array, requires_grad=True)


def close(mine, theirs, tolerance):
    """Within the tolerance of the largest number: near 0, float32 has no relative precision to compare."""
    theirs = theirs.detach().numpy()
    assert mine.dtype == theirs.dtype
    assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance * max(1.0, np.abs(theirs).max()))


@dtypes
@given(n=sizes, n_in=sizes, n_out=sizes, biases=st.booleans(), seed=seeds)
@everyday
def test_dense(dtype, tolerance, n, n_in, n_out, biases, seed):
    net = Network([Dense(n_out, Normal(), Normal() if biases else None)], n_in, seed=seed, dtype=dtype)
    layer, x, g = net.layers[0], drawn(seed, n, n_in, dtype=dtype), drawn(seed + 1, n, n_out, dtype=dtype)
    y, cache = layer.forward(x)
    grad_x = layer.backward(g, cache)
    theirs = {name: leaf(p.value) for name, p in layer.params.items()}
    tx = leaf(x)
    ty = F.linear(tx, theirs["W"].T, theirs.get("b"))
    ty.backward(torch.tensor(g))
    close(y, ty, tolerance)
    close(grad_x, tx.grad, tolerance)
    for name, p in layer.params.items():
        close(p.grad, theirs[name].grad, tolerance)


@dtypes
@pytest.mark.parametrize("layer, theirs", ACTIVATIONS, ids=[repr(layer) for layer, _ in ACTIVATIONS])
@given(shape=st.lists(sizes, min_size=2, max_size=4), seed=seeds)
@everyday
def test_activations(dtype, tolerance, layer, theirs, shape, seed):
    x, g = drawn(seed, *shape, dtype=dtype), drawn(seed + 1, *shape, dtype=dtype)
    y, cache = layer.forward(x)
    tx = leaf(x)
    ty = theirs(tx)
    ty.backward(torch.tensor(g))
    close(y, ty, tolerance)
    close(layer.backward(g, cache), tx.grad, tolerance)


@dtypes
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("kind", ["labels", "soft", "arbitrary"])
@given(n=sizes, classes=st.integers(1, 7), smoothing=st.sampled_from([0.0, 0.1, 0.5]), seed=seeds)
@everyday
def test_losses(dtype, tolerance, name, kind, n, classes, smoothing, seed):
    ours, theirs = LOSSES[name]
    rng = np.random.default_rng(seed)
    z = drawn(seed, n, classes, dtype=dtype, spread=5)
    t = {
        "labels": rng.integers(0, classes, n),
        "soft": rng.dirichlet(np.ones(classes), n).astype(dtype),
        "arbitrary": rng.random((n, classes)).astype(dtype),
    }[kind]
    loss = ours(label_smoothing=smoothing)
    value, cache = loss.forward(z, t)
    tz, tt = leaf(z), one_hot(torch.tensor(t), torch.tensor(z))
    their_value = theirs(tz, smoothed(tt, smoothing, classes) if kind == "labels" else tt)
    their_value.backward()
    close(value, their_value, tolerance)
    close(loss.backward(cache), tz.grad, tolerance)


@dtypes
@given(n=sizes, classes=st.integers(2, 7), smoothing=st.sampled_from([0.0, 0.1, 0.5]), seed=seeds)
@everyday
def test_label_smoothing_is_cross_entropys_own(dtype, tolerance, n, classes, smoothing, seed):
    z, t = drawn(seed, n, classes, dtype=dtype), np.random.default_rng(seed).integers(0, classes, n)
    value, cache = LogLikelihood(label_smoothing=smoothing).forward(z, t)
    tz = leaf(z)
    theirs = F.cross_entropy(tz, torch.tensor(t), label_smoothing=smoothing)
    theirs.backward()
    close(value, theirs, tolerance)
    close(LogLikelihood().backward(cache), tz.grad, tolerance)


@dtypes
@pytest.mark.parametrize("name", LOSSES)
@given(sizes=st.lists(sizes, min_size=2, max_size=5), n=sizes, seed=seeds)
@everyday
def test_whole_networks(dtype, tolerance, name, sizes, n, seed):
    ours, theirs = LOSSES[name]
    layers = [layer for size in sizes[1:-1] for layer in (Dense(size), Tanh())] + [Dense(sizes[-1])]
    net = Network(layers, sizes[0], ours(), seed=seed, dtype=dtype)
    x, t = drawn(seed, n, sizes[0], dtype=dtype), np.random.default_rng(seed).integers(0, sizes[-1], n)
    value = net.gradient(x, t)
    parameters = {key: leaf(p.value) for key, p in net.parameters().items()}
    a = torch.tensor(x)
    for i, layer in enumerate(net.layers):
        dense = isinstance(layer, Dense)
        a = a @ parameters[f"{i}.W"] + parameters[f"{i}.b"] if dense else torch.tanh(a)
    their_value = theirs(a, one_hot(torch.tensor(t), a))
    their_value.backward()
    close(value, their_value, tolerance)
    for key, p in net.parameters().items():
        close(p.grad, parameters[key].grad, tolerance)


@pytest.mark.parametrize("size", [100.0, 1e4])
def test_extreme_logits_agree_too(size):
    z = size * np.array([[-1.0, 1, 0.5], [1, 1, -1], [-1, -1, -1]])
    t = np.array([0, 1, 2])
    for ours, theirs in LOSSES.values():
        loss = ours()
        value, cache = loss.forward(z, t)
        tz = leaf(z)
        their_value = theirs(tz, one_hot(torch.tensor(t), tz))
        their_value.backward()
        close(value, their_value, 1e-10)
        close(loss.backward(cache), tz.grad, 1e-10)
