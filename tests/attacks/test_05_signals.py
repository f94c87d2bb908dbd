"""SIGTERM and SIGHUP end a command as Ctrl-C does: work is saved, the exit code says which, no worker lives on.

Workers end with their parent even if that is killed.
"""

import os
import signal
import subprocess
import sys
import time

import pytest

from digitlab.nn import load_network

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
CODE = "from digitlab.cli import main; main()"
TRAIN = (
    "train",
    "--data",
    "digits",
    "--epochs",
    "99999",
    "--engine",
    "reference",
    "--train-size",
    "200",
    "--run",
    "run",
)


def begun(tmp_path, code=CODE, *arguments):
    """A command that has finished an epoch."""
    environment = {**os.environ, "MPLBACKEND": "agg"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while not any(tmp_path.rglob("checkpoint.safetensors")):
        assert process.poll() is None and time.monotonic() < end, process.communicate()[1]
        time.sleep(0.02)
    return process


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_training_saves_its_network(name, tmp_path, attempts):
    if name == "SIGHUP" and not attempts.long:
        pytest.skip("as SIGTERM: with --long")
    process = begun(tmp_path, CODE, *TRAIN)
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name)
    assert "interrupted" in said
    load_network(tmp_path / "run" / "network.safetensors")
    assert not (tmp_path / "run" / ".lock").exists()
    attempts.count()


WORKERS = """
import sys
from digitlab.nn import mlp
from digitlab.parallel import train_many
from digitlab.train import RunConfig
if __name__ == "__main__":
    table = {"source": "digits", "train_size": 200}
    same = {"epochs": 99999, "engine": "reference", "data": table}
    configs = [RunConfig(network=mlp([64, 9, 10]), seed=seed, **same) for seed in (1, 2)]
    train_many(configs, folder="group", workers=2, verbose=0)
"""


def children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(word) for word in found.split()]


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_no_worker_outlives_its_parent(name, tmp_path, attempts):
    if not attempts.long:
        pytest.skip("starts two workers: with --long")
    (tmp_path / "many.py").write_text(WORKERS)
    process = begun(tmp_path, "import runpy; runpy.run_path('many.py', run_name='__main__')")
    workers = children(process.pid)
    assert len(workers) >= 2
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)
    end = time.monotonic() + 20
    while any(map(lives, workers)):
        assert time.monotonic() < end, "a worker lives on"
        time.sleep(0.05)
    attempts.count(len(workers))
