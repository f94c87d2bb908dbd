"""A killed worker's trainings start again elsewhere; a killed scheduler ends the command with an error and the way on.

tests/parallel/test_cluster.py kills workers of searches and ensembles and compares the bits.
"""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from digitlab.errors import EngineError
from digitlab.nn import mlp
from digitlab.parallel import train_many
from digitlab.parallel.cluster import DaskPool, source_of_digitlab
from digitlab.train import RunConfig

pytest.importorskip("distributed", reason="pip install 'digitlab[cluster]'")
TABLE = {"source": "digits", "train_size": 200}


@contextmanager
def scheduler_that_dies(folder):
    """The address of a scheduler with a worker, which is killed 15 s later."""
    told, command = folder / "scheduler.json", [sys.executable, "-m"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)]
    scheduler = subprocess.Popen([*command, "distributed.cli.dask_scheduler", *options], **quiet)
    options = ["--scheduler-file", str(told), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    worker = subprocess.Popen([*command, "distributed.cli.dask_worker", *options], cwd=folder, **quiet)
    timer = threading.Timer(15, scheduler.kill)
    try:
        while not (told.exists() and told.stat().st_size):
            time.sleep(0.1)
        timer.start()
        yield json.loads(told.read_text())["address"]
    finally:
        timer.cancel()
        for process in (scheduler, worker):
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    "address",
    ["tcp://", "tcp://127.0.0.1:1", "tcp://127.0.0.1:99999999", "foo://a:1", "tcp://[::", "://", "tls://127.0.0.1:1"],
)
def test_a_bad_address_is_one_line(address, attempts):
    if not attempts.long and address != "foo://a:1":
        pytest.skip("waits for an answer: with --long")
    with pytest.raises(EngineError, match="no Dask scheduler answers"):
        DaskPool(address, None, None, [], None, timeout=0.5)
    attempts.count()


def test_another_source_is_refused(attempts, monkeypatch):
    class Client:
        def run(self, function):
            return {"tcp://there:1": ("0.1.0", "0123456789ab")}

    pool = DaskPool.__new__(DaskPool)
    pool.client = Client()
    with pytest.raises(EngineError, match=r"tcp://there:1 runs digitlab 0\.1\.0 with source 0123456789ab"):
        pool._compare_sources()
    pool.client.run = lambda function: {"tcp://there:1": source_of_digitlab()}
    pool._compare_sources()
    attempts.count()


def test_the_schedulers_death_is_an_error(tmp_path, attempts):
    if not attempts.long:
        pytest.skip("starts a cluster: with --long")
    with scheduler_that_dies(tmp_path) as address, pytest.raises(EngineError, match=r"gave a training up.*--resume"):
        same = {"epochs": 99999, "engine": "reference", "data": TABLE}
        configs = [RunConfig(network=mlp([64, 9, 10]), seed=seed, **same) for seed in (1, 2)]
        train_many(configs, cluster=address, verbose=0)
    attempts.count()
