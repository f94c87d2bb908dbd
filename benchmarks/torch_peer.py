"""The same network in PyTorch: a digitlab network's layers as modules, and an epoch of Adam on it."""

import math
import time
from typing import Any

import numpy as np
import torch
from torch import nn

from digitlab import nn as ours
from digitlab.nn.network import Layer, Network, Shape
from peers import Work, floats


class Shortcut(nn.Module):
    """x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Any) -> Any:
        return x + self.inner(x)


class LastState(nn.Module):
    """A recurrent module's outputs after the last step, or after every step."""

    def __init__(self, module: nn.Module, every: bool) -> None:
        super().__init__()
        self.module, self.every = module, every

    def forward(self, x: Any) -> Any:
        states, last = self.module(x)
        if self.every:
            return states
        last = last[0] if isinstance(last, tuple) else last  # (directions, N, H)
        return last.permute(1, 0, 2).flatten(1)


def module(layer: Layer, shape: Shape) -> nn.Module:
    """A layer for inputs of this shape, as a PyTorch module; pictures are (channels, height, width) there."""
    both = isinstance(layer, ours.Bidirectional)
    if both:
        layer = layer.layer
    match layer:
        case ours.Dense():
            return nn.Linear(math.prod(shape), layer.out_features)
        case ours.Conv2D():
            return nn.Conv2d(shape[2], layer.filters, layer.kernel_size, layer.stride, layer.padding)
        case ours.MaxPool2D():
            return nn.MaxPool2d(layer.size, layer.stride)
        case ours.BatchNorm():
            return nn.BatchNorm2d(shape[2]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])
        case ours.Dropout():
            return nn.Dropout(layer.rate)
        case ours.Residual():
            return Shortcut(chain(layer.layers, shape))
        case ours.LSTM() | ours.GRU() | ours.SimpleRNN():
            kind = {"LSTM": nn.LSTM, "GRU": nn.GRU, "SimpleRNN": nn.RNN}[type(layer).__name__]
            made = kind(shape[1], layer.units, batch_first=True, bidirectional=both)
            return LastState(made, layer.returns == "all")
        case ours.Flatten():
            return nn.Flatten()
        case ours.ReLU():
            return nn.ReLU()
        case ours.Sigmoid():
            return nn.Sigmoid()
    raise TypeError(f"no PyTorch module for {layer!r}")


def chain(layers: list[Layer], shape: Shape) -> nn.Sequential:
    """Layers one after another."""
    modules = []
    for layer in layers:
        modules.append(module(layer, shape))
        shape = layer.output_shape(shape)
    return nn.Sequential(*modules)


def torch_epoch(network: Network, x: np.ndarray, y: np.ndarray, batch: int, threads: int, compiled: bool) -> Work:
    """One epoch of Adam: the plain eager loop, or torch.compile with PyTorch's fused Adam; a new order every epoch."""
    model = chain(network.layers, network.input_shape)
    shape = network.input_shape
    examples = torch.from_numpy(floats(x).reshape(len(x), *((1, *shape[:2]) if len(shape) == 3 else shape)))
    targets, loss = torch.from_numpy(y), nn.functional.cross_entropy
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=compiled)

    def judged(inputs: Any, wanted: Any) -> Any:
        return loss(model(inputs), wanted)

    if compiled:
        torch._dynamo.reset()  # or the functions of earlier rows count towards its limit of recompilations
        judged = torch.compile(judged)

    def epoch() -> float:
        torch.set_num_threads(threads)
        began = time.perf_counter()
        order = torch.randperm(len(examples))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            optimizer.zero_grad()
            judged(examples[chosen], targets[chosen]).backward()
            optimizer.step()
        return time.perf_counter() - began

    return epoch
