"""Everything a network holds, by name: its layers, parameters and buffers, to count, save, load and copy them."""

import copy
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from digitlab.arrays import Array, array_namespace, like, placed, placed_with
from digitlab.errors import ConfigError, ModelFileError
from digitlab.nn.examples import inputs
from digitlab.nn.io.files import read_arrays, save_network, write_arrays
from digitlab.nn.io.summary import summary
from digitlab.nn.sequence import LayerSequence
from digitlab.notebook_html import notebook_html

if TYPE_CHECKING:
    from digitlab.nn.network import Layer, Parameter


class NamedArrays(LayerSequence):
    """What a Network does besides its mathematics: predict, count, copy, move, save and load."""

    _repr_html_ = notebook_html

    def named_layers(self) -> "Iterator[tuple[str, Layer]]":
        """Every layer with its name, the ones inside others too: "0", "1", "1.left.0"."""
        waiting = [(str(i), layer) for i, layer in enumerate(self.layers)]
        while waiting:
            name, layer = waiting.pop(0)
            yield name, layer
            waiting = [(f"{name}.{key}", child) for key, child in layer.children().items()] + waiting

    def give_generators(self) -> None:
        """New generators for the layers that draw in training: of a network whose weights come from elsewhere."""
        for i, (_, layer) in enumerate(self.named_layers()):
            if layer.rng is not None:
                layer.rng = np.random.default_rng([0, i])

    def parameters(self) -> "dict[str, Parameter]":
        """Every learned parameter by name: "0.W", "0.b", "2.W" ..."""
        return {f"{name}.{key}": p for name, layer in self.named_layers() for key, p in layer.params.items()}

    def state(self) -> dict[str, Array]:
        """Everything a saved network must hold, by name: the parameters' values and the buffers. Not copied."""
        buffers = {f"{name}.{key}": b for name, layer in self.named_layers() for key, b in layer.buffers.items()}
        return {name: p.value for name, p in self.parameters().items()} | buffers

    def load_state(self, arrays: Mapping[str, Any]) -> None:
        """Take over arrays from `state()` (copied). All or nothing: ModelFileError lists what does not fit."""
        mine = self.state()
        wrong = [f"missing: {name} {tuple(mine[name].shape)}" for name in mine if name not in arrays]
        wrong += [f"not in this network: {name} {tuple(arrays[name].shape)}" for name in arrays if name not in mine]
        wrong += [
            f"{name} has shape {tuple(arrays[name].shape)}, expected {tuple(mine[name].shape)}"
            for name in mine
            if name in arrays and tuple(arrays[name].shape) != tuple(mine[name].shape)
        ]
        if wrong:
            more = f"; and {len(wrong) - 9} more" if len(wrong) > 9 else ""
            raise ModelFileError(f"these weights do not fit {self!r}: {'; '.join(wrong[:9])}{more}")
        for name, layer in self.named_layers():
            for key, p in layer.params.items():
                p.value = like(copy.deepcopy(arrays[f"{name}.{key}"]), p.value)
            for key, buffer in layer.buffers.items():
                layer.buffers[key] = like(copy.deepcopy(arrays[f"{name}.{key}"]), buffer)

    def to(self, library: str, device: str = "cpu") -> Self:
        """Move all parameters and buffers to an array library and device: "numpy", "torch", "cupy"; returns itself."""
        for _, layer in self.named_layers():
            for p in layer.params.values():
                p.value, p.grad = placed(p.value, library, device), None
                if not isinstance(p.trainable, bool):
                    p.trainable = placed(p.trainable, library, device)
            for key, buffer in layer.buffers.items():
                layer.buffers[key] = placed(buffer, library, device)
        return self

    def predict(self: Any, x: Any, *, batch_size: int = 1000) -> Array:
        """Outputs (N, out) after the loss's activation; x in any container (examples.py), a batch at a time.

        Raises ShapeError or DataError for inputs that the network cannot take.
        """
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError(f"batch_size: got {batch_size!r}, expected a whole number of at least 1")
        x = placed_with(next(iter(self.state().values()), None), inputs(x, self))
        n = x.shape[0]
        starts = range(0, max(n, 1), batch_size)
        parts = [self.loss.activation(self.forward(x[i : min(i + batch_size, n), ...])[0]) for i in starts]
        return array_namespace(parts[0]).concat(parts) if len(parts) > 1 else parts[0]

    def copy(self) -> Self:
        """An independent network with the same layers, weights and random streams."""
        return copy.deepcopy(self)

    def save(self: Any, path: str | os.PathLike[str]) -> None:
        """Write architecture and weights into one .safetensors file (files.py); `digitlab.load_network` reads it."""
        save_network(self, path)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write the weights and buffers alone, by name, as safetensors that other programs read as well."""
        write_arrays(path, self.state(), {})

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Take the weights alone from a file of another network of the same form; strict, see `load_state`."""
        try:
            self.load_state(read_arrays(path))
        except ModelFileError as error:
            named = str(error).startswith(str(path))
            raise error if named else ModelFileError(f"{path}: {error}") from None

    def __repr__(self: Any) -> str:
        layers = ", ".join(map(repr, self.layers))
        allowed = ", allow_output_activation=True" if self.allow_output_activation else ""
        return f"Network([{layers}], input_shape={self.input_shape}, loss={self.loss!r}{allowed})"

    def summary(self: Any) -> str:
        """A table of the layers with their output shapes and parameter counts, as text."""
        return summary(self)
