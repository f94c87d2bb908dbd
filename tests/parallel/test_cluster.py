"""A real scheduler and real workers, each a process of its own; one is killed in the middle, and nothing is lost."""

import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest

from digitlab.data import load
from digitlab.ensemble import combine, gain, member_configs
from digitlab.errors import EngineError
from digitlab.parallel import train_many
from digitlab.search import SearchPlan, search

from .helpers import Heard, config, weights

pytest.importorskip("distributed", reason="pip install 'digitlab[cluster]'")
pytestmark = pytest.mark.slow


@contextmanager
def process(*arguments):
    running = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@contextmanager
def cluster(folder, workers):
    """A scheduler on loopback and so many workers: its address and the workers' processes."""
    import json

    told = folder / "scheduler.json"
    with ExitStack() as stack:
        stack.enter_context(
            process(
                "distributed.cli.dask_scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--scheduler-file",
                str(told),
            )
        )
        for _ in range(600):
            if told.exists() and told.stat().st_size:
                break
            time.sleep(0.1)
        address = json.loads(told.read_text())["address"]

        def worker():
            return stack.enter_context(
                process(
                    "distributed.cli.dask_worker",
                    address,
                    "--nthreads",
                    "1",
                    "--no-nanny",
                    "--no-dashboard",
                    "--local-directory",
                    str(folder),
                )
            )

        running = [worker() for _ in range(workers)]
        wait_for(address, workers)
        yield address, running, worker


def wait_for(address, workers):
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=120)


class Killing(Heard):
    """Kills a worker when the second network is done."""

    def __init__(self, victim):
        super().__init__()
        self.victim, self.seen = victim, 0

    def done(self, *told):
        self.seen += 1
        if self.seen == 2:
            self.victim.kill()

    def began(self, *told):
        self.calls.append("began")

    def told(self, line):
        pass


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder, 2) as (address, running, worker):
        yield folder, address, running, worker


def test_a_search_and_an_ensemble_outlive_their_workers(place):
    folder, address, running, worker = place
    plan = SearchPlan(config(epochs=6), {"learning_rate": "log:0.1,10"}, "random", trials=8, repeats=2)
    watcher = Killing(running[0])
    study = search(plan, folder / "far.journal", cluster=address, watcher=watcher)
    assert running[0].poll() is not None, "a worker was killed in the middle"
    here = search(plan, folder / "here.journal", workers=1)
    assert [(t.number, t.point, t.state) for t in study.trials()] == [
        (t.number, t.point, t.state) for t in here.trials()
    ]
    assert [t.values for t in study.trials()] == [t.values for t in here.trials()]

    running.append(worker())
    wait_for(address, 2)
    configs = member_configs(config(epochs=6), "bagging", 6)
    group = folder / "group"
    together = train_many(configs, cluster=address, folder=group, test=True, watcher=Killing(running[1]))
    assert running[1].poll() is not None, "and another one"
    alone = train_many(configs, workers=1, test=True)
    assert [weights(o) for o in together.outcomes] == [weights(o) for o in alone.outcomes]
    assert len(list(group.glob("*/network.safetensors"))) == 6, "what came back was written here"
    assert train_many(configs, workers=1, folder=group, test=True).values() == alone.values()
    test = load("digits").test
    assert gain(combine(together.networks(), "vote"), test.images, test.labels).whole > 0.5


def test_the_sets_are_sent_to_each_worker_once_and_not_read_there(place):
    _, address, _, _ = place
    here = load("digits", train_size=100)
    nowhere = [config(seed, data={"source": "only-here", "train_size": 100}) for seed in range(3)]
    heard = Heard()
    far = train_many(nowhere, data=here, cluster=address, watcher=heard)
    assert [o.error for o in far.outcomes] == [None] * 3
    for _ in range(100):  # the last words may be on their way still
        if {e["row"]["epoch"] for e in heard.events} == {1, 2}:
            break
        time.sleep(0.1)
    assert {e["row"]["epoch"] for e in heard.events} == {1, 2}, "progress comes back"


def test_no_scheduler_there():
    with pytest.raises(EngineError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        train_many([config()], cluster="tcp://127.0.0.1:9")


def test_local(tmp_path):
    far = train_many([config(seed) for seed in range(2)], cluster="local", workers=2)
    assert "Dask cluster" in far.reason
    near = train_many([config(seed) for seed in range(2)], workers=1)
    assert [weights(o) for o in far.outcomes] == [weights(o) for o in near.outcomes]
