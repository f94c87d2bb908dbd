"""What the books' networks reach on MNIST: best validation epoch, its validation and test accuracy, over seeds.

    python benchmarks/accuracy.py [--seeds 5] [--json FILE] [NAME ...]

Every line is the mean ± standard deviation over the seeds. The epoch is chosen on the validation set (the last 10,000
of the published training images); the test set is looked at once, with the network of that epoch.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import digitlab
from digitlab import SGD, Adam, Network, RunConfig, build_named, mlp
from digitlab.books.probe import of_training
from digitlab.files import write_text
from digitlab.nn import describe_network
from digitlab.optim import Optimizer
from digitlab.optim.regularizers import L2
from digitlab.statistics import summarize


def training(network: Network, optimizer: Optimizer, l2: float = 0.0, **more: Any) -> RunConfig:
    """A training of this network, 30 epochs in batches of 10 unless `more` says otherwise."""
    return RunConfig(describe_network(network), optimizer=optimizer, regularizers=(L2(l2),) if l2 else (), **more)


SETTINGS: dict[str, tuple[str, RunConfig]] = {  # what it is, with the command that does the same
    "chapter1": (
        "[784,30,10], quadratic, scaled init, η 3 (digitlab train)",
        training(mlp([784, 30, 10], seed=None), SGD(3.0)),
    ),
    "chapter1-large": (
        "[784,30,10], quadratic, N(0,1) init, η 3 (digitlab train --init large)",
        training(mlp([784, 30, 10], init="large", seed=None), SGD(3.0)),
    ),
    "chapter3": (
        "[784,100,10], cross-entropy, scaled init, η 0.5, λ 5"
        " (digitlab train --net 784-100-10 --loss cross-entropy --l2 5)",
        training(mlp([784, 100, 10], loss="cross-entropy", seed=None), SGD(0.5), l2=5.0),
    ),
    "double-conv-relu": (
        "20@5×5, pool, 40@5×5, pool, FC100, ReLU, η 0.03, λ 1 (digitlab train --net double-conv-relu --epochs 6)",
        training(build_named("double-conv-relu", seed=None), SGD(0.03), l2=1.0, epochs=6),
    ),
    "rows-lstm": (
        "LSTM(128) reading rows, Adam η 0.001, batches of 64 (digitlab train --net rows-lstm --epochs 8)",
        training(build_named("rows-lstm", seed=None), Adam(0.001), batch_size=64, epochs=8),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(SETTINGS), metavar="NAME", help=", ".join(SETTINGS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    train, valid, test = digitlab.load("mnist")
    there = options.json is not None and options.json.is_file()
    results = json.loads(options.json.read_text(encoding="utf-8")) if there else {}  # of other settings, to be kept
    for name in options.names:
        about, config = SETTINGS[name]
        rows = []
        for seed in range(options.seeds):
            trainer = replace(config, seed=seed).trainer()
            history = trainer.fit(train, valid, epochs=config.epochs)
            best = history.statistics("valid_accuracy")
            accuracy = digitlab.evaluate(trainer.network, test.images, test.labels).accuracy or 0.0
            rows.append(
                {
                    "seed": seed,
                    "epoch": best.best_epoch,
                    "valid": 100 * best.best,
                    "test": 100 * accuracy,
                    "seconds": sum(history.column("seconds")),
                    "engine": trainer.engine_name,
                }
            )
            print(
                f"  {name} seed {seed}: epoch {best.best_epoch}, valid {rows[-1]['valid']:.2f}, "
                f"test {rows[-1]['test']:.2f}",
                flush=True,
            )
        code = asdict(of_training(config))
        results[name] = {"setting": about, "config": config.table(), "code": code, "runs": rows}
        valid_, test_ = (
            summarize([row[part] for row in rows]).text(unit=" %", show_n=True) for part in ("valid", "test")
        )
        print(f"{about}: valid {valid_}, test {test_}", flush=True)
        if options.json:
            results = {known: results[known] for known in SETTINGS if known in results}
            write_text(options.json, json.dumps(results, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
