"""An experiment is added by one file: in a copy of the package the one of docs/extending.md is found, run, reported."""

import os
import shutil
import subprocess
import sys

import pytest

from test_extending import ROOT, apply, walks


@pytest.mark.slow
def test_a_new_file_in_the_folder_of_chapters_is_an_experiment(tmp_path):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    assert apply(walks()["An experiment"][0], tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src"), "DIGITLAB_OFFLINE": "1"}

    def call(*arguments):
        command = [sys.executable, "-m", "digitlab", "reproduce", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "what I expect" not in call("list", "--book", "nielsen")
    assert "three learning rates" in call("list", "--book", "own-experiments")
    assert "three-rates: η 1/valid_best" in call("run", "three-rates", "--quick")
    assert (tmp_path / "results" / "rows" / "quick" / "three-rates.as-written.curves.png").is_file()
    call("report", "--quick")
    assert (tmp_path / "experiments" / "three-rates.md").read_text().startswith("# three-rates: three learning rates")
