"""Training on images drawn again in every epoch: the same whether it was interrupted or not."""

import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from digitlab.data import Digits, load
from digitlab.data.augment import Augmentation, Noise, parse_augmentation
from digitlab.errors import ConfigError, DataError, ModelFileError
from digitlab.nn import describe_network, mlp
from digitlab.optim import SGD
from digitlab.train import RunConfig, Trainer, load_checkpoint, resume_run, save_checkpoint, start_run
from digitlab.train.fresh import FreshImages

from .helpers import Ctrl_C, assert_same_state, values, without_clock

SPEC = "shift,rotate:10,elastic,noise:0.02"
AUGMENT = parse_augmentation(SPEC)


@pytest.fixture(scope="module")
def sets():
    train, valid, _ = load("digits", train_size=150)
    return train, valid


def trainer(augment=AUGMENT, seed=0, **settings):
    return Trainer(mlp([64, 12, 10], seed=0), SGD(3.0), augment=augment, seed=seed, **settings)


def fitted(sets, augment=AUGMENT, epochs=3, **settings):
    t = trainer(augment, **settings)
    t.fit(*sets, epochs=epochs)
    return t


class Seen(Augmentation):
    """Keeps what it was asked for, and changes nothing."""

    def __init__(self):
        object.__setattr__(self, "threads", [])

    def altered(self, images, rng):
        self.threads.append(threading.current_thread().name)
        return images


@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_every_epoch_has_other_images_and_the_same_seed_the_same(sets, engine):
    plain, a, b, other = (
        fitted(sets, augment, seed=seed, engine=engine)
        for augment, seed in ((None, 0), (AUGMENT, 0), (AUGMENT, 0), (AUGMENT, 1))
    )
    assert_same_state(a, b)
    assert without_clock(a.history) != without_clock(plain.history)
    assert without_clock(a.history) != without_clock(other.history)
    # The shuffling has its own random generator.
    assert plain.rng.bit_generator.state == a.rng.bit_generator.state


def test_an_augmentation_that_changes_nothing_changes_nothing(sets):
    assert_same_state(fitted(sets, Noise(0)), fitted(sets, None))


def test_the_images_of_an_epoch_depend_on_seed_and_epoch_alone(sets):
    x = sets[0].images
    with FreshImages(x, AUGMENT, 3, 5) as fresh:
        in_order = [fresh.of(epoch) for epoch in (1, 2, 3)]
    with FreshImages(x, AUGMENT, 3, 5) as fresh:
        assert_array_equal(fresh.of(3), in_order[2])  # as after a resume
        assert_array_equal(fresh.of(2), in_order[1])  # not the one that was made ahead
    assert not np.array_equal(in_order[0], in_order[1])
    with FreshImages(x, AUGMENT, 4, 5) as fresh:
        assert not np.array_equal(fresh.of(1), in_order[0])


def test_the_next_epoch_is_made_in_another_thread_and_none_after_the_last(sets):
    seen = Seen()
    with FreshImages(sets[0].images, seen, 0, 2) as fresh:
        fresh.of(1)
        fresh.of(2)
    assert len(seen.threads) == 2
    assert seen.threads[0] == threading.main_thread().name
    assert seen.threads[1].startswith("augmentation")


def test_no_thread_is_left_and_the_end_is_not_kept_waiting(sets):
    class Slow(Augmentation):
        def altered(self, images, rng):
            time.sleep(0.02)
            return images

    x = np.repeat(sets[0].images, 8000, axis=0)  # 1,200 portions: 24 seconds
    fresh = FreshImages(x, Slow(), 0, 9)
    with fresh:
        fresh.ahead = (1, fresh.pool.submit(fresh.make, 1))
        began = time.perf_counter()
    assert time.perf_counter() - began < 12
    assert not any(thread.name.startswith("augmentation") for thread in threading.enumerate())


def test_an_error_in_the_other_thread_is_raised(sets):
    class Broken(Augmentation):
        def altered(self, images, rng):
            if threading.current_thread() is not threading.main_thread():
                raise MemoryError("no room")
            return images

    with pytest.raises(MemoryError, match="no room"):
        trainer(Broken()).fit(*sets, epochs=2)


def test_only_images_can_be_augmented(sets):
    train, valid = sets
    flat = train.images.reshape(len(train), -1)
    for x in (flat, (flat / 255).astype(np.float32)):
        with pytest.raises(DataError, match=r"training set: augmentation: got .*; or train without augmentation"):
            trainer().fit((x, train.labels), valid, epochs=1)


