"""The networks of the books, by name, each with the settings it is to be trained with.

    build_named("basic-conv", seed=1)        the network, fresh
    ZOO["basic-conv"].training               learning rate, batch size, epochs ...
    parse_net("784-30-10")                   a chain of dense layers by its sizes, or a name from here

Convolution, pooling, activation: in the book's order, which gives the same numbers as pooling last and costs less.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from digitlab.arguments import checked
from digitlab.errors import ConfigError, ShapeError, not_among
from digitlab.nn.activations import ReLU, Tanh
from digitlab.nn.chains import initial, mlp
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.initializers import FanOutNormal, He, Normal, Zeros
from digitlab.nn.network import Dense, Layer, Network, Shape, Sigmoid
from digitlab.nn.normalization import BatchNorm
from digitlab.nn.pooling import AveragePool2D, MaxPool2D
from digitlab.nn.recipe import Layers, Recipe, Training
from digitlab.nn.recurrent import GRU, LSTM, SimpleRNN
from digitlab.nn.repeat import Repeat
from digitlab.nn.reshaping import Flatten
from digitlab.synonyms import folded

__all__ = ["ZOO", "build_named", "parse_net"]


@checked
def build_named(name: str, **settings: Any) -> Network:
    """A network of the zoo with fresh weights; settings as `Recipe.build` takes them. Raises ConfigError."""
    return recipe(name).build(**settings)


def recipe(name: str) -> Recipe:
    """The recipe of that name; ConfigError with the nearest name if there is none."""
    if (found := find_recipe(name)) is None:
        raise ConfigError(f"unknown network {not_among(name, ZOO)}, or sizes such as 784-30-10")
    return found


def find_recipe(name: str) -> Recipe | None:
    """The recipe of that name, if there is one; compared without case, hyphens and underscores."""
    return {folded(known): recipe for known, recipe in ZOO.items()}.get(folded(name))


def recommended_net(image_shape: Shape) -> str:
    """The name of the network to recommend for images of this shape; "" for the default, a chain of dense layers.

    Dense layers learn little where ink and paper may have any colour.
    """
    if len(image_shape) < 3 or image_shape[2] == 1:
        return ""
    with suppress(ShapeError):
        build_named("colour-conv", input_shape=image_shape, seed=None)
        return "colour-conv"
    return ""


@checked
def parse_net(text: str, **settings: Any) -> Network:
    """A network from one word: sizes ("784-30-10", settings as `mlp` takes them) or a name from the zoo."""
    sizes = parse_sizes(text)
    return build_named(text, **settings) if sizes is None else mlp(sizes, **settings)


def parse_sizes(text: str) -> list[int] | None:
    """The sizes in "784-30-10" or "784, 30, 10"; None if the text is something else, such as a name."""
    parts = re.split(r"\s*[-,x×]\s*|\s+", text.strip(" []()"))
    return [int(part) for part in parts] if all(part.isdecimal() for part in parts) else None


# The book's network3 draws its weights so (Nielsen ch. 6); its softmax layer starts from zeros.


def _book_conv(filters: int) -> Layer:
    return Conv2D(filters, 5, weights=FanOutNormal(pool=2), biases=Normal())


def _book_dense(neurons: int, activation: Layer) -> list[Layer]:
    return [Dense(neurons, FanOutNormal(), Normal()), activation]


def _book_softmax(classes: int) -> Layer:
    return Dense(classes, Zeros(), Zeros())


def _conv(filters: int, size: int) -> list[Layer]:
    """Convolution, pooling, ReLU. Pooling first gives the same numbers, since ReLU keeps their order, and less work."""
    return [Conv2D(filters, size, weights=He()), MaxPool2D(2), ReLU()]


def _shallow(classes: int) -> list[Layer]:
    return [*_book_dense(100, Sigmoid()), _book_softmax(classes)]


def _book_convs(*filters: int, hidden: bool = True) -> Layers:
    def layers(classes: int) -> list[Layer]:
        convolutions = [layer for n in filters for layer in (_book_conv(n), MaxPool2D(2), Sigmoid())]
        return [*convolutions, Flatten(), *(_book_dense(100, Sigmoid()) if hidden else []), _book_softmax(classes)]

    return layers


def _relu_convs(*hidden: int, dropout: float = 0.0) -> Layers:
    """The double convolution with ReLU and fully connected layers of these sizes on top."""

    def layers(classes: int) -> list[Layer]:
        chain = [*_conv(20, 5), *_conv(40, 5), Flatten()]
        for neurons in hidden:
            chain += [Dropout(dropout)] if dropout else []
            chain += [Dense(neurons, He()), ReLU()]
        return [*chain, *([Dropout(dropout)] if dropout else []), _book_softmax(classes)]

    return layers


# Which of S2's six maps each of C3's sixteen sees: LeCun et al. 1998, table I.
C3 = "012 123 234 345 450 501 0123 1234 2345 3450 4501 5012 0134 1245 0235 012345"


def _lenet5(classes: int) -> list[Layer]:
    """LeNet-5 with what is usual today in three places: plain tanh for 1.7159 tanh(2x/3), an average for the
    subsampling layers' learned coefficients, softmax for the radial basis functions of the output."""
    table = [[int(str(channel) in seen) for seen in C3.split()] for channel in range(6)]  # (6, 16)
    c1 = [Conv2D(6, 5, padding=2), Tanh(), AveragePool2D(2)]  # 28×28, S2: 14×14 (padding: LeCun's are 32×32 images)
    c3 = [Conv2D(16, 5, connections=table), Tanh(), AveragePool2D(2)]  # 10×10, S4: 5×5
    c5, f6 = [Conv2D(120, 5), Tanh(), Flatten()], [Dense(84), Tanh()]  # 1×1
    return [*c1, *c3, *c5, *f6, Dense(classes)]


