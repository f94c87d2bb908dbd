"""How many threads BLAS and the kernels use: set here, not left to the libraries' defaults.

A product of a small batch is done before a second BLAS thread has woken up, and on a busy machine the first one then
waits for it: measured, an epoch of [784, 100, 10] in batches of 10 took ten times as long with two threads.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from digitlab.errors import EngineError

SMALL_BATCH = 64  # up to this size a second BLAS thread costs more than it gives
THREADS = "DIGITLAB_THREADS"  # the environment variable that says how many threads the kernels of a network may use

EACH_ONE_THREAD = 1 << 30  # trainings: more than there are cores anywhere
_shares: list[int] = []  # how many trainings share the cores: one entry for each `sharing_cores` that has begun


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kernel_threads() -> int:
    """How many threads the kernels of one network may use: what DIGITLAB_THREADS says, or the cores there are.

    Fewer where several trainings share the cores, since their threads would only wait for each other.
    """
    asked = os.environ.get(THREADS, "")
    cores = int(asked) if asked.isdigit() and int(asked) > 0 else available_cores()
    return max(1, cores // max(_shares, default=1))


@contextmanager
def sharing_cores(trainings: int | None = None) -> Iterator[None]:
    """A block in which so many trainings run at once: one BLAS thread each, and equal shares of the cores for kernels.

    trainings   None: their number is not known here; one thread each
    """
    share = EACH_ONE_THREAD if trainings is None else trainings
    _controller.cache_clear()  # libraries may have been loaded since it was made
    _shares.append(share)
    try:
        with _one_blas_thread:
            yield
    finally:
        _shares.remove(share)


@contextmanager
def blas_threads_for(batch_size: int) -> Iterator[None]:
    """One BLAS thread inside this block for small batches, the library's own number for large ones."""
    if batch_size > SMALL_BATCH:
        yield
        return
    with _one_blas_thread:
        yield


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """One BLAS thread inside this block, in which kernels have the other cores."""
    with _one_blas_thread:
        yield


def require_one_blas_thread() -> None:
    """Raise EngineError unless NumPy's BLAS can be limited to one thread: Apple's Accelerate, for one, cannot."""
    import numpy as np

    blas = str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"])  # type: ignore[call-overload,index,unused-ignore]
    limited = any(library["user_api"] == "blas" for library in _controller().info())
    if not limited or "accelerate" in blas.lower():
        raise EngineError(
            f"deterministic: the threads of this NumPy's BLAS ({blas}) cannot be limited; choose the engine fast"
        )


class _OneBlasThread:
    """One BLAS thread for as long as any block asks for it, in whatever thread and order they begin and end."""

    def __init__(self) -> None:
        self.lock, self.blocks = threading.Lock(), 0
        self.limit: Any = None

    def __enter__(self) -> None:
        with self.lock:
            if not self.blocks:
                self.limit = _controller().limit(limits=1, user_api="blas")
            self.blocks += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.blocks -= 1
            if not self.blocks:
                self.limit.restore_original_limits()


_one_blas_thread = _OneBlasThread()


@cache  # looking for the libraries takes longer than an epoch of a small network's batches
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
