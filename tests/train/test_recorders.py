"""What is kept of every epoch, whole after an interruption, and without influence on the training."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from digitlab.errors import ConfigError, DataError, ModelFileError
from digitlab.nn import Dense, Network
from digitlab.train import Callback, History
from digitlab.train.recorders import Recorded, RecordGradients, RecordPredictions, gradient_norms

from .helpers import TRAIN, VALID, assert_same_state, network, trainer

GRADIENT_NAMES = ["0.W", "0.b", "2.W", "2.b"]


class Copies(Callback):
    def __init__(self):
        self.networks = []

    def on_epoch_end(self, trainer, row):
        self.networks.append(trainer.network.copy())


def recorders(folder):
    return [RecordPredictions(folder, *VALID), RecordGradients(folder, *TRAIN)]


def test_predictions_and_gradients_of_every_epoch(tmp_path):
    copies, fresh = Copies(), network()
    trainer(callbacks=[*recorders(tmp_path), copies]).fit(TRAIN, VALID, epochs=3)
    found = Recorded.load(tmp_path / "predictions.npz")
    assert_array_equal(found.epochs, [1, 2, 3])
    assert found.predictions.dtype == found.labels.dtype == np.uint8
    assert_array_equal(found.labels, VALID[1])
    assert found.part == "valid"
    for row, net in zip(found.predictions, copies.networks, strict=True):
        assert_array_equal(row, net.predict(VALID[0]).argmax(axis=1))
    norms = History.load(tmp_path / "gradients.jsonl")
    assert [row["epoch"] for row in norms] == [0, 1, 2, 3]
    assert [name for name in norms[0] if name != "epoch"] == GRADIENT_NAMES
    for row, net in zip(norms, [fresh, *copies.networks], strict=True):
        assert {name: row[name] for name in GRADIENT_NAMES} == pytest.approx(gradient_norms(net, *TRAIN))


def test_recording_changes_nothing(tmp_path):
    with_, without = trainer(callbacks=recorders(tmp_path)), trainer()
    with_.fit(TRAIN, VALID, epochs=3)
    without.fit(TRAIN, VALID, epochs=3)
    assert_same_state(with_, without)


def test_a_resume_goes_on_and_drops_what_came_after_the_checkpoint(tmp_path):
    whole = trainer(callbacks=recorders(tmp_path / "whole"))
    whole.fit(TRAIN, VALID, epochs=4)
    first = trainer(callbacks=recorders(tmp_path / "parts"))
    first.fit(TRAIN, VALID, epochs=2)
    # Killed after these recorders wrote epoch 3 and before the checkpoint did.
    late = Recorded.load(tmp_path / "parts" / "predictions.npz")
    Recorded(np.array([1, 2, 3]), np.concatenate([late.predictions, late.predictions[:1] + 1]), *late[2:]).save(
        tmp_path / "parts" / "predictions.npz"
    )
    rows = History.load(tmp_path / "parts" / "gradients.jsonl").rows
    History([*rows, {**rows[-1], "epoch": 3}]).save(tmp_path / "parts" / "gradients.jsonl")
    first.callbacks = recorders(tmp_path / "parts")
    first.fit(TRAIN, VALID, epochs=4)
    a, b = (Recorded.load(tmp_path / part / "predictions.npz") for part in ("whole", "parts"))
    assert_array_equal(a.epochs, b.epochs)
    assert_array_equal(a.predictions, b.predictions)
    one, two = (History.load(tmp_path / part / "gradients.jsonl").rows for part in ("whole", "parts"))
    assert one == two


def test_a_new_training_in_the_folder_starts_again(tmp_path):
    trainer(callbacks=recorders(tmp_path)).fit(TRAIN, VALID, epochs=3)
    trainer(callbacks=recorders(tmp_path)).fit(TRAIN, VALID, epochs=1)
    assert_array_equal(Recorded.load(tmp_path / "predictions.npz").epochs, [1])
    assert len(History.load(tmp_path / "gradients.jsonl")) == 2


def test_other_images_on_resume_are_refused(tmp_path):
    first = trainer(callbacks=[RecordPredictions(tmp_path, *VALID)])
    first.fit(TRAIN, VALID, epochs=1)
    first.callbacks = [RecordPredictions(tmp_path, *TRAIN)]
    with pytest.raises(ModelFileError, match="was recorded on other images"):
        first.fit(TRAIN, VALID, epochs=2)


def test_what_cannot_be_recorded(tmp_path):
    with pytest.raises(DataError, match="got 40 images with labels of shape"):
        RecordPredictions(tmp_path, VALID[0], VALID[1][:-1])
    with pytest.raises(DataError, match="expected 0 to 255"):
        RecordPredictions(tmp_path, VALID[0], VALID[1] + 300)
    with pytest.raises(DataError, match="got labels from -1 to"):
        RecordPredictions(tmp_path, VALID[0], VALID[1] - 1)
    single = Network([Dense(1)], 6, "mse")
    with pytest.raises(ConfigError, match="2 to 256 classes"):
        trainer(single, callbacks=[RecordPredictions(tmp_path, *VALID)]).fit((TRAIN[0], TRAIN[0][:, :1]), epochs=1)


@pytest.mark.parametrize("what", ["missing", "text", "other", "misshapen"])
def test_files_that_are_none(tmp_path, what):
    path = tmp_path / "predictions.npz"
    if what == "text":
        path.write_text("no archive")
    elif what == "other":
        np.savez(path, x=np.zeros(3))
    elif what == "misshapen":
        Recorded(np.arange(2), np.zeros((3, 4), np.uint8), np.zeros(4, np.uint8), "valid").save(path)
    with pytest.raises(ModelFileError, match=r"predictions\.npz: (no such file|cannot be read|got predictions)"):
        Recorded.load(path)


def test_a_pickle_inside_is_not_executed(tmp_path):
    path = tmp_path / "predictions.npz"
    np.savez(path, epochs=np.array([{}], dtype=object), predictions=np.zeros((1, 1)), labels=np.zeros(1), part="valid")
    with pytest.raises(ModelFileError, match="cannot be read"):
        Recorded.load(path)
