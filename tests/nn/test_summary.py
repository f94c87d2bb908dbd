"""The table of a network: shapes, counts, totals, and inner layers where there are any."""

import numpy as np

from digitlab.nn import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    Network,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    freeze,
    mlp,
)
from digitlab.nn.io.summary import count, shape_text


def test_the_books_first_network_word_for_word():
    assert mlp([784, 30, 10]).summary() == "\n".join(
        [
            "   layer                       output  parameters",
            "─────────────────────────────────────────────────",
            "   input                          784",
            "0  Dense(30, biases=Normal())      30      23,550",
            "1  Sigmoid()                       30",
            "2  Dense(10, biases=Normal())      10         310",
            "   loss: Quadratic()",
            "─────────────────────────────────────────────────",
            "   total                                   23,860",
        ]
    )


def test_every_line_is_as_wide_as_the_rule_at_most():
    lines = mlp([784, 300, 200, 10], activation="leaky-relu", dropout=0.5).summary().splitlines()
    assert max(map(len, lines)) == len(lines[1])
    assert set(lines[1]) == {"─"}


def test_a_convolutions_shapes_and_counts():
    layers = [Conv2D(20, 5), ReLU(), MaxPool2D(2), Flatten(), Dense(10)]
    text = Network(layers, (28, 28, 1)).summary()
    for words in ("28×28×1", "24×24×20", "12×12×20", "2880", "520", "28,810", "29,330"):
        assert words in text


def test_missing_connections_and_missing_biases_do_not_count():
    network = Network([Dense(2, connections=[[1, 0], [1, 1], [0, 0]])], 3)
    assert count(network.layers[0]) == 3 + 2
    assert count(Network([Dense(2, biases=None)], 3).layers[0]) == 6


def test_inner_layers_have_rows_of_their_own_where_one_line_is_too_short():
    deep = Sequential([Dense(20), Sigmoid(), Dropout(0.5), Dense(20), Sigmoid(), Residual([Dense(20), ReLU()])])
    network = Network([deep, Dense(3)], 7)
    lines = network.summary().splitlines()
    assert any(line.split()[:2] == ["0", "Sequential"] for line in lines)
    assert sum(line.lstrip().startswith("0.") for line in lines) >= 6
    total = sum(p.value.size for p in network.parameters().values())
    assert f"{total:,}" in lines[-1]
    assert count(deep) == total - (20 * 3 + 3)


def test_a_network_without_parameters():
    assert Network([Sigmoid()], 4, "mse").summary().splitlines()[-1].split() == ["total", "0"]


def test_shapes_as_text():
    assert shape_text((28, 28, 1)) == "28×28×1"
    assert shape_text((784,)) == "784"


def test_the_repr_names_every_choice():
    text = repr(mlp([4, 3, 2], loss="cross-entropy", init="zeros"))
    assert text == (
        "Network([Dense(3, weights=Zeros()), Sigmoid(), Dense(2, weights=Zeros())], "
        "input_shape=(4,), loss=CrossEntropy())"
    )


def test_what_is_frozen_is_shown():
    network = Network([Dense(4, connections=[[1, 0, 1, 1]] * 5), ReLU(), Dense(2)], 5, seed=0)
    assert "frozen" not in network.summary()
    freeze(network, "0")
    freeze(network, "2.W", np.s_[0, :])
    assert network.summary().splitlines()[-2:] == [
        line for line in network.summary().splitlines() if "total" in line or "of which frozen" in line
    ]
    assert network.summary().splitlines()[-1].split() == ["of", "which", "frozen", str(15 + 4 + 2)]
