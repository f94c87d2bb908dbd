"""The study's file after kills: at every byte where a writer may have been stopped, and by SIGKILL."""

import contextlib
import dataclasses
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from digitlab.errors import DigitlabError, ModelFileError
from digitlab.search import Study, search
from digitlab.search.storage import mend
from digitlab.search.study import best_of

from .helpers import plan, points

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return search(plan(trials=6), tmp_path_factory.mktemp("study") / "s.journal", workers=1)


@pytest.mark.parametrize("seed", range(12))
def test_a_file_cut_at_any_byte_goes_on_to_the_same_end(seed, whole, tmp_path):
    written = whole.path.read_bytes()
    cut = random.Random(seed).randrange(1, len(written))
    (tmp_path / "s.journal").write_bytes(written[:cut])
    assert points(search(plan(trials=6), tmp_path / "s.journal", workers=1)) == points(whole)


def test_mending_removes_only_what_does_not_end(tmp_path):
    path = tmp_path / "f"
    for before, after in [(b"", b""), (b"a\n", b"a\n"), (b"a\nb", b"a\n"), (b"b", b""), (b"a\n\n", b"a\n\n")]:
        path.write_bytes(before)
        mend(path)
        assert path.read_bytes() == after


# Imports take longer than the searches here, so one process imports and then forks a child for each search.
SCRIPT = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
import optuna.samplers.nsgaii
from digitlab.parallel.job import base_sets
from digitlab.search import search
from tests.search.helpers import plan
base_sets({"source": "digits"})
a = plan("genetic", trials=TRIALS, epochs=2, population=6)
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        search(a, sys.argv[1], workers=2, executor=ThreadPoolExecutor(2))
        os._exit(0)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(status, flush=True)
"""
TRIALS = 300


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and kills")
def test_killed_at_20_random_moments(tmp_path):
    """No finished trial is lost, none is counted twice, and it always goes on."""
    path, rng = tmp_path / "s.journal", random.Random(7)
    code = SCRIPT.replace("TRIALS", str(TRIALS))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    finished, kills = {}, 0
    with subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, **pipes) as parent:
        assert parent.stdout.readline() == "ready\n"
        while kills < 20 or (not finished and kills < 60):  # more of them where even the start is slow
            parent.stdin.write("go\n")
            parent.stdin.flush()
            child = int(parent.stdout.readline())
            time.sleep(rng.uniform(0.0, 0.6))
            with contextlib.suppress(ProcessLookupError):  # a fast machine may have come to the end of the study
                os.kill(child, signal.SIGKILL)
            status = int(parent.stdout.readline())
            assert status in (0, signal.SIGKILL), "it ended of itself, and well, or it was killed"
            if status == 0:
                break
            kills += 1
            try:
                now = {t.number: t for t in Study(path).trials() if t.state == "done"}
            except DigitlabError as error:
                assert not finished, error
                continue
            for number, trial in finished.items():
                assert now[number] == trial, "a finished trial is as it was"
            finished = now
        parent.stdin.close()
    assert kills, "it was killed while it was searching"
    study = search(plan("genetic", trials=TRIALS, epochs=2, population=6), path, workers=1)
    trials = study.trials()
    done = {t.number: t for t in trials if t.state == "done"}
    assert {number: done[number] for number in finished} == finished
    assert len(done) == TRIALS, "neither lost nor counted twice"
    again = [t.notes["again"] for t in trials if "again" in t.notes]
    assert len(again) == len(set(again)), "what was interrupted was tried again once"
    assert again or kills < 20
    assert not any(t.state in ("running", "waiting") for t in trials)
    assert best_of(trials).value == max(t.value for t in done.values())


def test_a_damaged_study_is_one_line(tmp_path):
    path = tmp_path / "s.journal"
    search(plan(trials=1), path, workers=1)
    sound = path.read_text()
    trials = Study(path).trials()
    for pattern, other in (
        (r'"values":\s*\[[\d.]+\]', '"values":["x"]'),
        (r'"values":\s*\[[\d.]+\]', '"values":[null]'),
        (r'"op_code":\s*\d+', '"op_code":"x"'),
        (r"^\{.*\}\n", "[]\n"),
    ):
        damaged, times = re.subn(pattern, other, sound)
        assert times
        path.write_text(damaged)
        with pytest.raises(ModelFileError, match=r"is damaged|is no study"):
            Study(path).trials()
    trial, space = best_of(trials), plan(trials=1).space
    assert trial.fits(space)
    assert not dataclasses.replace(trial, point={"other": 1}).fits(space)
    assert not dataclasses.replace(trial, point=dict.fromkeys(trial.point, "x")).fits({"x": 1})
