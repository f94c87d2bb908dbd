"""Networks trained by both engines: the fast one must train as the readable one does.

The tolerance. Both compute in float32 and add in different orders, so one step differs by rounding, about 1e-7 of
each number. Over 200 steps the differences may grow, since each step starts from where the last one ended, so
parameters are compared by the way they went: the two ends may be apart by 1 % of the distance from the start
(typically it is a ten-thousandth of that), and losses by 0.1 %, or a ten-thousandth of the largest.
"""

import numpy as np

from digitlab.engine import ReferenceEngine
from digitlab.engine.fast import FastEngine
from digitlab.nn.initializers import Normal
from digitlab.nn.network import Dense, Network


def pixels(rng, *shape, share=0.3):
    """Pictures with few pixels that are not zero, as digits are."""
    return np.where(rng.random(shape) < share, rng.integers(1, 256, shape), 0).astype(np.uint8)


def both(network, optimizer, regularizers, x, y, order, batch_size, threads=1, rate=None, gradient=None, weights=None):
    """The network trained by the reference engine and a copy of it by the fast one, with engines and losses."""
    twin = network.copy()
    slow = ReferenceEngine(network, optimizer, regularizers, examples=len(x), gradient=gradient)
    fast = FastEngine(twin, optimizer, regularizers, examples=len(x), threads=threads, gradient=gradient)
    rates = np.linspace(1, 0.5, -(-len(order) // batch_size)) * (rate or optimizer.learning_rate)
    # Two calls, as a trainer makes many: what one leaves behind must not disturb the next.
    middle = len(rates) // 2
    parts = (order[: middle * batch_size], rates[:middle]), (order[middle * batch_size :], rates[middle:])
    expected, got = (
        np.concatenate([engine.train_batches(x, y, some, batch_size, rate, weights) for some, rate in parts])
        for engine in (slow, fast)
    )
    return twin, slow, fast, expected, got


def assert_twins(
    network,
    optimizer,
    regularizers,
    x,
    y,
    batch_size,
    steps=200,
    threads=1,
    tolerance=0.01,
    rest=1,
    gradient=None,
    weights=None,
):
    """200 steps by each engine, the last batch `rest` examples short."""
    start = {name: p.value.copy() for name, p in network.parameters().items()}
    order = np.random.default_rng(5).integers(0, len(x), steps * batch_size - min(rest, batch_size - 1))
    twin, slow, fast, expected, got = both(
        network, optimizer, regularizers, x, y, order, batch_size, threads, gradient=gradient, weights=weights
    )
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4 * expected.max())
    for name, p in network.parameters().items():
        q = twin.parameters()[name]
        assert q.value.dtype == np.float32 and q.value.shape == p.value.shape
        apart, way = np.linalg.norm(p.value - q.value), np.linalg.norm(p.value - start[name])
        assert apart <= tolerance * way + 1e-5, f"{name}: {apart} apart after a way of {way}"
    for name, value in network.state().items():  # running means, too
        np.testing.assert_allclose(twin.state()[name], value, rtol=0.02, atol=1e-4 + 0.01 * np.max(np.abs(value)))
    mine, theirs = fast.state(), slow.state()
    assert mine.keys() == theirs.keys()
    for name in mine:
        assert mine[name].keys() == theirs[name].keys()
        for key, value in theirs[name].items():
            np.testing.assert_allclose(mine[name][key], value, rtol=0.02, atol=1e-4 + 0.01 * np.max(np.abs(value)))


def chain(sizes, activation, loss, seed, scaling="/255"):
    layers = []
    for size in sizes[1:-1]:
        layers += [Dense(size, biases=Normal()), activation]
    # A layer has one place, so each activation is a new one.
    layers = [type(layer)(**_choices(layer)) if isinstance(layer, type(activation)) else layer for layer in layers]
    return Network([*layers, Dense(sizes[-1])], sizes[0], loss, seed=seed, scaling=scaling)


def _choices(layer):
    return {key: getattr(layer, key) for key in ("slope", "alpha") if hasattr(layer, key)}
