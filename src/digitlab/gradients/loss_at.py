"""The loss of a batch as a function of one long vector: all that the forward-only methods need of a network."""

import copy
from types import TracebackType
from typing import Any, Self

import numpy as np

from digitlab.arrays import Array, array_namespace, like, to_numpy
from digitlab.arrays import real as real_part
from digitlab.nn.network import Network
from digitlab.nn.targets import given

Vector = np.ndarray[Any, np.dtype[Any]]
State = list[tuple[Any, dict[str, Array]]]  # of each layer: its generator's state, its buffers


class LossAt:
    """L(θ) on one batch, for any θ: `with LossAt(network, x, targets) as loss: loss(loss.start + 0.1)`.

    start      θ as it is: the parameters one after another, and with `with_input` the batch x behind them (P,)
    blocks     the place of each array in θ: {"0.W": slice(0, 12), ..., "input": slice(20, 28)}
    dtype      "float64", or "complex128" for a complex step

    All passes compute in double precision, also for a float32 network: a difference of two float32 losses
    would have two or three digits. Each pass sees the same dropout masks and running means.
    On leaving, every parameter is the very array it was; masks and means are left as by one single pass,
    so the next batch gets fresh masks.
    """

    def __init__(
        self,
        network: Network,
        x: Array,
        targets: Array,
        weights: Array | None = None,
        *,
        training: bool = False,
        dtype: str = "float64",
        with_input: bool = False,
    ) -> None:
        xp, x = array_namespace(x), network.prepare(x)
        self.network, self.targets, self.weights = network, targets, weights
        self.training, self.dtype = training, dtype
        self.x = xp.astype(x, getattr(xp, dtype))
        self.parameters = network.parameters()
        self.layers = [layer for _, layer in network.named_layers()]
        arrays = {name: p.value for name, p in self.parameters.items()} | ({"input": x} if with_input else {})
        flat = {name: to_numpy(array).astype(np.float64).ravel() for name, array in arrays.items()}
        ends = np.cumsum([values.size for values in flat.values()], dtype=int).tolist()
        self.blocks = {name: slice(end - flat[name].size, end) for name, end in zip(flat, ends)}
        self.start: Vector = np.concatenate([*flat.values(), np.zeros(0)])
        # What the network's own arrays look like, in double precision: library, device and shape.
        self.forms = {name: xp.astype(array, getattr(xp, dtype)) for name, array in arrays.items()}

    def __enter__(self) -> Self:
        self.saved = {name: p.value for name, p in self.parameters.items()}
        self.saved_dtype = self.network.dtype
        self.before = self._state()
        self.after: State | None = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.network.dtype = self.saved_dtype
        for name, p in self.parameters.items():
            p.value = self.saved[name]
        self._set_state(self.before if self.after is None else self.after)

    def __call__(self, theta: Vector) -> Any:
        """The loss at θ: a float, or a complex number if θ is complex."""
        values = {name: self._unpacked(theta, name) for name in self.blocks}
        for name, p in self.parameters.items():
            p.value = values[name]
        self.network.dtype = self.dtype
        self._set_state(self.before)
        logits, _ = self.network.forward(values.get("input", self.x), training=self.training)
        loss, _ = self.network.loss.forward(logits, self.targets, **given(self.weights))
        if self.after is None:
            self.after = self._state()
        return complex(loss) if self.dtype == "complex128" else float(loss)

    def assign(self, gradient: Vector) -> None:
        """Hand each parameter its part of ∂L/∂θ, as an array like the parameter."""
        for name, p in self.parameters.items():
            value = self.saved[name]
            p.grad = like(gradient[self.blocks[name]].reshape(tuple(value.shape)), value)
        for layer in self.layers:  # a random direction has a part along what is not connected, too
            if "connections" in layer.buffers:
                W = layer.params["W"]
                W.grad = W.grad * like(layer.buffers["connections"], W.grad)

    def _unpacked(self, theta: Vector, name: str) -> Array:
        form = self.forms[name]
        return like(theta[self.blocks[name]].reshape(tuple(form.shape)), form)

    def _state(self) -> State:
        """What a forward pass moves on in training, and only there: each layer's generator and buffers."""
        if not self.training:
            return []
        return [
            (layer.rng.bit_generator.state if layer.rng is not None else None, copy.deepcopy(layer.buffers))
            for layer in self.layers
        ]

    def _set_state(self, state: State) -> None:
        for layer, (drawn, buffers), (_, first) in zip(self.layers, state, self.before):
            if layer.rng is not None:
                layer.rng.bit_generator.state = drawn
            for key, buffer in buffers.items():
                # A pass in double precision or complex numbers leaves such buffers; they return to what they were.
                same = buffer.dtype == first[key].dtype
                layer.buffers[key] = copy.deepcopy(buffer) if same else like(to_numpy(real_part(buffer)), first[key])
