"""Every kernel against its readable twin: the fast engine must train as the reference engine does.

The tolerance. Both compute in float32 and add in different orders, so one step differs by rounding, about 1e-7 of
each number. Over 200 steps the differences may grow, since each step starts from where the last one ended, so
parameters are compared by the way they went: the two ends may be apart by 1 % of the distance from the start
(typically it is a ten-thousandth of that), and losses by 0.1 %, or a
ten-thousandth of the largest.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.engine import ReferenceEngine
from digitlab.engine.fast import FastEngine
from digitlab.nn import activations as act
from digitlab.nn import freeze
from digitlab.nn.bias import Bias
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.gradients.rashid import RashidRule
from digitlab.nn.initializers import Normal
from digitlab.nn.losses import CrossEntropy, LogLikelihood, MeanSquaredError
from digitlab.nn.network import Dense, Network, Quadratic, Sigmoid
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.regularizers import L1, L2, MaxNorm
from digitlab.nn.reshaping import Flatten
from digitlab.optimizers import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp

ACTIVATIONS = [
    act.Linear(), Sigmoid(), act.Tanh(), act.ReLU(), act.LeakyReLU(0.1), act.ELU(0.7), act.GELU(), act.Softplus(),
    act.SiLU(), act.HardSigmoid(),
]  # fmt: skip
LOSSES = [Quadratic(), CrossEntropy(0.1), LogLikelihood(), LogLikelihood(0.2), MeanSquaredError(low=0.01, high=0.99)]
OPTIMIZERS = [SGD(0.2), Momentum(0.05, 0.8), Nesterov(0.05, 0.8), RMSProp(0.002), Adam(0.003), AdamW(0.003)]
REGULARIZERS = [(), (L2(0.5),), (MaxNorm(0.9),), (L2(0.2), MaxNorm(1.1))]


def pixels(rng, *shape, share=0.3):
    """Pictures with few pixels that are not zero, as digits are."""
    return np.where(rng.random(shape) < share, rng.integers(1, 256, shape), 0).astype(np.uint8)


def both(network, optimizer, regularizers, x, y, order, batch_size, threads=1, rate=None, gradient=None):
    """The network trained by the reference engine and a copy of it by the fast one, with engines and losses."""
    twin = network.copy()
    slow = ReferenceEngine(network, optimizer, regularizers, examples=len(x), gradient=gradient)
    fast = FastEngine(twin, optimizer, regularizers, examples=len(x), threads=threads, gradient=gradient)
    rates = np.linspace(1, 0.5, -(-len(order) // batch_size)) * (rate or optimizer.learning_rate)
    expected = slow.train_batches(x, y, order, batch_size, rates)
    got = fast.train_batches(x, y, order, batch_size, rates)
    return twin, slow, fast, expected, got


def assert_twins(
    network, optimizer, regularizers, x, y, batch_size, steps=200, threads=1, tolerance=0.01, rest=1, gradient=None
):
    """200 steps by each engine, the last batch `rest` examples short."""
    start = {name: p.value.copy() for name, p in network.parameters().items()}
    order = np.random.default_rng(5).integers(0, len(x), steps * batch_size - min(rest, batch_size - 1))
    twin, slow, fast, expected, got = both(
        network, optimizer, regularizers, x, y, order, batch_size, threads, gradient=gradient
    )
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4 * expected.max())
    for name, p in network.parameters().items():
        q = twin.parameters()[name]
        assert q.value.dtype == np.float32 and q.value.shape == p.value.shape
        apart, way = np.linalg.norm(p.value - q.value), np.linalg.norm(p.value - start[name])
        assert apart <= tolerance * way + 1e-5, f"{name}: {apart} apart after a way of {way}"
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
    # A layer has one place, so each activation is made anew.
    layers = [type(layer)(**_choices(layer)) if isinstance(layer, type(activation)) else layer for layer in layers]
    return Network([*layers, Dense(sizes[-1])], sizes[0], loss, seed=seed, scaling=scaling)


def _choices(layer):
    return {key: getattr(layer, key) for key in ("slope", "alpha") if hasattr(layer, key)}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 70), *[st.integers(1, 40)] * 2, st.integers(2, 17)),
    activation=st.sampled_from(ACTIVATIONS),
    loss=st.sampled_from(LOSSES),
    optimizer=st.sampled_from(OPTIMIZERS),
    regularizers=st.sampled_from(REGULARIZERS),
    batch_size=st.integers(1, 13),
    scaling=st.sampled_from(["/255", "0.01-1", "/256"]),
    kind=st.sampled_from(["few pixels", "many pixels", "floats", "few floats"]),
    soft=st.booleans(),
    threads=st.integers(1, 2),
    seed=st.integers(0, 1000),
)
def test_chains_of_dense_layers(
    sizes, activation, loss, optimizer, regularizers, batch_size, scaling, kind, soft, threads, seed
):
    rng = np.random.default_rng(seed)
    x = pixels(rng, 40, sizes[0], share=0.9 if kind.startswith("many") else 0.2)
    if kind.endswith("floats"):
        x = x.astype(np.float32) / 255 if kind.startswith("few") else rng.normal(size=x.shape).astype(np.float32)
    y = rng.random((40, sizes[-1]), dtype=np.float32) if soft else rng.integers(0, sizes[-1], 40)
    network = chain(sizes, activation, loss, seed, scaling)
    assert_twins(network, optimizer, regularizers, x, y, batch_size, threads=threads)


def test_the_books_network():
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 300, 784, share=0.19), rng.integers(0, 10, 300)
    network = Network([Dense(30, Normal(), Normal()), Sigmoid(), Dense(10, Normal(), Normal())], 784)
    assert_twins(network, SGD(3.0), (), x, y, batch_size=10)


def test_rashids_network():
    """No biases, single examples, and an offset: no input is zero, and the sparse layer must know it."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 100, 784, share=0.19), rng.integers(0, 10, 100)
    network = Network(
        [Dense(100, biases=None), Sigmoid(), Dense(10, biases=None)],
        784, Quadratic(low=0.01, high=0.99), scaling="0.01-1",
    )  # fmt: skip
    assert_twins(network, SGD(0.1), (), x, y, batch_size=1)


