"""The readable engine: layers, losses, and networks made of them. Start with network.py."""

from digitlab.nn.activations import ELU, GELU, HardSigmoid, LeakyReLU, Linear, ReLU, SiLU, Softmax, Softplus, Step, Tanh
from digitlab.nn.bias import Bias
from digitlab.nn.combine import Combine, Rescale
from digitlab.nn.containers import Branches, PerNeuron, Residual, Sequential
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.initializers import (
    Constant,
    FanOutNormal,
    Given,
    Glorot,
    He,
    Initializer,
    Normal,
    Orthogonal,
    ScaledNormal,
    Uniform,
    Zeros,
)
from digitlab.nn.io.building import build_network
from digitlab.nn.io.description import describe_network
from digitlab.nn.io.freezing import freeze, unfreeze
from digitlab.nn.io.loading import load_network
from digitlab.nn.losses import CrossEntropy, LogLikelihood, MeanSquaredError, soft_targets
from digitlab.nn.masks import all_connections, block_connections, local_connections, random_connections
from digitlab.nn.network import Dense, Layer, Loss, Network, Parameter, Quadratic, Sigmoid
from digitlab.nn.normalization import BatchNorm, LayerNorm
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.recurrent import GRU, LSTM, Bidirectional, SimpleRNN
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.slices import Slice, halves, quadrants
from digitlab.nn.subnetwork import Subnetwork
from digitlab.nn.zoo import ZOO, build_named, mlp, parse_net

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "ZOO",
    "AveragePool2D",
    "BatchNorm",
    "Bias",
    "Bidirectional",
    "Branches",
    "Combine",
    "Constant",
    "Conv2D",
    "CrossEntropy",
    "Dense",
    "Dropout",
    "FanOutNormal",
    "Flatten",
    "Given",
    "GlobalAveragePool",
    "Glorot",
    "HardSigmoid",
    "He",
    "Initializer",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogLikelihood",
    "Loss",
    "MaxPool2D",
    "MeanSquaredError",
    "Network",
    "Normal",
    "Orthogonal",
    "Parameter",
    "PerNeuron",
    "Quadratic",
    "ReLU",
    "Rescale",
    "Reshape",
    "Residual",
    "ScaledNormal",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SimpleRNN",
    "Slice",
    "Softmax",
    "Softplus",
    "Step",
    "Subnetwork",
    "Tanh",
    "Uniform",
    "Zeros",
    "all_connections",
    "block_connections",
    "build_named",
    "build_network",
    "describe_network",
    "freeze",
    "halves",
    "load_network",
    "local_connections",
    "mlp",
    "parse_net",
    "quadrants",
    "random_connections",
    "soft_targets",
    "unfreeze",
]
