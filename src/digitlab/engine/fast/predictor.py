"""Predictions of a trained network by kernels: of one picture in a few microseconds, or of many."""

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from digitlab.arrays import Array
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.compiler.load import kernels
from digitlab.engine.fast.ops import loss as losses
from digitlab.engine.fast.packing import Vector, aligned, as_read, read_only_plan, write_all
from digitlab.engine.fast.pixel_lists import room_for_one
from digitlab.engine.fast.plan import Buffer
from digitlab.engine.fast.workspace import Workspace, can_list_pixels, kernels_of
from digitlab.engine.threads import kernel_threads
from digitlab.errors import EngineError
from digitlab.nn.losses import MeanSquaredError
from digitlab.nn.network import Layer, Network, Parameter

BATCH = 32  # examples that go through the network together
WORTH_COMPILING = 1e12  # multiplications, counted like those below: 20 s of readable code, or more
WORK_PER_THREAD = 9_000_000  # multiplications forward and back, of which a third are done here: 50 µs at least

ALONE = -1  # in place of a thread's number: one example in a call
Key = tuple[int, str, int]  # what a workspace is for: examples at once, their type, and the number of the thread
# For one example: its shape, the arrays for its input and its outputs, and the call that computes them.
Ready = tuple[tuple[int, ...], Vector, Vector, Callable[[], object]]


class Predictor:
    """`Predictor(network)(x)` is `network.predict(x)`, compiled; with `logits` the outputs before activation.

    It notices parameters that were replaced (training, load_state); call `refresh` after changing one in place. Each
    thread needs a predictor of its own.
    `examples` is how many it will be called with: kernels that are not in the cache are compiled if that takes less
    time than the readable code would.
    Raises EngineError with the reason if there is no kernel for the network, or none yet for so few examples.
    """

    def __init__(
        self,
        network: Network,
        *,
        logits: bool = False,
        examples: float = math.inf,
        edited: Callable[[Layer], str | None] = lambda layer: None,
    ) -> None:
        plan = read_only_plan(network, edited)
        if isinstance(plan, str):
            raise EngineError(plan)
        if logits:  # what a loss without an output activation gives
            plan = replace(plan, loss=losses.CODES[MeanSquaredError])
        self.network, self.plan = network, plan
        self.kernels = kernels(kernels_of(plan), compiling=examples * plan.work >= WORTH_COMPILING)
        self.params = aligned(plan.params_size)
        self.holders: list[Parameter | Buffer] = [*(slot.parameter for slot in plan.slots), *plan.buffers]
        self.seen: list[tuple[Parameter | Buffer, Any]] = []
        self.workspaces: dict[Key, Workspace] = {}
        self.single: dict[Any, Ready] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take over the network's parameters as they are now."""
        write_all(self.params, self.plan)
        self.seen = [(holder, holder.value) for holder in self.holders]
        self.fresh = dict.fromkeys(self.workspaces, True)
        self.single = {}

    def __call__(self, x: Array) -> Vector:
        """Outputs (N, ...) for pictures or features (N, ...)."""
        for holder, value in self.seen:
            if holder.value is not value:
                self.refresh()
                break
        if len(x) == 1 and not self.plan.readable:
            return self._one(x)
        flat = np.ascontiguousarray(as_read(self.network, np.asarray(x)).reshape(len(x), -1))
        outputs = np.empty((len(flat), self.plan.out), np.float32)
        parts = enumerate(self._parts(len(flat)))
        mine, *others = [self._part(number, flat[rows], outputs[rows]) for number, rows in parts]
        threads = [threading.Thread(target=self._run, args=part) for part in others]
        for thread in threads:
            thread.start()
        self._run(*mine)
        for thread in threads:
            thread.join()
        for workspace, _ in (mine, *others):
            workspace.check_known()
        return outputs.reshape(self._shape(len(flat)))

    def _shape(self, n: int) -> tuple[int, ...]:
        return (n, *self.network.shapes[-1])

    def _parts(self, n: int) -> list[slice]:
        """The rows of each thread: whole batches, so that these do not depend on the number of threads."""
        batches = math.ceil(n / BATCH)
        threads = max(1, min(kernel_threads(), batches, n * self.plan.work // WORK_PER_THREAD))
        cuts = [BATCH * (batches * t // threads) for t in range(threads)] + [n]
        return [slice(a, b) for a, b in pairwise(cuts)]

    def _part(self, number: int, x: Vector, outputs: Vector) -> tuple[Workspace, Key]:
        """The workspace and its key for one thread's rows."""
        key = (min(len(x), BATCH), x.dtype.name, number)
        workspace = self._workspace(key)
        workspace.read_from(x)
        workspace.hold(at.OUTPUTS, outputs)
        workspace.hold(at.ORDER, np.arange(len(x)))
        workspace.header[at.N_ORDER] = len(x)
        return workspace, key

    def _one(self, x: Vector) -> Vector:
        """The outputs of one example, by a call whose addresses are set up once."""
        ready = self.single.get(x.dtype)
        if ready is None or x.shape != ready[0]:
            ready = self._ready(x := as_read(self.network, x))
        _, image, outputs, call = ready
        image[...] = x
        call()
        return outputs.copy()

    def _ready(self, x: Vector) -> Ready:
        """The arrays and the call for one such example, with these weights."""
        dtype = x.dtype
        if dtype not in self.single or self.single[dtype][0] != x.shape:
            workspace = self._workspace(key := (1, dtype.name, ALONE))
            image, outputs = np.zeros(x.shape, dtype), np.zeros(self._shape(1), np.float32)
            workspace.read_from(image)
            if workspace.sparse:  # the kernel lists the pixels that are not zero here
                workspace.read_from(room_for_one(self.plan.input_size))
            workspace.hold(at.OUTPUTS, outputs)
            workspace.hold(at.ORDER, np.zeros(1, np.int64))
            workspace.header[at.N_ORDER] = 1
            self._run(workspace, key)  # takes over new weights, so that later calls need not check
            workspace.check_known()
            self.single[dtype] = x.shape, image, outputs, self.kernels.bound("predict", workspace.address, 0)
        return self.single[dtype]

    def _workspace(self, key: Key) -> Workspace:
        # One example has its own workspace, whose addresses never change.
        if key not in self.workspaces:
            examples, dtype, number = key
            one_image = number == ALONE and dtype == "uint8" and self.network.scaling.offset == 0
            sparse = one_image and can_list_pixels(self.plan, examples)
            workspace = self.workspaces[key] = Workspace(self.plan, self.kernels, examples, 1, sparse, 0.0)
            workspace.hold(at.PARAMS, self.params)
            self.fresh[key] = True
        return self.workspaces[key]

    def _run(self, workspace: Workspace, key: Key) -> None:
        self.kernels.run("predict", workspace.address, self.fresh.pop(key, False))
