"""The fast engine: the same training as the reference engine's, in compiled kernels."""

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from digitlab.arrays import Array
from digitlab.engine.base import Losses
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.compiler.load import Kernels, kernels
from digitlab.engine.fast.packing import Vector, aligned, as_read, mask_vector, read, read_all, write, write_all
from digitlab.engine.fast.pixel_lists import PixelLists, shared_lists, was_listed
from digitlab.engine.fast.planner import make_plan
from digitlab.engine.fast.workspace import Workspace, can_list_pixels, kernels_of
from digitlab.engine.threads import kernel_threads, one_blas_thread
from digitlab.errors import EngineError
from digitlab.gradients import Gradient
from digitlab.nn.network import Layer, Network
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import Regularizer

WORK_PER_THREAD = 3_000_000  # multiplications in one step, about 50 µs: less does not repay the barriers


class FastEngine:
    """Compiled twin of `ReferenceEngine`, for the networks that planner.py can plan.

    Losses and parameters agree with the reference's to float32 accuracy (tests/engine/twins.py says how closely),
    except for dropout, whose masks come from another random generator. The same seed and machine give the same bits,
    whatever the number of threads.

    examples   n in the regularizers' λ/n: the size of the training set
    threads    how many share each batch; None: by the work there is in it
    edited     says what was changed in a layer's code (twins.py); such a layer runs as readable code

    Raises EngineError with the reason if the network cannot be planned or the kernels cannot be compiled.
    """

    name = "fast"

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        regularizers: Sequence[Regularizer] = (),
        *,
        examples: int = 1,
        gradient: Gradient | None = None,
        rng: np.random.Generator | None = None,
        threads: int | None = None,
        edited: Callable[[Layer], str | None] = lambda layer: None,
    ) -> None:
        self.network, self.optimizer, self.threads = network, optimizer, threads
        self.make_plan = partial(
            make_plan, network, optimizer, regularizers, examples=examples, gradient=gradient, edited=edited
        )
        self.prepare()

    def prepare(self) -> None:
        """Plan the training of the network as it is now, and allocate its memory."""
        plan = self.make_plan()
        if isinstance(plan, str):
            raise EngineError(plan)
        self.plan, self.trainable = plan, [slot.parameter.trainable for slot in plan.slots]
        self.kernels: Kernels = kernels(kernels_of(plan))
        self.params = aligned(plan.params_size)
        self.states = [aligned(plan.params_size) for _ in plan.state_keys]
        self.updates = np.zeros(1 + len(plan.slots), np.int64)  # steps taken so far, by parameter
        self.masks = mask_vector(plan)
        self.originals = aligned(plan.params_size) if self.masks is not None else None  # the values of frozen weights
        self.workspace: Workspace | None = None
        self.placed: dict[int, tuple[Array, Vector | PixelLists, bool]] = {}

    def place(self, array: Array) -> Array:
        """The array itself, whose pixels are listed in the first training on it.

        Call `place` again after changing the array in place.
        """
        if isinstance(array, np.ndarray) and array.ndim > 1:
            self.placed.pop(id(array), None)
            if was_listed(array):  # by an earlier training: it may have been changed since
                self.source(array, 1)
        return array

    def train_batches(
        self, x: Array, y: Array, order: Any, batch_size: int, learning_rates: Any, weights: Array | None = None
    ) -> Losses:
        """See `Engine`."""
        order = np.ascontiguousarray(order, np.int64)
        steps = math.ceil(len(order) / batch_size)
        losses = np.zeros(steps)
        if steps == 0:
            return losses
        for check in self.plan.batch_checks:
            check(len(order) - batch_size * (steps - 1))
        if any(slot.parameter.trainable is not trainable for slot, trainable in zip(self.plan.slots, self.trainable)):
            state = self.state()  # something was frozen or unfrozen between two calls
            self.prepare()
            self.load_state(state)
        batch = min(batch_size, len(order))
        source = self.source(x, batch)
        workspace = self.workspace_for(source, batch)
        self.pack()
        workspace.read_from(source)
        y = np.asarray(y)
        labels = y.ndim == 1 and y.dtype.kind in "iu"
        workspace.hold(at.LABELS, np.ascontiguousarray(y, np.int64) if labels else None)
        workspace.hold(at.TARGETS, None if labels else np.ascontiguousarray(y, np.float32))
        rates = np.ascontiguousarray(learning_rates, np.float64)
        self.check(x, y, order, labels)
        workspace.hold(at.WEIGHTS, self.checked_weights(weights, len(x)))
        if rates.ndim != 1 or len(rates) < steps:
            raise EngineError(f"got learning rates of shape {rates.shape}, expected one for each of {steps} steps")
        workspace.hold(at.ORDER, order)
        workspace.hold(at.RATES, rates)
        workspace.hold(at.LOSSES, losses)
        workspace.header[at.N_ORDER] = len(order)
        workspace.header[at.KEY] = self.dropout_key()
        with one_blas_thread() if self.plan.readable else nullcontext():
            written = self.run(workspace)
        self.unpack()
        return losses[:written]

    def run(self, workspace: Workspace) -> int:
        """Train, on as many threads as the workspace is made for. Raises EngineError at a code that no kernel knows."""
        others = [
            threading.Thread(target=self.kernels.run, args=("train", workspace.address, t))
            for t in range(1, workspace.threads)
        ]
        started = 0
        try:
            for thread in others:
                thread.start()
                started += 1
        except BaseException:  # no more threads, or Ctrl-C: those that run would wait forever
            workspace.arrays[at.SYNC][1] = 1
            for thread in others[:started]:
                thread.join()
            self.workspace = None
            raise
        written = self.kernels.run("train", workspace.address, 0)
        for thread in others:
            thread.join()
        if workspace.readable is not None and workspace.readable.error is not None:
            self.unpack()  # the last whole step, as the reference engine leaves it
        workspace.check_known()
        return written

    # Between calls

    def state(self) -> dict[str, dict[str, Any]]:
        """The optimizer's state, in the reference engine's form."""
        return {
            slot.name: ({"step": int(self.updates[slot.number])} if self.plan.counts_steps else {})
            | {key: read(vector, slot) for key, vector in zip(self.plan.state_keys, self.states)}
            for slot in self.plan.slots
        }

    def load_state(self, state: dict[str, dict[str, Any]]) -> None:
        """Continue from a state that `state` returned, this engine's or the reference engine's."""
        for slot in self.plan.slots:
            parts = state[slot.name]
            self.updates[slot.number] = parts.get("step", 0)
            for key, vector in zip(self.plan.state_keys, self.states):
                write(vector, slot, np.asarray(parts[key]))

    def pack(self) -> None:
        """Copy the network's parameters into the flat vector: they may have been replaced since the last call."""
        write_all(self.params, self.plan)
        if self.originals is not None:
            self.originals[:] = self.params

    def unpack(self) -> None:
        """Copy the flat vector's parameters into new arrays of the network."""
        read_all(self.params, self.plan)

    # Input

    def source(self, x: Array, batch: int) -> Vector | PixelLists:
        """x as the kernels read it for batches of this size; kept for the next call."""
        lists_pixels = can_list_pixels(self.plan, batch)
        known = self.placed.get(id(x))
        if known is not None and known[0] is x and lists_pixels == known[2]:
            return known[1]
        flat = np.ascontiguousarray(as_read(self.network, np.asarray(x)).reshape(len(x), -1))
        source: Vector | PixelLists = flat
        if lists_pixels:
            scaling = self.network.scaling
            lists = shared_lists(self.kernels, flat, scaling.factor, scaling.offset, owner=x)
            source = lists if lists is not None else source
        self.placed = {id(x): (x, source, lists_pixels)}
        return source

    def workspace_for(self, source: Vector | PixelLists, batch: int) -> Workspace:
        """The workspace for batches of this size: that of the last call, if it fits."""
        sparse = isinstance(source, PixelLists)
        offset = source.offset if isinstance(source, PixelLists) else 0.0
        threads = min(self.threads or self.worthwhile_threads(batch), batch)
        key, workspace = (batch, threads, sparse, offset), self.workspace
        if workspace is None or workspace.key != key:
            workspace = self.workspace = Workspace(self.plan, self.kernels, *key)
            workspace.hold(at.PARAMS, self.params)
            workspace.hold(at.STATE_1, self.states[0] if self.states else None)
            workspace.hold(at.STATE_2, self.states[1] if len(self.states) > 1 else None)
            workspace.hold(at.UPDATES, self.updates)
            workspace.hold(at.MASKS, self.masks)
            workspace.hold(at.ORIGINALS, self.originals)
        return workspace

    def worthwhile_threads(self, batch: int) -> int:
        """How many threads to use: each needs WORK_PER_THREAD in a step, since threads wait for each other."""
        return min(kernel_threads(), batch, max(1, batch * self.plan.work // WORK_PER_THREAD))

    def check(self, x: Array, y: Vector, order: Vector, labels: bool) -> None:
        """Compiled code does not check bounds, so this does: indices, labels and the targets' shape."""
        if order.min() < 0 or order.max() >= len(x) or len(y) != len(x):
            raise EngineError(
                f"got indices from {order.min()} to {order.max()} into {len(x)} examples and {len(y)} targets"
            )
        out = self.plan.out
        if labels and (y.min() < 0 or y.max() >= out):
            raise EngineError(f"got labels from {y.min()} to {y.max()}, expected 0 to {out - 1}")
        if not labels and tuple(y.shape) != (len(x), *self.network.shapes[-1]):
            raise EngineError(
                f"got {y.dtype} targets of shape {y.shape}, expected whole-number labels ({len(x)},) "
                f"or numbers {(len(x), *self.network.shapes[-1])}"
            )

    def checked_weights(self, weights: Array | None, examples: int) -> Vector | None:
        """How much each example counts, as the kernels read it."""
        if weights is None:
            return None
        if np.shape(weights) != (examples,):
            raise EngineError(f"got weights of shape {np.shape(weights)}, expected one for each of {examples} examples")
        return np.ascontiguousarray(weights, np.float32)

    def dropout_key(self) -> int:
        """A number that decides this call's dropout masks, from the layers' own generators."""
        key = 0
        for layer in self.plan.dropouts:
            if layer.rng is not None:
                key ^= int(layer.rng.integers(1 << 62))
        return key
