"""The options that name data, the same on every command: --data, --part, and how a source is read and divided.

    @data_options(part="the images to look at")        two arguments: `data`, the arguments of `digitlab.load` that were
    def command(data, part): …                         given, with "source" always there; and `part`, None if not given

`digitlab train` and what takes its settings use `source_option` and `reading_options`, which add the same options under
their own names.
"""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import click

SOURCE_HELP = "Images to use: mnist, digits (8×8, always available), or the path of a file or folder."
PARTS = ("train", "valid", "test", "all")


class ImageCount(click.ParamType[Any]):
    """A number of images, `500`, or a share of them, `0.2` or `20%`."""

    name = "number|share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if re.fullmatch(r"\d+", value):
            return int(value)
        if match := re.fullmatch(r"(\d*\.?\d+)(%?)", value):
            share = float(match[1]) / (100 if match[2] else 1)
            if 0 < share < 1:
                return share
        return self.fail(f"{value!r}: expected a number of images, or a share of them such as 0.2", param, ctx)


class ImageShape(click.ParamType[Any]):
    """Height and width of an image, `20x30`; `20x30x3` in colour."""

    name = "heightxwidth"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        numbers = re.split(r"[x×,]", value.lower())
        if len(numbers) not in (2, 3) or not all(re.fullmatch(r"[1-9]\d{0,4}", number) for number in numbers):
            self.fail(f"{value!r}: expected height and width as 28x28, or 28x28x3 in colour", param, ctx)
        return [int(number) for number in numbers]


class Names(click.ParamType[Any]):
    """Names separated by commas: `cat,dog,bird`."""

    name = "a,b,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        names = [name.strip() for name in value.split(",")] if isinstance(value, str) else list(value)
        if not all(names) or len(set(names)) < len(names):
            self.fail(f"{value!r}: expected different names separated by commas, as cat,dog,bird", param, ctx)
        return names


READING = {
    "label_column": click.option(
        "--label-column",
        metavar="NAME|NUMBER",
        help=("Column of a table that holds the labels: its name, or its position from 0, -1 for the last."),
    ),
    "class_names": click.option("--class-names", type=Names(), help="Names of the classes, in their order."),
    "image_shape": click.option(
        "--image-shape",
        type=ImageShape(),
        metavar="HxW[x3]",
        help=("Height and width of the images, where they are rows of pixels and not square; x3 in colour."),
    ),
    "valid_size": click.option(
        "--valid-size",
        type=ImageCount(),
        help=("Number or share of images to set aside for validation. [default: a sixth of the training images]"),
    ),
    "test_size": click.option(
        "--test-size",
        type=ImageCount(),
        help=("Number or share of images to test on. [default: the test set of the source, else a seventh]"),
    ),
}


def source_option(text: str = SOURCE_HELP) -> Callable[[Any], Any]:
    """--data, as the argument `source`."""
    return click.option("--data", "source", metavar="SOURCE", help=text)


def reading_options(function: Any) -> Any:
    """Add the options that say how a source is read and divided, under the names that `digitlab.load` has for them."""
    for option in reversed(READING.values()):
        function = option(function)
    return function


def data_options(
    *, part: str | None = None, default: str = "auto", parts: Sequence[str] = PARTS, source_help: str = SOURCE_HELP
) -> Callable[[Any], Any]:
    """Add --data and all that goes with it, as one argument `data`; with `part`, its help, --part as well.

    default   the source where none is named; "": none, and `data` has a source only if one was named
    """

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def with_data(**given: Any) -> Any:
            data = {name: given.pop(name) for name in ("source", *READING)}
            data["source"] = data["source"] or default or None
            return function(**given, data={name: value for name, value in data.items() if value is not None})

        with_part = click.option("--part", type=click.Choice(parts), help=part)(with_data) if part else with_data
        return source_option(source_help)(reading_options(with_part))

    return decorate
