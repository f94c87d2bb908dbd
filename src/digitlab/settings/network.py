"""The settings that describe a network in short: `--net 784-30-10 --activation relu`, or layers and width."""

from typing import Annotated, Any, TypedDict

from digitlab.settings.schema import Setting


class NetworkSettings(TypedDict, total=False):
    """What a network is made from, where it is not written out as a table of layers."""

    net: Annotated[
        str,
        Setting(
            "Layer sizes such as 784-30-10, or the name of a network: `digitlab nets` lists them.",
            usual="784-30-10",
            metavar="NET",
            search=False,
        ),
    ]
    activation: Annotated[
        Any,
        Setting(
            "Activation of the hidden layers, or one for each as in relu,tanh: sigmoid, tanh, relu, leaky-relu, elu, "
            "gelu, softplus, silu, hard-sigmoid, step, linear.",
            usual="sigmoid",
            family="activation",
            plural="activations",
        ),
    ]
    loss: Annotated[
        Any,
        Setting(
            "Loss: quadratic, cross-entropy, log-likelihood, mean-squared-error.",
            usual="quadratic",
            family="loss",
            plural="losses",
        ),
    ]
    init: Annotated[
        Any,
        Setting(
            "Initializer of the weights: large, scaled, glorot, he, ...",
            usual="he for the ReLU family, else scaled",
            family="initializer",
            plural="inits",
        ),
    ]
    dropout: Annotated[
        float,
        Setting("Share of hidden activations that are left out in training.", default=0.0, ge=0, lt=1, metavar="SHARE"),
    ]
    scaling: Annotated[
        str,
        Setting(
            "Scaling of pixels to numbers: /255, /256, 0.01-1, none.", default="/255", metavar="NAME", search=False
        ),
    ]
    layers: Annotated[int, Setting("Number of hidden layers.", ge=0, flags=None)]
    width: Annotated[int, Setting("Number of neurons in each hidden layer (width_1: in the first).", ge=1, flags=None)]
