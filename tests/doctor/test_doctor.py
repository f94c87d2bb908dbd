"""Every ailment is named first, by the folder of a run that has it alone, and healthy runs are never called ill."""

import dataclasses
import json

import numpy as np
import pytest

from digitlab.data import load
from digitlab.doctor import AILMENTS, Case, examine, fixed_settings
from digitlab.errors import ConfigError
from digitlab.train import start_run
from digitlab.viz.doctor import findings_figure

from .runs import HEALTHY, ILL

FIRST = [run for run in ILL if run.name.endswith(" 1")]
MENDED = [run for run in ILL if run.name in ("labels-shifted 3", "chosen-on-the-test-set 2", "leakage-between-sets 2")]
QUICK = [run for run in FIRST if run.ailment != "dense-layers-on-colours"]  # a convolutional network takes long
OTHERS = [run for run in ILL if not run.name.endswith(" 1")]


def checked(run, folder):
    found = examine(run.make(folder))
    assert [finding.ailment for finding in found][:1] == [run.ailment], f"{run.name}: {[*map(str, found)]}"
    first = found[0]
    assert np.isfinite(first.value) and first.seen and first.cause and first.advice and first.measure
    return found


def test_every_ailment_has_a_run():
    """But a curve that is not learned: `digitlab fit` leaves no folder (test_diagnosis.py)."""
    assert {run.ailment for run in FIRST} == {ailment.name for ailment in AILMENTS} - {"curve-not-learned"}


@pytest.mark.parametrize("run", FIRST, ids=lambda run: run.ailment)
def test_an_ailment_is_named_first(run, tmp_path):
    checked(run, tmp_path / "a")


@pytest.mark.slow
@pytest.mark.parametrize("run", OTHERS, ids=lambda run: run.name)
def test_an_ailment_is_named_first_in_other_networks(run, tmp_path):
    checked(run, tmp_path / "a")


@pytest.mark.slow
@pytest.mark.parametrize("run", HEALTHY, ids=lambda run: run.name)
def test_a_healthy_run_is_not_called_ill(run, tmp_path):
    assert [*map(str, examine(run.make(tmp_path / "a")))] == []


def test_two_healthy_runs(tmp_path):
    for i, run in enumerate((HEALTHY[0], HEALTHY[13])):
        assert examine(run.make(tmp_path / str(i))) == []


@pytest.mark.slow
@pytest.mark.parametrize("run", [*QUICK, *MENDED], ids=lambda run: run.name)
def test_evidence_is_drawn_and_the_fix_mends_it(run, tmp_path):
    folder = run.make(tmp_path / "a")
    case = Case.of_run(folder)
    found = examine(case)
    assert findings_figure(found).get_size_inches()[1] > 0
    config = fixed_settings(case.config, found[0], case.splits, tmp_path)
    assert (
        (config is None) == (not found[0].can_be_fixed) == (run.ailment in ("labels-shuffled", "one-class-predicted"))
    )
    if config is None:
        return
    sets = load(**config.data)
    start_run(config, tmp_path / "b").fit(sets.train, sets.valid, epochs=config.epochs)
    if run.ailment == "overfitting":  # few images stay few: it ends in time
        assert len(Case.of_run(tmp_path / "b", sets).rows) < len(case.rows)
        return
    left = [finding.ailment for finding in examine(tmp_path / "b", sets)]
    assert run.ailment not in left, left


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(ConfigError, match="no run here; expected a folder that `digitlab train` has written"):
        examine(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/config.toml").touch()
    with pytest.raises(ConfigError, match=r"holds several runs; name one of them, such as .*a"):
        examine(tmp_path)


def test_a_run_of_an_earlier_version_has_no_ending(tmp_path):
    folder = next(run for run in FIRST if run.ailment == "learning-rate-too-small").make(tmp_path / "a")
    before = [finding.ailment for finding in examine(folder)]
    (folder / "ending.json").write_text('{"epochs"')
    assert [finding.ailment for finding in examine(folder)] == before != []
    (folder / "ending.json").unlink()
    assert [finding.ailment for finding in examine(folder)] == before


def test_a_run_that_has_continued_since_it_diverged_is_not_called_diverged(tmp_path):
    folder = HEALTHY[0].make(tmp_path / "a")
    ending = json.loads((folder / "ending.json").read_text())
    (folder / "ending.json").write_text(json.dumps(ending | {"diverged": True, "epochs": 1}))
    assert examine(folder) == []


def test_data_that_have_changed_are_not_used(tmp_path):
    """What the settings name is MNIST, say, and the run was trained on something else: nothing is said of the data."""
    folder = HEALTHY[0].make(tmp_path / "a")
    ending = json.loads((folder / "ending.json").read_text())
    assert ending["sets"]["train"]["examples"] == 1197 and not ending["diverged"]
    ending["sets"]["train"]["digest"] = "0" * 16
    (folder / "ending.json").write_text(json.dumps(ending))
    assert Case.of_run(folder).sets == {} and examine(folder) == []


def test_a_validation_set_that_is_the_test_set_by_what_the_run_recorded(tmp_path):
    """`fit(train, test)` with data whose settings name another validation set."""
    run = dataclasses.replace(HEALTHY[0], data=None)
    case = Case.of_run(run.make(tmp_path / "a"))
    folder = tmp_path / "b"
    start_run(case.config, folder).fit(case.images["train"], case.images["test"], epochs=3)
    assert [finding.ailment for finding in examine(folder)] == ["chosen-on-the-test-set"]