def _rows(reader: Callable[[], Layer]) -> Recipe:
    about = f"reads the picture row by row: {reader()!r}, softmax"
    training = Training(0.001, batch_size=64, optimizer="adam", epochs=10)
    return Recipe(about, lambda classes: [reader(), Dense(classes)], training, (28, 28))


def _feedback(classes: int) -> list[Layer]:
    return [Repeat(5), SimpleRNN(100), Dense(classes)]


def _rashid(classes: int) -> list[Layer]:
    return [Dense(200, biases=None), Sigmoid(), Dense(classes, biases=None)]


def _dense(hidden: int, init: str) -> Layers:
    weights, biases = initial(init, Sigmoid())
    return lambda classes: [Dense(hidden, weights, biases), Sigmoid(), Dense(classes, weights, biases)]


def _light_convs(classes: int) -> list[Layer]:
    return [*_norm_conv(8, 5), *_norm_conv(32, 3), *_norm_conv(64, 3, pool=False), Flatten(), Dense(classes)]


def _norm_conv(filters: int, size: int, *, pool: bool = True, padding: int = 0) -> list[Layer]:
    pooled = [MaxPool2D(2)] if pool else []
    return [Conv2D(filters, size, weights=He(), padding=padding), *pooled, BatchNorm(), ReLU()]


def _small_convs(classes: int) -> list[Layer]:
    return [*_conv(16, 5), *_conv(32, 3), Flatten(), Dense(128, He()), ReLU(), Dense(classes, He())]


def _wider_convs(classes: int) -> list[Layer]:
    dense = [Dropout(0.3), Dense(150, He()), ReLU(), Dropout(0.3), Dense(classes)]
    return [*_conv(24, 5), *_conv(48, 5), Flatten(), *dense]


