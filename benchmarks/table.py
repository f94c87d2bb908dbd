"""The rows of speed.py for networks of every kind: each network once, trained by digitlab, PyTorch and JAX."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import peers
from contest import Contest, ours, per_image
from digitlab import Adam, Conv2D, Dense, Flatten, LogLikelihood, MaxPool2D, Network, ReLU
from digitlab.nn import GRU, LSTM, BatchNorm, Bidirectional, Dropout, Residual, SimpleRNN
from digitlab.nn.network import Layer, Shape

PICTURE, LINES = (28, 28, 1), (28, 28)
JAX_PICTURES = 256  # images for JAX's convolutions, which take up to 40 ms each on a CPU


@dataclass(frozen=True)
class Row:
    """A network to train with Adam on so many MNIST images, and how many times as fast as others it should be."""

    text: str
    layers: Callable[[], list[Layer]]
    batch: int
    images: int
    goals: dict[str, float] = field(default_factory=lambda: {"PyTorch": 1.0})
    input_shape: Shape = (784,)

    def network(self) -> Network:
        return Network(self.layers(), self.input_shape, LogLikelihood(), seed=0)


def normalized() -> list[Layer]:
    """Two padded convolutions with BatchNorm."""
    layers = []
    for filters in (16, 32):
        layers += [Conv2D(filters, 3, padding=1), BatchNorm(), ReLU(), MaxPool2D(2)]
    return [*layers, Flatten(), Dense(10)]


def residual() -> list[Layer]:
    inner = [Conv2D(16, 3, padding=1), ReLU(), Conv2D(16, 3, padding=1)]
    layers = [Conv2D(16, 3, padding=1), ReLU(), MaxPool2D(2), Residual(inner), ReLU(), MaxPool2D(2)]
    return [*layers, Flatten(), Dense(10)]


def pytorch_example() -> list[Layer]:
    """The network of PyTorch's own MNIST example."""
    layers = [Conv2D(32, 3), ReLU(), Conv2D(64, 3), ReLU(), MaxPool2D(2), Dropout(0.25), Flatten()]
    return [*layers, Dense(128), ReLU(), Dropout(0.5), Dense(10)]


def keras_example() -> list[Layer]:
    """The network of Keras's own MNIST example."""
    layers = [Conv2D(32, 3), ReLU(), MaxPool2D(2), Conv2D(64, 3), ReLU(), MaxPool2D(2), Flatten()]
    return [*layers, Dropout(0.5), Dense(10)]


def wide(*sizes: int, dropout: float = 0.0) -> list[Layer]:
    """Dense layers of these sizes with ReLU, and ten outputs."""
    after = [lambda: Dropout(dropout)] if dropout else []
    return [layer for n in sizes for layer in (Dense(n), ReLU(), *(make() for make in after))] + [Dense(10)]


ROWS = {
    "batchnorm": Row(
        "16@3×3 same, BatchNorm, pool, 32@3×3 same, BatchNorm, pool", normalized, 64, 2560, {"PyTorch": 2.5}, PICTURE
    ),
    "residual": Row("16@3×3 same, pool, Residual(2 × 16@3×3), pool", residual, 64, 2560, {"PyTorch": 2.0}, PICTURE),
    "lstm": Row("LSTM(128) over rows", lambda: [LSTM(128), Dense(10)], 64, 2560, {"PyTorch": 1.3}, LINES),
    "gru": Row("GRU(128) over rows", lambda: [GRU(128), Dense(10)], 64, 2560, {"PyTorch": 1.3}, LINES),
    "rnn": Row("SimpleRNN(128) over rows", lambda: [SimpleRNN(128), Dense(10)], 64, 2560, {"PyTorch": 1.3}, LINES),
    "bidirectional": Row(
        "Bidirectional(LSTM(64)) over rows",
        lambda: [Bidirectional(LSTM(64)), Dense(10)],
        64,
        2560,
        {"PyTorch": 1.3},
        LINES,
    ),
    "stacked": Row(
        "LSTM(128), LSTM(128) over rows",
        lambda: [LSTM(128, returns="all"), LSTM(128), Dense(10)],
        64,
        1280,
        {"PyTorch": 1.3},
        LINES,
    ),
    "dense-batchnorm": Row(
        "784-256-BatchNorm-10",
        lambda: [Dense(256), BatchNorm(), ReLU(), Dense(10)],
        64,
        20_480,
        {"PyTorch": 2.5, "JAX": 1.0},
    ),
    "wide": Row("784-2000-2000-10", lambda: wide(2000, 2000), 128, 5120, {"PyTorch": 1.45, "JAX": 1.0}),
    "wide-dropout": Row(
        "784-512-512-10, dropout .2", lambda: wide(512, 512, dropout=0.2), 128, 20_480, {"PyTorch": 3.0, "JAX": 1.0}
    ),
    "pytorch-example": Row("PyTorch's MNIST example", pytorch_example, 64, 2560, {"PyTorch": 3.3}, PICTURE),
    "keras-example": Row("Keras's MNIST example", keras_example, 128, 5120, {"PyTorch": 5.0}, PICTURE),
    "widest": Row("784-3000-3000-10", lambda: wide(3000, 3000), 1024, 4096, {"PyTorch": 1.1, "JAX": 1.0}),
}


def contest(row: Row, x: np.ndarray, y: np.ndarray, threads: list[int]) -> list[Contest]:
    """Microseconds per image of a row's network: digitlab, PyTorch eager and compiled, JAX if it is installed."""
    from torch_peer import torch_epoch

    x, y, batch = x[: row.images], y[: row.images], row.batch
    contestants: dict[str, peers.Work] = {"digitlab": ours(row.network(), x, y, batch, Adam(0.001), "auto")}
    for t in threads:
        contestants[f"PyTorch, {t} threads"] = torch_epoch(row.network(), x, y, batch, t, compiled=False)
    for t in threads:
        contestants[f"torch.compile, {t} threads"] = torch_epoch(row.network(), x, y, batch, t, compiled=True)
    contestants = {name: per_image(work, len(x)) for name, work in contestants.items()}
    try:
        from jax_peer import jax_epoch
    except ImportError:
        print("JAX is not installed: its line is left out")
    else:
        few = JAX_PICTURES if row.input_shape == PICTURE else len(x)
        contestants["JAX"] = per_image(jax_epoch(row.network(), x[:few], y[:few], batch), few)
    return [Contest(f"{row.text}, batch {batch}, Adam", "µs per image", "digitlab", contestants, row.goals)]
