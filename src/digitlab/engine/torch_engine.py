"""The readable step on PyTorch tensors: many steps in a call, without waiting for the device between them.

The data set, the order of the examples and the learning rates are on the device. Each step takes its batch from there
and leaves its loss there until the call ends. On a GPU the first step is captured as a CUDA graph, which is replayed
for the others, so Python takes no time per step. The arithmetic is that of `nn/`, step by step.
"""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.arrays import Array, to_numpy
from digitlab.engine.base import Losses
from digitlab.engine.reference import ReferenceEngine
from digitlab.fingerprints import tell
from digitlab.nn.network import Layer
from digitlab.nn.targets import given

WARM_UP = 3  # steps before a capture: libraries allocate their workspaces in the first ones


class TorchEngine(ReferenceEngine):
    """`ReferenceEngine` for networks on PyTorch tensors.

    compiled          translate the step with torch.compile, which fuses operations: on a GPU; half a minute at first
    mixed_precision   compute matrix products and convolutions in bfloat16; parameters, optimizer state, exponentials
                      and sums stay in float32 (Micikevicius et al. 2018, "Mixed precision training"). bfloat16 has
                      float32's range, so the loss needs no scaling.
    """

    name = "torch"

    def __init__(self, *arguments: Any, compiled: bool = False, mixed_precision: bool = False, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.compiled, self.mixed_precision = compiled, mixed_precision
        self._steps: _Steps | None = None

    def _train_batches(
        self, x: Array, y: Array, order: Any, batch_size: int, learning_rates: Any, weights: Array | None
    ) -> Losses:
        steps = self._steps
        if steps is None or not steps.serve(x, y, weights, batch_size, len(learning_rates)):
            steps = self._steps = _Steps(self, x, y, weights, batch_size, len(learning_rates))
        return steps.run(order, learning_rates)

    def state(self) -> dict[str, dict[str, Any]]:
        """The optimizer's state in NumPy; counts of steps are whole numbers again."""
        counts = self._steps.counts if self._steps is not None else set()
        return {
            name: {key: int(part) if (name, key) in counts else part for key, part in state.items()}
            for name, state in super().state().items()
        }


class _Steps:
    """Steps of one batch size over one data set; what they read and write has a fixed place on the device."""

    def __init__(self, engine: TorchEngine, x: Array, y: Array, weights: Array | None, batch: int, room: int) -> None:
        import torch

        self.torch, self.engine, self.device = torch, engine, x.device
        self.batch, self.room = batch, room
        self.given = x, y, weights
        self.x, self.y, self.weights = x, self.targets(y), weights
        self.order = torch.zeros((room, batch), dtype=torch.int64, device=self.device)
        self.rates = torch.zeros(room, dtype=torch.float64, device=self.device)
        self.losses = torch.zeros(room, dtype=torch.float64, device=self.device)
        self.position = torch.zeros(1, dtype=torch.int64, device=self.device)  # of the step in this call
        self.generator = torch.Generator(self.device)
        self.parameters = engine.network.parameters()
        self.values = {name: p.value.clone() for name, p in self.parameters.items()}
        self.states: dict[str, dict[str, Any]] = {name: {} for name in self.parameters}
        self.counts: set[tuple[str, str]] = set()
        self.layers: list[Layer] = [layer for _, layer in engine.network.named_layers()]
        self.buffers: list[dict[str, Any]] = [{} for _ in self.layers]
        self.graph: Any = None

    def serve(self, x: Array, y: Array, weights: Array | None, batch: int, steps: int) -> bool:
        """Whether these steps can be used again for another call."""
        parameters = self.engine.network.parameters()
        same = all(a is b for a, b in zip(self.given, (x, y, weights)))
        same = same and parameters.keys() == self.parameters.keys()
        same = same and all(p is self.parameters[name] for name, p in parameters.items())
        return same and self.batch == batch and steps <= self.room

    def targets(self, y: Array) -> Array:
        """Labels as rows of targets, checked once and not at each step."""
        network = self.engine.network
        if y.ndim != 1 or len(network.shapes[-1]) != 1:
            return y
        return network.loss.targets(y, self.torch.zeros((len(y), *network.shapes[-1]), device=self.device))

    def run(self, order: Any, learning_rates: Any) -> Losses:
        """One step for each learning rate; the losses up to the first that is not finite."""
        torch, n = self.torch, len(learning_rates)
        order = torch.as_tensor(np.asarray(order), device=self.device)
        whole = len(order) // self.batch
        self.order[:whole] = order[: whole * self.batch].reshape(whole, self.batch)
        self.rates[:n] = torch.as_tensor(np.asarray(learning_rates, np.float64), device=self.device)
        self.position.zero_()
        self.fix_places()
        with self.random_numbers():
            if whole and self.device.type == "cuda" and self.graph is None:
                self.capture()
            for _ in range(whole):
                self.step() if self.graph is None else self.graph.replay()
            if whole < n:
                self.step_on(order[whole * self.batch :])
        losses: Losses = np.array(to_numpy(self.losses[:n]))  # a copy: the next call writes to the same place
        bad = np.flatnonzero(~np.isfinite(losses))
        return losses[: bad[0] + 1] if len(bad) else losses

    def step(self) -> None:
        """One step, on the batch at `position`."""
        self.step_on(self.order.index_select(0, self.position).reshape(-1))

    def step_on(self, batch: Array) -> None:
        engine = self.engine
        weights = given(self.weights.index_select(0, batch) if self.weights is not None else None)
        x, y = self.x.index_select(0, batch), self.y.index_select(0, batch)
        with self.precision():
            loss = engine.gradient.gradient(engine.network, x, y, training=True, rng=engine.rng, **weights)
        self.losses.index_copy_(0, self.position, loss.reshape(1).to(self.losses.dtype))
        rate = self.rates.index_select(0, self.position).reshape(())
        for name, p in self.parameters.items():
            engine.update(name, p, rate)
        self.fix_places()
        self.position += 1

    def precision(self) -> AbstractContextManager[Any]:
        """bfloat16 for the products of this step, if the engine was asked for it."""
        if not self.engine.mixed_precision:
            return nullcontext()
        autocast: AbstractContextManager[Any] = self.torch.autocast(  # a CUDA graph replays no cached weights
            self.device.type, self.torch.bfloat16, cache_enabled=False
        )
        return autocast

    def fix_places(self) -> None:
        """Copy parameters, optimizer state and buffers that were replaced to their fixed places, and use these."""
        for name, p in self.parameters.items():
            if p.value is not self.values[name]:
                self.values[name].copy_(p.value)
                p.value = self.values[name]
        for name, state in self.engine.states.items():
            self.engine.states[name] = self.into(self.states[name], state, name)
        for layer, places in zip(self.layers, self.buffers):
            layer.buffers = self.into(places, layer.buffers)

    def into(self, places: dict[str, Any], arrays: dict[str, Any], name: str = "") -> dict[str, Any]:
        """The arrays in their places; a count of steps becomes a tensor."""
        torch = self.torch
        for key, array in arrays.items():
            if not isinstance(array, torch.Tensor):
                self.counts.add((name, key))
                array = torch.tensor(float(array), dtype=torch.float64, device=self.device)
            if key not in places:
                places[key] = array.clone()
            elif places[key] is not array:
                places[key].copy_(array)
        return places

    def capture(self) -> None:
        """Capture a step as a CUDA graph, and undo what the captured step changed."""
        torch = self.torch
        if self.engine.compiled:
            tell("torch.compile translates the training step for this GPU; this takes about half a minute ...")
            self.step = torch.compile(self.step)  # type: ignore[method-assign]
        states = [part for state in [*self.states.values(), *self.buffers] for part in state.values()]
        changed = [*self.values.values(), *states, self.position]
        before = [tensor.clone() for tensor in changed]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch.compile, about libraries that it translates
            for _ in range(WARM_UP):
                self.step()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(self.generator)
        with torch.cuda.graph(self.graph):
            self.step()
        for tensor, value in zip(changed, before):
            tensor.copy_(value)

    @contextmanager
    def random_numbers(self) -> Iterator[None]:
        """On a GPU, layers draw their random numbers there; each call seeds them from the layer's own generator."""
        drawing = [layer for layer in self.layers if layer.rng is not None]
        generators = [layer.rng for layer in drawing]
        if self.device.type == "cpu" or not generators:
            yield
            return
        self.generator.manual_seed(int(generators[0].integers(2**62)))  # type: ignore[union-attr]
        try:
            for layer in drawing:
                layer.rng = _DeviceGenerator(self.torch, self.device, self.generator)  # type: ignore[assignment]
            yield
        finally:
            for layer, generator in zip(drawing, generators):
                layer.rng = generator


@dataclass(frozen=True)
class _DeviceGenerator:
    """The methods of a NumPy generator that layers use, computed by a generator on the device."""

    torch: Any
    device: Any
    generator: Any

    def random(self, shape: tuple[int, ...], dtype: Any = None) -> Array:
        return self.torch.rand(shape, device=self.device, generator=self.generator)
