"""An argument of a wrong type is one line that names it, whatever Python said about it deep inside."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

import digitlab
from digitlab import nn
from digitlab.arguments import checked, checked_class, generator, unchecked
from digitlab.errors import ConfigError, DigitlabError, ShapeError
from digitlab.judging import judge

NET = nn.mlp([4, 3, 2])
SQUARE = np.zeros((2, 2))  # its repr has two lines, and its truth value is an error


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.mlp([4, 3, 2], seed="x"), "seed: got 'x', expected a whole number of at least 0, or a numpy Gener"),
        (lambda: nn.mlp([4, 3, 2], seed=-1), "seed: got -1, expected a whole number of at least 0, or a numpy Gener"),
        (lambda: nn.mlp([4, 3, 2], dropout="x"), "Dropout: got rate 'x', expected a number"),
        (lambda: digitlab.Net([4, 3, 2], seed=[1.5]), r"seed: got \[1.5\], expected a whole number"),
        (lambda: digitlab.load_network(NET), "load_network: path: got Network.*, expected text or a path"),
        (lambda: digitlab.load_network(None), "load_network: path: got None, expected text or a path"),
        (lambda: digitlab.examine(3.5), "examine: run: got 3.5, expected"),
        (lambda: digitlab.combine(3.5), "combine: networks: got 3.5, expected several, each a Network"),
        (lambda: digitlab.check_gradients("net", 1, 1), "check_gradients: network: got 'net', expected a Network"),
        (lambda: digitlab.EarlyStopping("5"), "EarlyStopping: patience: got '5', expected a whole number"),
        (lambda: nn.describe_network("net"), "describe_network: network: got 'net', expected a Network"),
        (lambda: nn.random_connections(4, 2, "half", 0), "random_connections: share: got 'half', expected a number"),
        (lambda: nn.random_connections(4, 2, 0.5, "x"), "rng: got 'x', expected a whole number"),
        (lambda: nn.halves(28), "halves: image_shape: got 28, expected several, each a whole number"),
        (lambda: nn.soft_targets([0, 1], "ten"), "soft_targets: classes: got 'ten', expected a whole number"),
        (lambda: nn.Dense(3, biases=np.zeros((2, 2))), "Dense, biases: an initializer: got array"),
        (lambda: digitlab.open_photo(3.5), "open_photo: path: got 3.5, expected text or a path"),
        (lambda: digitlab.read_photo("x", np.zeros((20, 20), np.uint8)), "read_photo: network: got 'x', expected a"),
        (lambda: nn.Branches(3.5), "Branches: expected lists of layers.*got 3.5"),
        (
            lambda: digitlab.evaluate(NET, np.zeros((2, 4)), [0, 1], batch_size="x"),
            "batch_size: got 'x', expected a whole number",
        ),
        (lambda: digitlab.evaluate(NET, np.zeros((2, 4)), [0, 1], batch_size=0), "batch_size: got 0, expected at lea"),
        (lambda: digitlab.html_page([NET]), "html_page: networks: got .*, expected a mapping"),
        (lambda: judge(NET, 3.5), "judge: images: got 3.5, expected an array of numbers"),
        (lambda: digitlab.save_figure(None, "x.png"), "save_figure: got None, expected a figure of matplotlib"),
    ],
)
def test_a_public_function_says_which_argument_is_wrong(call, message):
    with pytest.raises(ConfigError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: digitlab.load(SQUARE), r"source: got array\(\[\[0., 0.\], \[0., 0.\]\]\), expected text"),
        (
            lambda: digitlab.load("digits", part=SQUARE),
            r"part: got array\(.*\), expected one of train, valid, test, all",
        ),
        (lambda: digitlab.load("digits", digits=SQUARE), r"digits: got array\(.*\), expected a list of whole numbers"),
        (lambda: digitlab.load("digits", group=SQUARE), r"group: got array\(.*\), expected a list of whole numbers"),
        (lambda: digitlab.load("digits", share=SQUARE), r"share: got array\(.*\), expected a list of whole numbers"),
        (lambda: digitlab.predict(NET, "digits", part=SQUARE), "part: got array.*, expected one of train, valid"),
        (lambda: nn.Conv2D(3, 5, padding=SQUARE), r"got padding \(or \"same\"\) array\(.*\), expected a whole number"),
        (lambda: nn.MaxPool2D(2, padding=SQUARE[0]), r"got padding \(or \"same\"\) array\(.*\), expected a whole"),
        (lambda: nn.Conv2D(3, SQUARE), r"Conv2D\(3, .*\): got kernel_size array\(.*\), expected a whole number"),
        (lambda: nn.Dense(SQUARE), "Dense: got out_features array"),
        (
            lambda: digitlab.class_shares(SQUARE[0]),
            r"class_shares: got outputs array.*, expected numbers \(N, classes\)",
        ),
        (lambda: nn.soft_targets([None], 3), r"got labels of shape \(1,\); expected \(N,\) whole numbers"),
    ],
)
def test_an_array_where_it_does_not_fit_is_quoted_in_one_line(call, message):
    with pytest.raises(DigitlabError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: nn.halves([]),
        lambda: nn.halves((28,)),
        lambda: nn.quadrants(np.array([])),
        lambda: nn.local_connections((), 2),
        lambda: nn.all_connections(-1, 3),
        lambda: nn.random_connections(3, -1, 0.5, 0),
        lambda: digitlab.combine([NET, NET], covers=np.array([])) and nn.quadrants([]),
        lambda: digitlab.summarize(np.array([])),
        lambda: digitlab.find_failures([], []),
        lambda: digitlab.follow([], []),
        lambda: digitlab.imagine_all(NET, []),
        lambda: digitlab.inversions_figure({}),
    ],
)
def test_nothing_where_something_is_needed_is_an_error_of_digitlab(call):
    with pytest.raises(DigitlabError, match="got"):
        call()


def test_arrays_are_lists_of_numbers():
    few = digitlab.load("digits", digits=np.array([1, 7]), group=np.array([7]))[0]
    assert sorted(set(few.labels)) == [0, 1] and few.class_names == ("7", "other")


@checked
def example(
    number: float = 1.0,
    names: Sequence[str] = (),
    pair: tuple[int, int] = (0, 0),
    *more: int,
    way: Literal["up", "down"] = "up",
    path: Path | None = None,
    function: Callable[[int], int] = abs,
    anything: Any = None,
    **settings: int,
) -> str:
    """Fails, always."""
    raise TypeError("deep inside")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"number": "1"}, "example: number: got '1', expected a number"),
        ({"names": "abc"}, "example: names: got 'abc', expected several, each text"),
        ({"names": ["a", 1]}, r"example: names: got \['a', 1\], expected several, each text"),
        ({"pair": (1, 2, 3)}, r"example: pair: got \(1, 2, 3\), expected several, each a whole number"),
        ({"way": "left"}, "example: way: got 'left', expected 'up' or 'down'"),
        ({"path": 3}, "example: path: got 3, expected a path or None"),
        ({"function": 3}, "example: function: got 3, expected a function"),
    ],
)
def test_each_kind_of_annotation(arguments, message):
    with pytest.raises(ConfigError, match=message) as caught:
        example(**arguments)
    assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize(
    "arguments",
    [
        {"number": np.float32(1), "names": ("a",), "pair": [np.int64(1), 2], "path": "x", "anything": object()},
        {"number": 3, "names": (name for name in "ab"), "path": Path("x"), "further": "whatever"},
    ],
)
def test_an_error_that_no_type_explains_stays_as_it_is(arguments):
    with pytest.raises(TypeError, match="deep inside"):
        example(**arguments)
    with pytest.raises(TypeError, match="missing"):
        checked(lambda x: x)()


def test_errors_of_digitlab_and_results_pass():
    @checked
    def fails(x: int) -> int:
        raise ShapeError("ours")

    with pytest.raises(ShapeError, match="ours"):
        fails("x")
    assert checked(lambda x: 2 * x)("ab") == "abab", "what works is not looked at"


def test_a_class_and_what_was_wrapped():
    @checked_class
    class Thing:
        def __init__(self, size: int) -> None:
            self.size = size + 1

    with pytest.raises(ConfigError, match="Thing: size: got 'x', expected a whole number"):
        Thing("x")
    assert Thing(1).size == 2
    plain = lambda: 1  # noqa: E731
    assert unchecked(checked(plain)) is plain and unchecked(plain) is plain and unchecked(3) == 3


def test_generator():
    rng = np.random.default_rng(1)
    assert generator(rng) is rng
    assert generator(1).random() == np.random.default_rng(1).random()
    with pytest.raises(ConfigError, match="bootstrap: got -2, expected a whole number"):
        generator(-2, "bootstrap")
