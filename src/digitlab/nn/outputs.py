"""The end of a network: an activation there, before a loss that owns one, would act a second time.

A loss takes logits and owns the output activation (`Loss.owns`). `Network([Dense(10), Sigmoid()], 784, "quadratic")`
computes σ(σ(z)), which is between .5 and .73 whatever z is, so it hardly learns. Such a network is refused unless
`allow_output_activation=True` says that it is meant. A recurrent layer at the end counts as one, for its outputs are
those of tanh.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from digitlab.errors import ConfigError

if TYPE_CHECKING:
    from digitlab.nn.network import Layer, Network


def refuse_output_activation(network: "Network") -> None:
    """Raise ConfigError, naming the layer to leave out, if the layers end with an activation and the loss owns one."""
    if not network.loss.owns or (layer := closing_activation(network.layers)) is None:
        return
    place = next(name for name, found in network.named_layers() if found is layer)
    outermost = network.layers[int(place.partition(".")[0])]
    inside = "" if outermost is layer else f" in {type(outermost).__name__}"
    loss, owned, kind = type(network.loss).__name__, network.loss.owns, type(layer).__name__
    twice = kind.lower() == owned
    fault = "this layer would apply it a second time" if twice else f"{kind} before it distorts the logits"
    if layer.params or layer.children():
        mend = "give it outputs='logits'" if hasattr(layer, "outputs") else "put a Dense layer after it"
    else:
        mend = "leave this layer out"
    raise ConfigError(
        f"layer {place}, {layer!r}{inside}: the loss {loss} applies {owned} itself, so {fault}; {mend} "
        "(or give allow_output_activation=True to keep it)"
    )


def closing_activation(layers: "Sequence[Layer]") -> "Layer | None":
    """The activation that the output comes from; None if there is none.

    Layers that pass their inputs on, as Flatten and Dropout do, are looked through, and containers are looked into: one
    chain in it that ends with an activation is enough.
    """
    for layer in reversed(layers):
        if layer.activates or layer.bounds != (-math.inf, math.inf):
            return layer
        if layer.passes_on:
            continue
        chains = layer.ends()
        for chain in chains:
            if (found := closing_activation(chain)) is not None:
                return found
        if not any(all(inner.passes_on for inner in chain) for chain in chains):
            return None
    return None
