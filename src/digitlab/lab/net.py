"""What a Net is: a network and its history, made from sizes, a name or a file; saved, loaded and copied."""

import copy
import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MethodType
from typing import Any, Self

from digitlab.arguments import checked
from digitlab.arrays import Array
from digitlab.errors import ConfigError, ModelFileError, not_among
from digitlab.lab.looking import Looking
from digitlab.lab.training import Training
from digitlab.nn import Network, load_network, mlp
from digitlab.nn.io.loading import network_path
from digitlab.nn.recipe import Recipe
from digitlab.nn.zoo import find_recipe, parse_sizes, recipe
from digitlab.notebook_html import notebook_html
from digitlab.synonyms import meant
from digitlab.train import History

DEFAULT_FILE = "net.safetensors"


class _Load:
    """`Net.load(path)` makes a Net of a file; `net.load(path)` takes a file into a Net of the same layer sizes."""

    def __get__(self, net: "Net | None", cls: "type[Net]") -> Callable[..., Any]:
        return MethodType(_loaded, cls) if net is None else MethodType(_load_into, net)


class Net(Training, Looking):
    """A network with everything one does to it.

    Net([784, 30, 10])    a chain of dense layers; keyword arguments are those of `digitlab.mlp`
    Net("lenet5")         a network of the zoo (`digitlab nets` lists them) with its own training settings;
                          keyword arguments are input_shape, classes, dtype
    Net(network)          any Network
    Net.load(path)        the network in a file, or the best one of a run's folder with its history

    By default a chain has sigmoid neurons and the quadratic cost, as in Nielsen's chapter 1, and the scaled initial
    weights of his chapter 3; `init="large"` draws them from N(0, 1), as chapter 1 does. `net.network` is the Network,
    `net.history` the History of all calls of `train`.
    """

    @checked
    def __init__(self, layers: Sequence[int] | Network | str, *, seed: int = 0, **settings: Any) -> None:
        self.network, self.usual = _network(layers, seed, settings)
        self.seed = seed
        self.history = History()
        self.last = None

    load = _Load()
    _repr_html_ = notebook_html

    def save(self, path: str | os.PathLike[str] = DEFAULT_FILE) -> None:
        """Write architecture and weights into one file."""
        self.network.save(path)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write the weights alone, by name, as safetensors."""
        self.network.save_weights(path)

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Take the weights of a file that `save_weights` wrote. Raises ModelFileError if they do not fit."""
        self.network.load_weights(path)

    def copy(self) -> Self:
        """An independent Net with the same weights and history."""
        return copy.deepcopy(self)

    @property
    def sizes(self) -> list[int]:
        """The layer sizes of a chain of dense layers, such as [784, 30, 10]; [] for another network."""
        return layer_sizes(self.network)

    @property
    def num_layers(self) -> int:
        """The number of layers as the book counts them, the input included; 0 where `sizes` is empty."""
        return len(self.sizes)

    @property
    def weights(self) -> list[Array]:
        """The weights of each layer that has some, not copied: W (in, out) of a dense layer, the book's transposed."""
        return [p.value for p in self.network.parameters().values() if p.regularized]

    @property
    def biases(self) -> list[Array]:
        """The biases of each layer that has some, not copied: (out,)."""
        return [p.value for name, p in self.network.parameters().items() if name.endswith(".b")]

    def __repr__(self) -> str:
        sizes = layer_sizes(self.network)
        inputs = "×".join(map(str, self.network.input_shape))
        return f"Net({sizes})" if sizes else f"Net({inputs} → {' → '.join(map(repr, self.network.layers))})"


def _network(layers: Any, seed: int, settings: dict[str, Any]) -> tuple[Network, dict[str, Any]]:
    """The network that `layers` stands for, and the training settings that go with it."""
    if isinstance(layers, Network):
        if settings:
            raise ConfigError(f"Net(network) takes no {next(iter(settings))!r}: the network has its own")
        return layers, {}
    named = find_recipe(layers) if isinstance(layers, str) else None
    if isinstance(layers, str) and named is None:
        layers = parse_sizes(layers) or recipe(layers)  # which says what names there are
    known = inspect.signature(Recipe.build if named is not None else mlp).parameters.keys() - {"self", "sizes"}
    for name in settings.keys() - known:
        if found := meant(name, inspect.signature(Training.train).parameters):
            raise ConfigError(f"Net has no setting {name!r}; give train() the {found}: net.train(data, {found}=...)")
        raise ConfigError(f"Net has no setting {not_among(name, sorted(known))}")
    if named is not None:
        return named.build(seed=seed, **settings), named.training.table()
    return mlp(layers, seed=seed, **settings), {}


def _loaded(cls: type[Net], path: str | os.PathLike[str] = DEFAULT_FILE) -> Net:
    """The network in a file of any known kind, or in a run's folder, as a Net; with the history of the run.

    Raises ModelFileError if it is no network, saying what it is.
    """
    net = cls(load_network(path))
    beside = network_path(path).parent / "history.jsonl"
    if Path(path).is_dir() and beside.is_file():
        net.history = History.load(beside)
    return net


def _load_into(net: Net, path: str | os.PathLike[str] = DEFAULT_FILE) -> None:
    """Take over a saved network of the same layer sizes, with an empty history; ModelFileError if they differ."""
    network = load_network(path)
    if network.shapes != net.network.shapes:
        raise ModelFileError(f"{path}: holds layers {_layers(network)}, this Net has {_layers(net.network)}")
    net.network, net.history, net.last = network, History(), None


def layer_sizes(network: Network) -> list[int]:
    """[784, 30, 10] for a chain of dense layers; [] for another network."""
    sizes = [shape[0] for shape in network.shapes if len(shape) == 1]
    dense = [layer.out_features for layer in network.layers if hasattr(layer, "out_features")]
    return [sizes[0], *dense] if len(sizes) == len(network.shapes) else []


def _layers(network: Network) -> str:
    return str(layer_sizes(network) or network.shapes)
