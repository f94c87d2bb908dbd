"""New images every epoch: augmentation on its way to the engine, made while the epoch before is being trained."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numpy as np

from digitlab.data.augment import Augmentation
from digitlab.data.augment.base import CHUNK, require_images
from digitlab.errors import DataError

DRAW = 1  # separates the random numbers of augmentation from those of shuffling, which have the same seed


class FreshImages:
    """The training images as each epoch sees them: `with FreshImages(x, augmentation, seed, last) as fresh`.

    Epoch k has its own random generator, made from `seed` and k alone. So its images are the same whether the training
    was interrupted before it or not, there is no state to keep, and they can be made ahead of time: while epoch k is
    trained, another thread makes the images of k + 1 (up to epoch `last`).

    Raises DataError if x is not uint8 images (N, H, W) or (N, H, W, 3).
    """

    def __init__(self, x: Any, augmentation: Augmentation, seed: int, last: int) -> None:
        try:
            self.x = require_images(x)
        except DataError as error:
            raise DataError(f"training set: {error}; or train without augmentation") from None
        self.augmentation, self.seed, self.last = augmentation, seed, last
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="augmentation")
        self.ended = threading.Event()
        self.ahead: tuple[int, Future[Any]] | None = None

    def of(self, epoch: int) -> Any:
        """The images of this epoch, from 1; uint8, shaped as x."""
        waiting = self.ahead if self.ahead is not None and self.ahead[0] == epoch else None
        images = waiting[1].result() if waiting is not None else self.make(epoch)
        self.ahead = (epoch + 1, self.pool.submit(self.make, epoch + 1)) if epoch < self.last else None
        return images

    def make(self, epoch: int) -> Any:
        """The images of this epoch, made now."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(DRAW, epoch)))
        made = np.empty_like(self.x, order="C")
        # By the portions in which images are augmented anyhow, so that an end of the training is soon noticed.
        for start in range(0, len(made), CHUNK):
            if self.ended.is_set():
                break
            made[start : start + CHUNK] = self.augmentation.augment(self.x[start : start + CHUNK], rng)
        return made

    def __enter__(self) -> "FreshImages":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self.pool.shutdown(wait=True, cancel_futures=True)
