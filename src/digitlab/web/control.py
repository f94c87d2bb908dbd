"""Play, pause, step: what the page says to trainings, and the turns in which they compute.

A training computes in a thread of its own. Between its steps it comes to its `Gate`, a callback, and waits there until
it may go on: until the page says so, until the other training of a comparison has done as much, and until no training
of another browser computes (`Slot`).
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from digitlab.errors import ConfigError
from digitlab.train.callbacks import Callback
from digitlab.train.history import Row

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer


class Slot:
    """One training computes at a time; the others wait in the order in which they came."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.tickets: deque[object] = deque()  # whose is the first one computes

    def take(self, queued: Callable[[int], None]) -> object:
        """Wait until this thread may compute; `queued` is called with the number ahead of it, if there is any."""
        ticket = object()
        with self.changed:
            self.tickets.append(ticket)
            ahead = len(self.tickets) - 1
        if ahead:
            queued(ahead)
        with self.changed:
            self.changed.wait_for(lambda: self.tickets[0] is ticket)
        return ticket

    def give_back(self, ticket: object) -> None:
        """Let the next one compute."""
        with self.changed:
            self.tickets.remove(ticket)
            self.changed.notify_all()


class Control:
    """What a page has said to its trainings: one, or two that are compared and take turns, an epoch each."""

    def __init__(self, count: int = 1) -> None:
        self.changed = threading.Condition()
        self.playing = False
        self.steps = [0] * count  # that each may take although paused
        self.epochs = [0] * count  # that each may end although paused
        self.speed = 0.0  # epochs per second at most; 0: no limit
        self.rates: list[float | None] = [None] * count  # learning rates that the page has set, for the next epoch
        self.stopped = False
        self.turn = 0
        self.alive = set(range(count))

    def tell(self, word: str) -> None:
        """Do what a button says: play, pause, step, epoch or stop. Raises ConfigError for another word."""
        with self.changed:
            if word == "play":
                self.playing = True
            elif word == "pause":
                self.playing = False
                self.steps, self.epochs = [0] * len(self.steps), [0] * len(self.epochs)
            elif word in ("step", "epoch"):
                self.playing = False
                counts = self.steps if word == "step" else self.epochs
                for i in self.alive:
                    counts[i] += 1
            elif word == "stop":
                self.stopped = True
            else:
                raise ConfigError(f"got the command {word!r}, expected play, pause, step, epoch or stop")
            self.changed.notify_all()

    def set(self, *, speed: float | None = None, rate: tuple[int, float] | None = None) -> None:
        """Change the speed, or the learning rate of one of the trainings."""
        with self.changed:
            if speed is not None:
                self.speed = speed
            if rate is not None and 0 <= rate[0] < len(self.rates) and rate[1] > 0 and math.isfinite(rate[1]):
                self.rates[rate[0]] = rate[1]
            self.changed.notify_all()

    def may(self, lane: int) -> bool:
        """Whether the page lets this training go on."""
        return self.playing or self.steps[lane] > 0 or self.epochs[lane] > 0

    def wait(self, lane: int) -> None:
        """Wait until it may go on and it is its turn. Raises KeyboardInterrupt when the page has said stop."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopped or (self.may(lane) and self.turn == lane))
            if self.stopped:
                raise KeyboardInterrupt

    def pass_turn(self, lane: int) -> None:
        """Let the next one compute."""
        with self.changed:
            others = sorted(self.alive)
            if others and self.turn == lane:
                self.turn = next((i for i in others if i > lane), others[0])
                self.changed.notify_all()

    def leave(self, lane: int) -> None:
        """This training has ended."""
        with self.changed:
            self.alive.discard(lane)
            if self.turn == lane and self.alive:
                self.turn = min(self.alive)
            self.changed.notify_all()


class Gate(Callback):
    """Where a training waits between its steps, and tells what it has done.

    `report(trainer, done, total, idle)` is called after steps; `idle` says that it is about to wait for the page.
    """

    def __init__(
        self,
        control: Control,
        lane: int,
        slot: Slot,
        report: "Callable[[Trainer, int, int, bool], None]",
        queued: Callable[[int], None],
    ) -> None:
        self.control, self.lane, self.slot = control, lane, slot
        self.report, self.queued = report, queued
        self.ticket: object | None = None  # while it computes
        self.place = (0, 1)  # steps done of the epoch, and their number
        self.began = time.monotonic()

    def enter(self, trainer: "Trainer") -> None:
        """Wait for permission, then for the slot."""
        if self.ticket is not None:
            return
        if not self.control.may(self.lane):
            self.report(trainer, *self.place, True)
        self.control.wait(self.lane)
        self.ticket = self.slot.take(self.queued)

    def leave(self) -> None:
        """Let another training compute."""
        if self.ticket is not None:
            self.slot.give_back(self.ticket)
            self.ticket = None

    def on_epoch_start(self, trainer: "Trainer") -> None:
        """Wait for permission to compute; set the learning rate that the page has chosen meanwhile."""
        self.began = time.monotonic()
        self.enter(trainer)
        if (rate := self.control.rates[self.lane]) is not None:
            trainer.learning_rate = rate

    def steps_at_once(self, trainer: "Trainer", usual: int) -> int:
        """One step while the page asks for single steps, else the usual number."""
        self.enter(trainer)
        single = not self.control.playing and not self.control.epochs[self.lane]
        return 1 if single else usual

    def on_batches(self, trainer: "Trainer", done: int, total: int) -> None:
        """Report the steps and let others compute; a single step that was asked for ends this training's turn."""
        control, lane = self.control, self.lane
        self.place = (done, total)
        self.report(trainer, done, total, False)
        self.leave()
        with control.changed:
            stepped = control.steps[lane] > 0
            if stepped:
                control.steps[lane] -= 1
        if stepped:
            control.pass_turn(lane)

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        """Report the epoch, end this training's turn, and wait as the page's epochs per second demand."""
        control, lane = self.control, self.lane
        self.place = (0, self.place[1])
        with control.changed:
            if control.epochs[lane]:
                control.epochs[lane] -= 1
        self.report(trainer, *self.place, False)
        control.pass_turn(lane)
        with control.changed:
            if control.speed and control.playing:
                left = self.began + 1 / control.speed - time.monotonic()
                control.changed.wait_for(lambda: control.stopped or not control.playing, max(0.0, left))

    def on_fit_end(self, trainer: "Trainer") -> None:
        self.leave()
        self.report(trainer, *self.place, True)
