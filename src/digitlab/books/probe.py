"""Fingerprints of tasks, experiments, trainings and the package, computed by running probes (fingerprint.py)."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.books.data import Data
from digitlab.books.experiment import Experiment, Variant
from digitlab.books.fingerprint import Fingerprint, combined, numbers, of_figures, processor, short_hash
from digitlab.books.task import Task, TaskResult
from digitlab.books.training import Training
from digitlab.engine.threads import sharing_cores
from digitlab.errors import DigitlabError
from digitlab.nn import Network, build_named, describe_network, mlp
from digitlab.optim import SGD, Adam, Momentum, Optimizer
from digitlab.optim.regularizers import L2
from digitlab.train import RunConfig

_known: dict[str, str] = {}  # numerics by the probe's key, in this process


def numerics(task: Task) -> str:
    """The hash of what the task's probe gives; "" if the probe fails: the task itself will say why."""
    probe = task.probe()
    if probe.key not in _known:
        with tempfile.TemporaryDirectory() as folder:
            run_probe(probe, Path(folder))
    return _known[probe.key]


def run_probe(probe: Task, folder: Path) -> TaskResult | None:
    """Run a probe in a folder and remember its hash; None if it fails."""
    result, found = None, ""
    try:
        with sharing_cores():  # one thread: the order of sums must not depend on the number of threads
            result = TaskResult(probe, probe.run(folder, lambda text: None), 0.0, folder)
        # `final` is measured by whichever kernels are compiled: it may differ in its last bit.
        measured = numbers({key: value for key, value in result.result.items() if key != "final"})
        weights = result.network().parameters().values() if result.has_network else ()
        bits = [np.ascontiguousarray(p.value).tobytes() for p in weights]
        found = short_hash([np.array(list(measured), np.float64).tobytes(), *bits])
    except DigitlabError:
        pass
    _known[probe.key] = found
    return result


def of_task(task: Task) -> Fingerprint:
    """The fingerprint of today's code for this task."""
    return Fingerprint(numerics(task), processor=processor())


@cache
def of_experiment(experiment: Experiment, variant: Variant) -> Fingerprint:
    """The fingerprint of today's code for an experiment's figures; the same for all seeds."""
    variant = replace(variant, seed=0, source="made-up")
    probes = {label: task.probe() for label, task in experiment.scaled_tasks(variant).items()}
    with tempfile.TemporaryDirectory() as folder:
        done: dict[str, TaskResult | None] = {}  # tasks that differ only in their seed have the same probe
        for probe in probes.values():
            if probe.key not in done:
                (own := Path(folder) / probe.key).mkdir()
                done[probe.key] = run_probe(probe, own)
        whole = combined([_known[probe.key] for probe in probes.values()])
        task_results = {label: result for label, probe in probes.items() if (result := done[probe.key])}
        figures = of_figures(asdict(experiment.query(task_results, variant))) if whole else ""
    return Fingerprint(whole, figures, processor())


def of_training(config: RunConfig) -> Fingerprint:
    """The fingerprint of today's code for a training that is no experiment of the catalogue."""
    return of_task(Training(title="", config=config, data=Data()))


def of_table(table: Mapping[str, Any]) -> Fingerprint:
    """The same for a training's settings as stored in a file (`RunConfig.table`)."""
    return of_training(RunConfig.from_table(table))


def of_package() -> Fingerprint:
    """The fingerprint of the package: of dense and convolutional networks, several optimizers, dropout and an LSTM.

    Files of measured speed or memory carry it: they belong to no task whose bits could be compared.
    """
    chosen: list[tuple[Network, Optimizer]] = [
        (mlp([784, 30, 10], seed=None), SGD(3.0)),
        (mlp([784, 300, 10], loss="log-likelihood", activation="relu", dropout=0.5, seed=None), Momentum(0.01)),
        (build_named("sprint", seed=None), Adam(0.001)),
        (build_named("rows-lstm", seed=None), Adam(0.001)),
    ]
    found = [
        of_training(RunConfig(describe_network(network), optimizer=optimizer, regularizers=(L2(1.0),), epochs=1))
        for network, optimizer in chosen
    ]
    return Fingerprint(combined([code.numerics for code in found]), processor=processor())