def _deep_convs(classes: int, share: float = 1.0) -> list[Layer]:
    def block(filters: int, size: int, pool: bool) -> list[Layer]:
        return _norm_conv(round(filters * share), size, pool=pool, padding=size // 2)

    wide = [*block(32, 5, True), *block(64, 3, False), *block(64, 3, True), *block(96, 3, False), *block(96, 3, True)]
    return [*wide, Flatten(), Dropout(0.4), Dense(classes)]


_SIGMOID, _RELU = Training(0.1), Training(0.03, l2=1.0)  # Nielsen ch. 6; λ .1 in network3's way of counting
_ADAM = Training(0.001, batch_size=64, optimizer="adam", epochs=10)

ZOO: dict[str, Recipe] = {
    "chapter1": Recipe(
        "Nielsen ch. 1: 784-30-10, quadratic cost, weights N(0, 1)",
        _dense(30, "large"),
        Training(3.0, epochs=30),
        (784,),
        "quadratic",
    ),
    "chapter3": Recipe(
        "Nielsen ch. 3: 784-100-10, cross-entropy, scaled weights, L2",
        _dense(100, "scaled"),
        Training(0.1, l2=5.0),
        (784,),
        "cross-entropy",
    ),
    "shallow": Recipe("Nielsen ch. 6: 100 sigmoid neurons, softmax", _shallow, _SIGMOID, (784,)),
    "basic-conv": Recipe("Nielsen ch. 6: 20 maps 5×5, pool 2, 100 sigmoid neurons, softmax", _book_convs(20), _SIGMOID),
    "conv-without-fc": Recipe(
        "Nielsen ch. 6, exercise: 20 maps 5×5, pool 2, softmax", _book_convs(20, hidden=False), _SIGMOID
    ),
    "double-conv": Recipe("Nielsen ch. 6: 20 and 40 maps 5×5, each pooled, 100 neurons", _book_convs(20, 40), _SIGMOID),
    "double-conv-relu": Recipe("Nielsen ch. 6: the double convolution with ReLU and L2", _relu_convs(100), _RELU),
    "double-fc": Recipe("Nielsen ch. 6: two layers of 100 after the convolutions", _relu_convs(100, 100), _RELU),
    "double-fc-dropout": Recipe(
        "Nielsen ch. 6: two layers of 1000 with dropout ½, his best (train on shifted images, too)",
        _relu_convs(1000, 1000, dropout=0.5),
        Training(0.03, epochs=40),
    ),
    "lenet5": Recipe("LeCun et al. 1998: LeNet-5 with its C3 connection table, tanh", _lenet5, _ADAM),
    "rows-rnn": _rows(lambda: SimpleRNN(128)),
    "rows-lstm": _rows(lambda: LSTM(128)),
    "rows-gru": _rows(lambda: GRU(128)),
    "feedback": Recipe(
        "100 neurons that see the image and their own last outputs, for 5 steps; softmax", _feedback, _ADAM, (784,)
    ),
    "rashid": Recipe(
        "Rashid: 784-200-10 sigmoid without biases, pixels .01 to 1, targets .01 and .99",
        _rashid,
        Training(0.1, batch_size=1, epochs=5),
        (784,),
        {"type": "quadratic", "low": 0.01, "high": 0.99},
        "0.01-1",
    ),
    "sprint": Recipe(
        "16 maps 5×5 and 32 maps 3×3, each pooled, 128 ReLU neurons: accurate after little training",
        _small_convs,
        _ADAM,
        scaling="/255",
    ),
    "sprint-light": Recipe(
        "convolutions of 8, 32 and 64 maps, each with BatchNorm; smoothed labels: preset sprint",
        _light_convs,
        _ADAM,
        loss={"type": "log-likelihood", "label_smoothing": 0.05},
        scaling="/255",
    ),
    "best": Recipe(
        "five convolutions with BatchNorm, 32 to 96 maps, dropout .4: for images augmented in every epoch",
        _deep_convs,
        _ADAM,
        loss={"type": "log-likelihood", "label_smoothing": 0.05},
        scaling="/255",
    ),
    "best-narrow": Recipe(
        "the network of best with half as many maps, 16 to 48: small and fast enough for pages of digits",
        lambda classes: _deep_convs(classes, share=0.5),
        _ADAM,
        scaling="/255",
    ),
    "best-light": Recipe(
        "24 and 48 maps 5×5, each pooled, 150 ReLU neurons, dropout .3: for images augmented in every epoch",
        _wider_convs,
        _ADAM,
        scaling="/255",
    ),
    "colour-conv": Recipe("the network of sprint for colour images", _small_convs, _ADAM, (28, 28, 3), scaling="/255"),
}
