"""Play, pause, step and turns, without a server: trainings on few images, which a page would control."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from digitlab import Trainer, mlp
from digitlab.errors import ConfigError
from digitlab.web.control import Control, Gate, Slot

X, Y = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32), np.arange(40) % 3


class Watched:
    """Trainings of one Control in threads, and where each is: (lane, epoch, steps done), whenever it waits."""

    def __init__(self, control: Control, slot: Slot, epochs: int) -> None:
        self.control, self.waits, self.came = control, [], threading.Condition()
        self.order: list[int] = []
        self.trainers: dict[int, Trainer] = {}
        self.threads = [threading.Thread(target=self.train, args=(i, slot, epochs)) for i in control.alive]
        for thread in self.threads:
            thread.start()

    def train(self, lane: int, slot: Slot, epochs: int) -> None:
        gate = Gate(self.control, lane, slot, self.report(lane), lambda ahead: None)
        self.trainers[lane] = trainer = Trainer(
            mlp([4, 5, 3], seed=0), "sgd", batch_size=10, engine="reference", callbacks=[gate]
        )
        trainer.fit((X, Y), epochs=epochs)
        self.control.leave(lane)

    def report(self, lane: int) -> Callable[[Trainer, int, int, bool], None]:
        def report(trainer: Trainer, done: int, total: int, idle: bool) -> None:
            with self.came:
                if idle:
                    self.waits.append((lane, len(trainer.history), done))
                elif done:
                    self.order.append(lane)
                self.came.notify_all()

        return report

    def until(self, *place: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: place in self.waits, 10), self.waits


@contextmanager
def watched(count: int = 1, epochs: int = 3, slot: Slot | None = None) -> Iterator[Watched]:
    training = Watched(Control(count), slot or Slot(), epochs)
    yield training
    training.control.tell("stop")
    for thread in training.threads:
        thread.join(10)
        assert not thread.is_alive()


def test_begins_paused_and_takes_single_steps_and_epochs() -> None:
    with watched() as training:
        training.until(0, 0, 0)
        training.control.tell("step")
        training.until(0, 0, 1)
        training.control.tell("step")
        training.until(0, 0, 2)
        training.control.tell("epoch")
        training.until(0, 1, 0)
        training.control.tell("play")
        training.threads[0].join(10)
        assert len(training.trainers[0].history) == 3


def test_paused_training_equals_one_without_pauses() -> None:
    plain = Trainer(mlp([4, 5, 3], seed=0), "sgd", batch_size=10, engine="reference")
    plain.fit((X, Y), epochs=3)
    with watched() as training:
        for word in ("step", "epoch", "step", "step", "play"):
            training.control.tell(word)
        training.threads[0].join(10)
    for name, parameter in plain.network.parameters().items():
        np.testing.assert_array_equal(training.trainers[0].network.parameters()[name].value, parameter.value)


def test_stop_keeps_whole_epochs() -> None:
    with watched(epochs=100) as training:
        training.control.tell("epoch")
        training.until(0, 1, 0)
        training.control.tell("step")
        training.until(0, 1, 1)
        training.control.tell("stop")
        training.threads[0].join(10)
        trainer = training.trainers[0]
        assert trainer.interrupted and len(trainer.history) == 1


def test_two_take_turns_epoch_by_epoch() -> None:
    with watched(2, epochs=3) as training:
        training.control.tell("play")
        for thread in training.threads:
            thread.join(10)
    assert training.order == [0, 1, 0, 1, 0, 1]


def test_slot_lets_one_compute_in_the_order_of_coming() -> None:
    slot, order, ahead = Slot(), [], []
    first = slot.take(ahead.append)

    def compute(name: str) -> None:
        ticket = slot.take(ahead.append)
        order.append(name)
        slot.give_back(ticket)

    threads = []
    for i, name in enumerate("ab"):
        threads.append(threading.Thread(target=compute, args=(name,)))
        threads[-1].start()
        while len(slot.tickets) < i + 2:
            pass
    assert order == []
    slot.give_back(first)
    for thread in threads:
        thread.join(10)
    assert order == ["a", "b"] and ahead == [1, 2]


def test_paused_training_lets_another_one_compute() -> None:
    slot = Slot()
    with watched(slot=slot) as paused, watched(slot=slot) as other:
        paused.control.tell("step")
        paused.until(0, 0, 1)
        other.control.tell("play")
        other.threads[0].join(10)
        assert not other.threads[0].is_alive()


def test_unknown_command() -> None:
    with pytest.raises(ConfigError, match="expected play, pause, step"):
        Control().tell("jump")


def test_rate_holds_from_the_next_epoch() -> None:
    with watched(epochs=2) as training:
        training.control.tell("epoch")
        training.until(0, 1, 0)
        training.control.set(rate=(0, 0.125))
        training.control.tell("play")
        training.threads[0].join(10)
        assert training.trainers[0].history.column("learning_rate")[1] == 0.125
