"""The choices that make a network as a small table, for TOML and JSON files; building.py makes the network of it again.

input_shape = [784]
loss = "quadratic"
[[layers]]
type = "Dense"
out_features = 30
"""

from typing import TYPE_CHECKING, Any

from digitlab.arguments import checked
from digitlab.nn.describe import describe
from digitlab.nn.io.freezing import describe_frozen
from digitlab.nn.scaling import describe_scaling

if TYPE_CHECKING:
    from digitlab.nn.network import Network

__all__ = ["FLAGS", "describe_network"]

FLAGS = ("allow_output_activation", "open_set")  # settings of a Network that are false unless written


@checked
def describe_network(network: "Network") -> dict[str, Any]:
    """The choices that make this network, without its weights: what `build_network` takes."""
    description = {
        "input_shape": list(network.input_shape),
        "loss": describe(network.loss),
        "scaling": describe_scaling(network.scaling),
        "dtype": network.dtype,
        "layers": [describe(layer) for layer in network.layers],
    }
    description |= {name: True for name in FLAGS if getattr(network, name)}
    frozen = describe_frozen(network)
    return {**description, "frozen": frozen} if frozen else description
