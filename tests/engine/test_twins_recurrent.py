"""Recurrent layers: kernels against their readable twins (twins.py says how closely) and against PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.engine.fast import FastEngine, Predictor
from digitlab.nn import freeze
from digitlab.nn.bidirectional import Bidirectional
from digitlab.nn.conv import Conv2D
from digitlab.nn.initializers import Normal
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network
from digitlab.nn.recurrent import GRU, LSTM, SimpleRNN
from digitlab.nn.reshaping import Reshape
from digitlab.optim import SGD, Adam, AdamW, Momentum
from digitlab.optim.regularizers import L2, MaxNorm

from .twins import assert_twins, pixels

B = {"biases": Normal(0.3)}
STACKS = {
    "SimpleRNN": lambda: [SimpleRNN(9, **B)],
    "LSTM": lambda: [LSTM(9, **B)],
    "GRU": lambda: [GRU(9, **B)],
    "GRU, reset before": lambda: [GRU(9, reset="before", **B)],
    "whole vectors": lambda: [LSTM(40, **B)],
    "reverse": lambda: [GRU(20, reverse=True, **B)],
    "stacked": lambda: [LSTM(13, "all", **B), LSTM(8, "all", reverse=True, **B), SimpleRNN(4, **B)],
    "stacked GRU": lambda: [GRU(20, "all", **B), GRU(7, "all", reset="before", **B), GRU(33, **B)],
    "bidirectional": lambda: [Bidirectional(LSTM(9, **B))],
    "bidirectional, stacked": lambda: [
        Bidirectional(GRU(6, "all", **B)),
        Bidirectional(SimpleRNN(11, "all", **B)),
        Bidirectional(LSTM(5, reverse=True, **B)),
    ],
    "all states": lambda: [SimpleRNN(6, "all", **B)],
}


def examples(steps=7, features=6, count=40):
    rng = np.random.default_rng(0)
    return pixels(rng, count, steps, features), rng.integers(0, 5, count)


def network(layers, steps=7, features=6):
    shape = Network(layers, (steps, features), allow_output_activation=True).shapes[-1]
    return Network([*layers, Reshape((int(np.prod(shape)),)), Dense(5)], (steps, features), LogLikelihood(), seed=3)


@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS.keys())
def test_each_cell_and_stack(layers):
    x, y = examples()
    assert_twins(network(layers()), Adam(0.01), (L2(0.3), MaxNorm(0.9)), x, y, 7, steps=50, threads=2, rest=3)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    steps=st.integers(1, 9),
    features=st.integers(1, 40),
    cells=st.lists(st.sampled_from([SimpleRNN, LSTM, GRU]), min_size=1, max_size=3),
    units=st.lists(st.integers(1, 70), min_size=3, max_size=3),
    reverse=st.lists(st.booleans(), min_size=3, max_size=3),
    both_ways=st.lists(st.booleans(), min_size=3, max_size=3),
    before=st.booleans(),
    optimizer=st.sampled_from([SGD(0.03), Momentum(0.01, 0.8), Adam(0.003), AdamW(0.003)]),
    batch_size=st.integers(1, 21),
    threads=st.integers(1, 3),
)
def test_stacks_of_any_size(steps, features, cells, units, reverse, both_ways, before, optimizer, batch_size, threads):
    x, y = examples(steps, features)
    layers = []
    for k, cell in enumerate(cells):
        choices = {"reset": "before"} if cell is GRU and before else {}
        layer = cell(units[k], "all" if k + 1 < len(cells) else "last", reverse[k], **choices, **B)
        layers.append(Bidirectional(layer) if both_ways[k] else layer)
    assert_twins(network(layers, steps, features), optimizer, (), x, y, batch_size, steps=50, threads=threads)


@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS.keys())
def test_the_same_bits_for_any_number_of_threads(layers):
    x, y = examples()
    start, states = network(layers()), []
    for threads in (1, 2, 3, 5):
        trained = start.copy()
        engine = FastEngine(trained, Adam(0.01), examples=40, threads=threads)
        engine.train_batches(x, y, np.arange(40), 11, np.full(4, 0.01))
        states.append(trained.state())
    for other in states[1:]:
        for name, array in states[0].items():
            np.testing.assert_array_equal(array, other[name], err_msg=name)


@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS.keys())
def test_predictions(layers):
    x, _ = examples(count=70)
    trained = network(layers())
    expected, predictor = trained.predict(x), Predictor(trained)
    for n in (1, 5, 33, 70):
        np.testing.assert_allclose(predictor(x[:n]), expected[:n], rtol=1e-5, atol=1e-6)
    for p in trained.parameters().values():
        p.value = -p.value
    np.testing.assert_allclose(predictor(x), trained.predict(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("frozen", ["0", "0.W", "0.U", "0.b", "1.v", "1", "0.U ::2", "0.b ::2", "1.v ::2", "1.U ::2"])
def test_frozen_parameters(frozen):
    x, y = examples()
    trained = network([LSTM(9, "all", **B), GRU(10, **B)])
    name, _, some = frozen.partition(" ")
    freeze(trained, name, np.s_[::2] if some else None)
    assert_twins(trained, AdamW(0.003), (L2(0.5), MaxNorm(1.0)), x, y, 7, steps=50, threads=2)


def test_behind_a_convolution():
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 40, 8, 7, 1), rng.integers(0, 5, 40)
    layers = [Conv2D(3, 3), Reshape((6, 15)), Bidirectional(LSTM(6)), Dense(5)]
    trained = Network(layers, (8, 7, 1), LogLikelihood(), seed=1)
    assert_twins(trained, Adam(0.01), (), x, y, 9, steps=50, threads=2)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("both_ways", [False, True])
def test_as_pytorch_trains(kind, both_ways):
    """Three layers, ten steps of gradient descent from the same weights."""
    torch = pytest.importorskip("torch")
    cell = {"RNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}[kind]
    layers = [cell(9, "all", **B), cell(9, "all", **B), cell(9, **B)]
    if both_ways:
        layers = [Bidirectional(layer) for layer in layers]
    ours = Network([*layers, Dense(5)], (7, 6), LogLikelihood(), seed=3)
    x, y = examples()
    x = x.astype(np.float32) / 255
    reader = getattr(torch.nn, kind)(6, 9, num_layers=3, batch_first=True, bidirectional=both_ways)
    last = torch.nn.Linear(18 if both_ways else 9, 5)
    values = {name: torch.from_numpy(p.value.T.copy()) for name, p in ours.parameters().items()}
    theirs = dict(reader.named_parameters())
    with torch.no_grad():
        for k in range(3):
            for side, suffix in ((".forward", ""), (".backward", "_reverse")) if both_ways else (("", ""),):
                theirs[f"weight_ih_l{k}{suffix}"].copy_(values[f"{k}{side}.W"])
                theirs[f"weight_hh_l{k}{suffix}"].copy_(values[f"{k}{side}.U"])
                theirs[f"bias_ih_l{k}{suffix}"].copy_(values[f"{k}{side}.b"])
                rest = theirs[f"bias_hh_l{k}{suffix}"].zero_()  # one with bias_ih here, but for a GRU's last third
                rest.register_hook(lambda g: torch.cat([0 * g[:18], g[18:]]) if kind == "GRU" else 0 * g)
                if kind == "GRU":
                    rest[18:].copy_(values[f"{k}{side}.v"])
        last.weight.copy_(values["3.W"])
        last.bias.copy_(values["3.b"])
    optimizer = torch.optim.SGD([*reader.parameters(), *last.parameters()], lr=0.1)
    losses = []
    for _ in range(10):
        states, _ = reader(torch.from_numpy(x))
        # The reader from the right ends at the first step.
        ends = torch.cat([states[:, -1, :9], states[:, 0, 9:]], 1) if both_ways else states[:, -1]
        loss = torch.nn.functional.cross_entropy(last(ends), torch.from_numpy(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    engine = FastEngine(ours, SGD(0.1), examples=40)
    got = [engine.train_batches(x, y, np.arange(40), 40, [0.1])[0] for _ in range(10)]
    np.testing.assert_allclose(got, losses, rtol=1e-4)
    assert losses[-1] < losses[0]