@pytest.mark.parametrize("sizes", [(784, 100, 10), (50, 20, 13, 7), (50, 7)])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_rashids_rule(sizes, batch_size):
    """Errors that go back without the later layers' slopes; without a hidden layer it is the true gradient."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 100, sizes[0], share=0.19), rng.integers(0, sizes[-1], 100)
    network = chain(sizes, Sigmoid(), Quadratic(low=0.01, high=0.99), 1, "0.01-1")
    assert_twins(network, SGD(0.3), (L2(0.1),), x, y, batch_size, threads=2, gradient=RashidRule())


def test_a_decay_so_strong_that_the_lazy_scale_is_folded_in():
    """Each step leaves a third of the weights: s leaves its range every few steps."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 50, 60), rng.integers(0, 4, 50)
    for scaling in ("/255", "0.01-1"):
        for threads in (1, 2):
            network = chain((60, 12, 4), Sigmoid(), CrossEntropy(), 3, scaling)
            assert_twins(network, SGD(0.5), (L2(65.0),), x, y, 5, threads=threads)


def test_l1():
    """Near zero the sign of a weight is rounding's choice, so the twins part a little there: fewer steps."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 50, 60), rng.integers(0, 4, 50)
    network = chain((60, 12, 4), act.Tanh(), LogLikelihood(), 3)
    assert_twins(network, SGD(0.1), (L1(0.1),), x, y, 5, steps=20)


PICTURES = {
    "sigmoid before the pool": lambda: [Conv2D(20, 5), Sigmoid(), MaxPool2D(2)],
    "ReLU after the pool, padding": lambda: [Conv2D(5, 3, padding="same"), MaxPool2D(2), act.ReLU()],
    "two of them": lambda: [
        Conv2D(9, 3), act.ReLU(), MaxPool2D(2), Conv2D(12, (2, 3), padding=1, biases=Normal()), MaxPool2D(2), act.Tanh()
    ],
    "a pool of 3, biases after it": lambda: [
        Conv2D(33, (3, 2), biases=None), MaxPool2D(3), Bias(Normal()), act.ELU()
    ],
}  # fmt: skip


@pytest.mark.parametrize("layers", PICTURES.values(), ids=PICTURES.keys())
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("optimizer", [SGD(0.05), Adam(0.002)])
def test_pictures(layers, channels, optimizer):
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 30, 12, 11, channels), rng.integers(0, 6, 30)
    network = Network([*layers(), Flatten(), Dense(17), Sigmoid(), Dense(6)], (12, 11, channels), LogLikelihood())
    assert_twins(network, optimizer, (L2(0.1), MaxNorm(2.0)), x, y, 7, steps=60, threads=1 + channels // 2)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    height=st.integers(6, 15), width=st.integers(6, 15), channels=st.integers(1, 4),
    filters=st.tuples(st.integers(1, 35), st.integers(1, 35)), kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    padding=st.sampled_from([0, 1, "same"]), pool=st.integers(1, 3), deep=st.booleans(),
    activation=st.sampled_from([Sigmoid, act.ReLU, act.LeakyReLU, act.Softplus]), before=st.booleans(),
    batch_size=st.integers(1, 9), threads=st.integers(1, 2), seed=st.integers(0, 1000),
)  # fmt: skip
def test_drawn_pictures(
    height, width, channels, filters, kernel, padding, pool, deep, activation, before, batch_size, threads, seed
):
    rng = np.random.default_rng(seed)
    x, y = pixels(rng, 20, height, width, channels), rng.integers(0, 5, 20)
    layers = []
    for n, p in zip(filters[: 1 + deep], (padding, "same")):
        tail = [activation(), MaxPool2D(pool)] if before else [MaxPool2D(pool), activation()]
        layers += [Conv2D(n, kernel, padding=p), *tail]
        pool = 1  # the second pool leaves the picture as it is
    network = Network([*layers, Flatten(), Dense(5)], (height, width, channels), LogLikelihood(), seed=seed)
    assert_twins(network, SGD(0.01), (), x, y, batch_size, steps=40, threads=threads)


CONNECTIONS = [[1, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
WINDOWS = {
    "strides, dilation, padding": lambda: [
        Conv2D(9, 3, stride=2, biases=Normal()), act.ReLU(),
        Conv2D(12, (2, 3), stride=(1, 2), padding=1, dilation=(2, 1)), act.Tanh(), Flatten(),
    ],
    "an average first, GELU between, pools that overlap": lambda: [
        AveragePool2D(2), Conv2D(5, 3, biases=None), act.GELU(), MaxPool2D(3, stride=1), Flatten()
    ],
    "all the way to one number a channel": lambda: [
        Conv2D(33, 3, padding="same"), act.SiLU(), AveragePool2D((3, 2), stride=1), Conv2D(4, 2), GlobalAveragePool()
    ],
    "channels connected by a mask": lambda: [Conv2D(5, 3, connections=CONNECTIONS), MaxPool2D(2), Sigmoid(), Flatten()],
    "a pool alone": lambda: [MaxPool2D((2, 3)), Flatten()],
    "dropout and an activation before the first weights": lambda: [Dropout(0.0), act.Tanh(), Conv2D(3, 4), Flatten()],
}  # fmt: skip


@pytest.mark.parametrize("layers", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.parametrize("optimizer", [SGD(0.05), Momentum(0.02, 0.8), Adam(0.002)])
@pytest.mark.parametrize("threads", [1, 2])
def test_windows_of_every_kind(layers, optimizer, threads):
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 30, 12, 11, 2), rng.integers(0, 6, 30)
    network = Network([*layers(), Dense(17), Sigmoid(), Dense(6)], (12, 11, 2), LogLikelihood(), seed=3)
    assert_twins(network, optimizer, (L2(0.1), MaxNorm(1.5)), x, y, 7, steps=60, threads=threads)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    height=st.integers(7, 13), width=st.integers(7, 13), channels=st.integers(1, 4), filters=st.integers(1, 35),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)), stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2), padding=st.sampled_from([0, 1, "same"]),
    pool=st.sampled_from([MaxPool2D, AveragePool2D]), size=st.integers(1, 2), step=st.integers(1, 3),
    batch_size=st.integers(1, 9), threads=st.integers(1, 2), seed=st.integers(0, 1000),
)  # fmt: skip
def test_drawn_windows(
    height, width, channels, filters, kernel, stride, dilation, padding, pool, size, step, batch_size, threads, seed
):
    rng = np.random.default_rng(seed)
    x, y = pixels(rng, 20, height, width, channels), rng.integers(0, 5, 20)
    conv = Conv2D(filters, kernel, stride=stride, dilation=dilation, padding=padding)
    size = min(size, *conv.windows((height, width, channels)).count)
    layers = [conv, act.GELU(), Conv2D(3, 1), pool(size, stride=step), act.Tanh(), Flatten(), Dense(5)]
    network = Network(layers, (height, width, channels), LogLikelihood(), seed=seed)
    assert_twins(network, SGD(0.02), (), x, y, batch_size, steps=40, threads=threads)


FREEZES = {
    "a layer": [("0", None)],
    "a layer in the middle": [("2", None)],
    "weights only": [("0.W", None), ("2.b", None)],
    "single weights": [("0.W", np.s_[3:20, ::2]), ("2.W", np.s_[1]), ("2.b", np.s_[:5])],
}


@pytest.mark.parametrize("freezes", FREEZES.values(), ids=FREEZES.keys())
@pytest.mark.parametrize("optimizer", [SGD(0.3), Momentum(0.1, 0.5), AdamW(0.003)])
@pytest.mark.parametrize("kind", ["few pixels", "floats"])
def test_frozen_weights_stay_and_the_others_learn(freezes, optimizer, kind):
    rng = np.random.default_rng(2)
    x, y = pixels(rng, 40, 50), rng.integers(0, 7, 40)
    x = x if kind == "few pixels" else rng.normal(size=x.shape).astype(np.float32)
    network = chain((50, 24, 12, 7), Sigmoid(), LogLikelihood(), 4)
    for name, where in freezes:
        freeze(network, name, where)
    assert_twins(network, optimizer, (L2(0.5), MaxNorm(1.0)), x, y, 6, steps=50, threads=2)


def test_a_frozen_convolution_with_biases_that_learn():
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 30, 12, 11, 1), rng.integers(0, 6, 30)
    for frozen in ("0.W", "0.b", "0", "3.W"):
        for where in (None, np.s_[..., ::2]):
            layers = [Conv2D(9, 3), MaxPool2D(2), act.ReLU(), Conv2D(4, 2), Flatten(), Dense(6)]
            network = Network(layers, (12, 11, 1), LogLikelihood(), seed=3)
            freeze(network, frozen, where if "." in frozen else None)
            assert_twins(network, Adam(0.01), (L2(0.1),), x, y, 7, steps=30, threads=2)


def test_connection_masks_of_dense_layers():
    rng = np.random.default_rng(2)
    x, y = pixels(rng, 40, 50), rng.integers(0, 7, 40)
    first, second = rng.integers(0, 2, (50, 24)).tolist(), rng.integers(0, 2, (24, 7)).tolist()
    for optimizer in (SGD(0.3), Adam(0.01)):
        network = Network([Dense(24, connections=first), Sigmoid(), Dense(7, connections=second)], 50, LogLikelihood())
        freeze(network, "2.W", np.s_[:4])
        assert_twins(network, optimizer, (L2(0.5),), x, y, 6, steps=50, threads=2)
        engine = FastEngine(network, optimizer, examples=40)
        engine.train_batches(x, y, np.arange(40), 10, np.full(4, 0.01))
        assert not network.parameters()["0.W"].value[np.array(first) == 0].any()


def example(seed=0, dropout=0.0):
    rng = np.random.default_rng(seed)
    x, y = pixels(rng, 60, 50), rng.integers(0, 7, 60)
    layers = [Dense(24), Sigmoid(), *([Dropout(dropout)] if dropout is not None else []), Dense(7)]
    return Network(layers, 50, LogLikelihood(), seed=seed), x, y


def train(network, x, y, threads=1, steps=30, optimizer=None, rate=0.3):
    engine = FastEngine(network, optimizer or SGD(rate), examples=len(x), threads=threads)
    order = np.random.default_rng(2).integers(0, len(x), steps * 6)
    return engine.train_batches(x, y, order, 6, np.full(steps, rate))


def test_the_gradient_is_the_one_of_the_mathematics():
    """One step of SGD in float32 against the float64 gradient of the readable network."""
    network, x, y = example(dropout=None)
    exact = Network([Dense(24), Sigmoid(), Dense(7)], 50, LogLikelihood(), dtype="float64", seed=0)
    exact.load_state(network.state())
    exact.gradient(x[:6], y[:6])
    before = {name: p.value.copy() for name, p in network.parameters().items()}
    FastEngine(network, SGD(1.0)).train_batches(x, y, np.arange(6), 6, [1.0])
    for name, p in exact.parameters().items():
        np.testing.assert_allclose(before[name] - network.parameters()[name].value, p.grad, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("optimizer", [SGD(0.3), Adam(0.01)])
@pytest.mark.parametrize("dropout", [None, 0.4])
def test_the_same_bits_whenever_and_on_however_many_threads(optimizer, dropout):
    results = []
    for threads in (1, 1, 2, 3):
        network, x, y = example(dropout=dropout)
        losses = train(network, x, y, threads, optimizer=optimizer, rate=optimizer.learning_rate)
        results.append((losses, network.state()))
    for losses, state in results[1:]:
        assert np.array_equal(losses, results[0][0])
        assert all(np.array_equal(state[name], array) for name, array in results[0][1].items())


def test_dropout_at_rate_0_is_no_dropout():
    (a, x, y), (b, _, _) = example(dropout=0.0), example(dropout=None)
    b.load_state({name.replace("3.", "2."): array for name, array in a.state().items()})
    assert np.array_equal(train(a, x, y), train(b, x, y))


def test_dropout_leaves_out_its_share_and_scales_the_rest():
    """In one step on one example, the weights leading from a neuron that was left out stay as they are."""
    rate, n = 0.3, 4000
    network = Network([Dense(n), Dropout(rate), Dense(1)], 4, MeanSquaredError(), seed=1)
    hidden = network.layers[0].forward(np.ones((1, 4), np.float32))[0][0]
    before = network.layers[2].params["W"].value[:, 0].copy()
    FastEngine(network, SGD(0.001)).train_batches(
        np.ones((1, 4), np.float32), np.ones((1, 1), np.float32), [0], 1, [0.001]
    )
    moved = network.layers[2].params["W"].value[:, 0] - before
    left_out = moved == 0
    assert abs(left_out.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / n)
    ratio = moved[~left_out] / hidden[~left_out]
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=0.05, atol=abs(np.median(ratio)) * 0.05)


def test_dropout_masks_change_from_step_to_step():
    network, x, y = example(dropout=0.5)
    losses = FastEngine(network, SGD(1e-9)).train_batches(x, y, np.zeros(50, int), 1, np.full(50, 1e-9))
    assert len(np.unique(losses)) > 40


def test_learning_goes_on_from_a_loaded_state():
    """Half the steps by one engine, the other half by another: the reference engine, or the fast one again."""
    optimizer = Adam(0.01)
    for first, second in ((FastEngine, FastEngine), (ReferenceEngine, FastEngine), (FastEngine, ReferenceEngine)):
        network, x, y = example(dropout=None)
        straight = network.copy()
        order = np.random.default_rng(2).integers(0, 60, 240)
        rates = np.full(40, 0.01)
        expected = ReferenceEngine(straight, optimizer).train_batches(x, y, order, 6, rates)
        one = first(network, optimizer)
        one.train_batches(x, y, order[:120], 6, rates[:20])
        copy = network.copy()
        other = second(network, optimizer)
        network.load_state(copy.state())
        other.load_state(one.state())
        losses = other.train_batches(x, y, order[120:], 6, rates[20:])
        np.testing.assert_allclose(losses, expected[20:], rtol=1e-4)


def test_parameters_may_be_replaced_between_calls():
    network, x, y = example(dropout=None)
    start = network.copy()
    engine = FastEngine(network, SGD(0.3))
    first = engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3))
    network.load_state(start.state())
    assert np.array_equal(engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3)), first)


def test_divergence_stops_before_the_update():
    for value in (1e25, np.nan):
        network = Network([Dense(5), act.ReLU(), Dense(3)], 4, MeanSquaredError())
        x, y = np.ones((20, 4), np.float32), np.zeros(20, int)
        x[13] = value
        with np.errstate(over="ignore", invalid="ignore"):
            _, _, _, expected, got = both(network, SGD(0.01), (), x, y, np.arange(20), 2)
        assert len(got) == len(expected) == 7
        assert np.isfinite(got[:6]).all() and not np.isfinite(got[6])
        assert all(np.isfinite(p.value).all() for p in network.parameters().values())


def test_the_arrays_handed_out_stay_as_they_are():
    network, x, y = example(dropout=None)
    engine = FastEngine(network, SGD(0.3))
    engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3))
    held = network.parameters()["0.W"].value
    copy = held.copy()
    engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3))
    assert np.array_equal(held, copy)


def test_networks_trained_at_the_same_time_do_not_meet():
    networks = [example(seed) for seed in range(4)]
    alone = [train(network.copy(), x, y) for network, x, y in networks]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: train(*one), networks))
    for a, b in zip(alone, together):
        assert np.array_equal(a, b)
