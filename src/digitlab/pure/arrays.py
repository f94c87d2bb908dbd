"""PureNetwork from a network of arrays, and back. Only these functions need more than the standard library."""

from typing import TYPE_CHECKING

from digitlab.errors import ConfigError

if TYPE_CHECKING:
    from digitlab.nn.network import Network
    from digitlab.pure.network import Matrix, PureNetwork, Vector


def lists_of(network: "Network") -> "tuple[list[int], str, list[Matrix], list[Vector]]":
    """Sizes, loss, weights (out, in) and biases of a network of arrays, whose W is (in, out). Raises ConfigError."""
    import digitlab  # names of it are loaded when they are used

    layers = list(network.layers)
    dense, between = layers[::2], layers[1::2]
    losses = {digitlab.Quadratic: "quadratic", digitlab.CrossEntropy: "cross-entropy"}
    unfit = [layer for layer in dense if type(layer) is not digitlab.Dense or "b" not in layer.params]
    unfit += [layer for layer in between if type(layer) is not digitlab.Sigmoid]
    if unfit or not between:
        found = repr(unfit[0]) if unfit else f"{len(layers)} layers"
        raise ConfigError(
            f"PureNetwork: got {found}, expected Dense layers with biases and a Sigmoid between two of them"
        )
    if type(network.loss) not in losses:
        raise ConfigError(f"PureNetwork: got the loss {network.loss!r}, expected {' or '.join(losses.values())}")
    sizes = [shape[0] for shape in (network.input_shape, *network.shapes[1::2])]
    weights = [layer.connected(layer.params["W"].value).T.tolist() for layer in dense]  # type: ignore[attr-defined]
    return sizes, losses[type(network.loss)], weights, [layer.params["b"].value.tolist() for layer in dense]


def to_network(pure: "PureNetwork") -> "Network":
    """A network of arrays (float64, as the lists are) with these weights."""
    import digitlab

    network: Network = digitlab.mlp(pure.sizes, loss=pure.loss, scaling="/256", dtype="float64")
    copy_to(pure, network)
    return network


def copy_to(pure: "PureNetwork", network: "Network") -> None:
    """Put the lists' numbers into the arrays of a network with the same sizes."""
    for layer, rows, biases in zip(network.layers[::2], pure.weights, pure.biases):
        layer.params["W"].value.T[...] = rows  # (out, in)
        layer.params["b"].value[...] = biases