def test_evaluation_sees_the_images_as_they_are(sets):
    """With a noise that drowns everything, the training set itself is evaluated clean."""
    net = fitted(sets, None, epochs=40).network
    seen, told = (
        Trainer(net, SGD(1e-12), augment=Noise(1.0), evaluate_train=evaluated).fit(*sets, epochs=1)[0]
        for evaluated in (True, False)
    )
    assert seen["train_accuracy"] > 0.9 and seen["train_loss"] < 0.1
    assert told["train_loss"] > 0.3


# Resuming


@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_a_checkpoint_after_every_epoch(sets, tmp_path, engine):
    straight = fitted(sets, epochs=4, engine=engine)
    file = tmp_path / "checkpoint.safetensors"
    for last in range(1, 5):
        part = trainer(engine=engine, seed=0 if last == 1 else 77)  # the seed comes with the checkpoint
        if last > 1:
            load_checkpoint(part, file)
        part.fit(*sets, epochs=last)
        save_checkpoint(part, file)
    assert_same_state(part, straight)


def config(**changes):
    table = describe_network(mlp([64, 12, 10], seed=0))
    return RunConfig(table, {"source": "digits", "train_size": 150}, epochs=4, augment=SPEC, **changes)


@pytest.mark.parametrize("epoch", [1, 3])
def test_interrupted_in_an_epoch_and_resumed_through_the_run_folder(sets, tmp_path, epoch):
    straight = start_run(config(), tmp_path / "straight")
    straight.fit(*sets, epochs=4)
    start_run(config(), tmp_path / "parts", [Ctrl_C(epoch)]).fit(*sets, epochs=4)
    read, resumed = resume_run(tmp_path / "parts")
    assert read == config() and resumed.augment == AUGMENT
    resumed.fit(*sets, epochs=4)
    assert_same_state(resumed, straight)


@pytest.mark.parametrize("there, here", [(AUGMENT, None), (None, AUGMENT), (AUGMENT, parse_augmentation("shift"))])
def test_a_checkpoint_of_other_augmentation(sets, tmp_path, there, here):
    save_checkpoint(fitted(sets, there, epochs=1), tmp_path / "c.safetensors")
    t = trainer(here)
    before = values(t.network)
    with pytest.raises(ModelFileError, match=r"was trained with augmentation .*resume with the settings"):
        load_checkpoint(t, tmp_path / "c.safetensors")
    assert all(np.array_equal(before[name], array) for name, array in values(t.network).items())


def test_a_checkpoint_from_before_there_was_augmentation(sets, tmp_path):
    from digitlab.nn.io.files import read_arrays, read_metadata, write_arrays

    file = tmp_path / "c.safetensors"
    save_checkpoint(fitted(sets, None, epochs=1), file)
    metadata, arrays = read_metadata(file), read_arrays(file)
    del metadata["augment"]
    write_arrays(file, arrays, metadata)
    again = trainer(None)
    load_checkpoint(again, file)
    assert len(again.history) == 1
    metadata["augment"] = {"spec": AUGMENT.spec}
    write_arrays(file, arrays, metadata)
    with pytest.raises(ModelFileError, match="the checkpoint is damaged"):
        load_checkpoint(trainer(), file)


def test_settings_from_a_table():
    assert RunConfig.from_table(config().table()) == config()
    assert config().trainer().augment == AUGMENT
    for nothing in ("", "none"):
        assert RunConfig.from_table({**config().table(), "augment": nothing}).trainer().augment is None
    with pytest.raises(ConfigError, match="unknown augmentation 'rotat'"):
        RunConfig.from_table({**config().table(), "augment": "rotat"}).trainer()


@pytest.mark.slow
def test_torch_tensors_get_fresh_images_too(sets):
    pytest.importorskip("torch")
    t = fitted(sets, engine="torch", epochs=2)
    reference = fitted(sets, engine="reference", epochs=2)
    assert abs(t.history[-1]["train_loss"] - reference.history[-1]["train_loss"]) < 1e-4


def test_colour_images():
    rng = np.random.default_rng(0)
    digits = Digits(rng.integers(0, 256, (30, 8, 8, 3), np.uint8), np.arange(30) % 10)
    t = Trainer(mlp([192, 5, 10], seed=0), SGD(1.0), augment=AUGMENT)
    assert len(t.fit(digits, epochs=2)) == 2
