"""How many threads the linked BLAS may use, set deliberately instead of left to its own guess.

A product of a small batch is done before a second thread has woken up, and on a busy machine the first one then
waits for it: measured, an epoch of [784, 100, 10] in batches of 10 took ten times as long with two threads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

SMALL_BATCH = 64  # up to this size a second BLAS thread costs more than it gives


@contextmanager
def blas_threads_for(batch_size: int) -> Iterator[None]:
    """One BLAS thread inside this block for small batches; whatever the machine offers for large ones."""
    if batch_size > SMALL_BATCH:
        yield
        return
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
