"""The same network in JAX: one compiled program for an epoch of Adam, a scan over all batches, the data on the device.

Written as an expert writes it, without a library on top. BatchNorm keeps no running means here, which saves JAX a
little work.
"""

import math
import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from digitlab import nn as ours
from digitlab.nn.network import Layer, Network
from peers import Work, floats

PICTURES = ("NHWC", "HWIO", "NHWC")


def values(layer: Layer) -> dict[str, Any]:
    """A layer's parameters and those of the layers in it."""
    own = {name: jnp.asarray(p.value) for name, p in layer.params.items()}
    return own | {name: values(child) for name, child in layer.children().items()}


def apply(layer: Layer, params: Any, x: Any, key: Any) -> Any:
    """A layer's outputs in training."""
    match layer:
        case ours.Dense():
            return x @ params["W"] + params["b"]
        case ours.Conv2D():
            stride = (layer.stride, layer.stride)
            pad = [(layer.padding, layer.padding)] * 2
            return lax.conv_general_dilated(x, params["W"], stride, pad, dimension_numbers=PICTURES) + params["b"]
        case ours.MaxPool2D():
            window = (1, layer.size, layer.size, 1)
            return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
        case ours.BatchNorm():
            axes = tuple(range(x.ndim - 1))
            mean, variance = x.mean(axes), x.var(axes)
            return params["gamma"] * (x - mean) * lax.rsqrt(variance + layer.epsilon) + params["beta"]
        case ours.Dropout():
            return jnp.where(jax.random.bernoulli(key, 1 - layer.rate, x.shape), x / (1 - layer.rate), 0.0)
        case ours.Residual():
            return x + forward(layer.layers, list(params.values()), x, key)
        case ours.Bidirectional():
            both = [apply(child, params[name], x, key) for name, child in layer.children().items()]
            return jnp.concatenate(both, axis=-1)
        case ours.LSTM() | ours.GRU() | ours.SimpleRNN():
            return recurrent(layer, params, x)
        case ours.Flatten():
            return x.reshape(len(x), -1)
        case ours.ReLU():
            return jax.nn.relu(x)
        case ours.Sigmoid():
            return jax.nn.sigmoid(x)
    raise TypeError(f"nothing in JAX for {layer!r}")


def recurrent(layer: Any, params: Any, x: Any) -> Any:
    """The product with W for all steps at once, then a scan over the steps."""
    along = jnp.swapaxes(x @ params["W"] + params["b"], 0, 1)  # (T, N, gates·H)
    zeros = jnp.zeros((len(x), layer.units), x.dtype)

    def lstm(state: Any, a: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(a + h @ params["U"], 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def gru(state: Any, a: Any) -> Any:
        (h,) = state
        (a_r, a_z, a_n), (u_r, u_z, u_n) = jnp.split(a, 3, axis=1), jnp.split(h @ params["U"], 3, axis=1)
        r, z = jax.nn.sigmoid(a_r + u_r), jax.nn.sigmoid(a_z + u_z)
        h = z * h + (1 - z) * jnp.tanh(a_n + r * (u_n + params["v"]))
        return (h,), h

    def simple(state: Any, a: Any) -> Any:
        h = jnp.tanh(a + state[0] @ params["U"])
        return (h,), h

    step = {"LSTM": lstm, "GRU": gru, "SimpleRNN": simple}[type(layer).__name__]
    start = (zeros, zeros) if step is lstm else (zeros,)
    last, states = lax.scan(step, start, along, reverse=layer.reverse)
    return last[0] if layer.returns == "last" else jnp.swapaxes(states, 0, 1)


def forward(layers: list[Layer], params: list[Any], x: Any, key: Any) -> Any:
    """Layers one after another."""
    for i, (layer, own) in enumerate(zip(layers, params)):
        x = apply(layer, own, x, jax.random.fold_in(key, i))
    return x


def adam(gradient: Any, value: Any, mean: Any, square: Any, count: Any) -> tuple[Any, Any, Any]:
    """One parameter, one step on (Kingma & Ba 2015): the value, and the means of the gradient and its square."""
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient * gradient
    step = mean / (1 - 0.9**count) / (jnp.sqrt(square / (1 - 0.999**count)) + 1e-8)
    return value - 0.001 * step, mean, square


def jax_epoch(network: Network, x: np.ndarray, y: np.ndarray, batch: int) -> Work:
    """One epoch of Adam on the log-likelihood; the last batch is left out if it is not full."""
    layers, steps = network.layers, len(x) // batch
    examples = jax.device_put(floats(x).reshape(len(x), *network.input_shape))
    labels = jax.device_put(y)

    def loss(params: Any, inputs: Any, wanted: Any, key: Any) -> Any:
        logits = forward(layers, params, inputs, key)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), wanted[:, None], axis=1).mean()

    def one(state: Any, chosen: Any) -> Any:
        params, means, squares, count, key = state
        key, own = jax.random.split(key)
        value, gradients = jax.value_and_grad(loss)(params, examples[chosen], labels[chosen], own)
        made = jax.tree.map(partial(adam, count=count), gradients, params, means, squares)
        parts = jax.tree.transpose(jax.tree.structure(params), jax.tree.structure((0, 0, 0)), made)
        return (*parts, count + 1, key), value

    @partial(jax.jit, donate_argnums=0)
    def run(state: Any) -> Any:
        *rest, key = state
        key, own = jax.random.split(key)
        order = jax.random.permutation(own, len(x))[: steps * batch].reshape(steps, batch)
        return lax.scan(one, (*rest, key), order)

    params = [values(layer) for layer in layers]
    zeros = [jax.tree.map(jnp.zeros_like, params) for _ in range(2)]
    state = (params, *zeros, jnp.asarray(1.0), jax.random.key(0))

    def epoch() -> float:
        nonlocal state
        began = time.perf_counter()
        state, losses = run(state)
        if not math.isfinite(float(losses[-1])):  # also waits for the result
            raise FloatingPointError(f"JAX's loss is {losses[-1]}")
        return time.perf_counter() - began

    return epoch
