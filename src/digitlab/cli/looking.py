"""What the commands that look into a network share: its data, and the images they ask for."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.sets import load_sets

if TYPE_CHECKING:
    import numpy as np

    from digitlab.data import Digits, Splits
    from digitlab.nn import Network

SOURCE_HELP = "mnist, digits, or a path (as in train). [default: what the run was trained on, else mnist]"
PARTS = click.Choice(["train", "valid", "test"])


def sets_for(network_file: Path | None, source: str | None) -> "Splits":
    """The sets that `--data` names; without it those of the run that the network belongs to, else MNIST."""
    config = network_file.parent / "config.toml" if network_file is not None else None
    if source is None and config is not None and config.is_file():
        from digitlab.train import RunConfig

        return load_sets(RunConfig.load(config).data)
    return load_sets({"source": source or "auto"})


def part_for(network: Any, network_file: Path, source: str | None, part: str) -> "tuple[Splits, Digits]":
    """The sets, and one of them, checked against the network."""
    from digitlab.nn.examples import examples

    splits = sets_for(network_file, source)
    digits = splits.part(part)
    examples(digits, network, f"{part} set")
    check_classes(network, digits)
    return splits, digits


def check_classes(network: Any, digits: "Digits") -> None:
    """DataError if the network tells other classes apart than these images have."""
    from digitlab.errors import DataError
    from digitlab.train.evaluation import classifies

    outputs, names = network.shapes[-1][0], digits.class_names
    if classifies(network) and outputs != len(names):
        some = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
        raise DataError(
            f"{digits.name}: has {len(names)} classes ({some}), and this network tells {outputs} apart; "
            "expected as many. Name other images by --data, or train a network on these"
        )


def examples_for(
    network: "Network", splits: "Splits", n: int, rng: "np.random.Generator", *, insist: bool
) -> tuple[Any, Any]:
    """n training images and labels; where these do not fit, and nobody insists on them, random inputs and targets."""
    from digitlab.errors import DigitlabError
    from digitlab.nn.examples import examples

    try:
        return examples(splits.train.first(n), network, "training set")
    except DigitlabError:
        if insist:
            raise
        click.echo("the images do not fit this network: random inputs and targets instead", err=True)
        return rng.normal(size=(n, *network.input_shape)), rng.random((n, *network.shapes[-1]))
