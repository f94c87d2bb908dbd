"""The networks of a study's best trial: kept while the search goes on, and judged on the test set when it is over."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digitlab.data import Splits
from digitlab.nn.network import Network
from digitlab.parallel.job import TrainingResult
from digitlab.search.study import Study, Trial, best_of


def folder_beside(path: Path) -> Path:
    """Where the networks of the best trial lie: study.journal.networks."""
    return path.with_name(f"{path.name}.networks")


def keep_networks(path: Path, number: int, results: Sequence[TrainingResult]) -> None:
    """Write a trial's networks, one for each seed; before the trial is called done, so the best's are never lost."""
    for i, result in enumerate(results):
        result.network().save(folder_beside(path) / f"{number}-{i}.safetensors")


def drop_networks(path: Path, trials: Sequence[Trial]) -> None:
    """Remove the networks of all finished trials but the best."""
    best = best_of(trials).number if any(t.state == "done" for t in trials) else None
    settled = {t.number for t in trials if t.state in ("done", "pruned", "failed")}
    for file in folder_beside(path).glob("*.safetensors"):
        number = file.stem.split("-")[0]
        # What a kill left half written has no number.
        if not number.isdecimal() or (int(number) in settled and int(number) != best):
            file.unlink(missing_ok=True)


def best_networks(study: Study) -> list[Network]:
    """The networks of the best trial, one for each seed, as they were kept when it was done; trained again if lost."""
    from digitlab.nn import load_network
    from digitlab.parallel import train_many

    best = study.best()
    configs = study.plan.configs(best.point)
    paths = [folder_beside(study.path) / f"{best.number}-{i}.safetensors" for i in range(len(configs))]
    if best.notes.get("error") is None and all(path.is_file() for path in paths):
        return [load_network(path) for path in paths]
    return train_many(configs, verbose=0).networks()


def judge_best(study: Study, data: Splits | None = None) -> dict[str, Any]:
    """Look at the test set, once, with the networks of the best trial, and write down what it said.

    {"trial", "trials": how many were known, "values": accuracy (or loss) for each seed, "again": whether it had been
    looked at before with fewer trials}. For the same best trial the figures are those written down.
    """
    from digitlab.parallel.job import sets_for
    from digitlab.train.evaluation import evaluate

    best, before = study.best(), study.tested()
    if before is not None and before["trial"] == best.number:
        return before
    values = []
    for network in best_networks(study):
        test = sets_for(study.plan.base.data, data).test
        loss, accuracy = evaluate(network, test)
        values.append(accuracy if accuracy is not None else loss)
    known = sum(t.state in ("done", "pruned") for t in study.trials())
    tested = {"trial": best.number, "trials": known, "values": values, "again": before is not None}
    study.study.set_user_attr("digitlab:tested", json.loads(json.dumps(tested)))
    return tested
