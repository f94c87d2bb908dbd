"""What the books' first networks reach on MNIST: best validation epoch, its validation and test accuracy, over seeds.

    python benchmarks/accuracy.py [--seeds 5] [--json FILE] [NAME ...]

Every line is the mean ± standard deviation over the seeds. The epoch is chosen on the validation set (the last 10,000
of the published training images); the test set is looked at once, with the network of that epoch.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import digitlab
from digitlab import SGD, Adam, Network, Trainer, build_named, mlp
from digitlab.nn.regularizers import L2
from digitlab.optimizers import Optimizer


@dataclass(frozen=True)
class Setting:
    """What it is and the command that does the same; the network for a seed; how it is trained."""

    about: str
    build: Callable[[int], Network]
    optimizer: Optimizer
    l2: float = 0.0
    batch_size: int = 10
    epochs: int = 30


SETTINGS = {
    "chapter1": Setting(
        "[784,30,10], quadratic, scaled init, η 3 (digitlab train)",
        lambda seed: mlp([784, 30, 10], seed=seed),
        SGD(3.0),
    ),
    "chapter1-large": Setting(
        "[784,30,10], quadratic, N(0,1) init, η 3 (digitlab train --init large)",
        lambda seed: mlp([784, 30, 10], init="large", seed=seed),
        SGD(3.0),
    ),
    "chapter3": Setting(
        "[784,100,10], cross-entropy, scaled init, η 0.5, λ 5"
        " (digitlab train --net 784-100-10 --loss cross-entropy --l2 5)",
        lambda seed: mlp([784, 100, 10], loss="cross-entropy", seed=seed),
        SGD(0.5),
        l2=5.0,
    ),
    "double-conv-relu": Setting(
        "20@5×5, pool, 40@5×5, pool, FC100, ReLU, η 0.03, λ 1 (digitlab train --net double-conv-relu --epochs 6)",
        lambda seed: build_named("double-conv-relu", seed=seed),
        SGD(0.03),
        l2=1.0,
        epochs=6,
    ),
    "rows-lstm": Setting(
        "LSTM(128) reading rows, Adam η 0.001, batches of 64 (digitlab train --net rows-lstm --epochs 8)",
        lambda seed: build_named("rows-lstm", seed=seed),
        Adam(0.001),
        batch_size=64,
        epochs=8,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(SETTINGS), metavar="NAME", help=", ".join(SETTINGS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    train, valid, test = digitlab.load("mnist")
    results = {}
    for name in options.names:
        setting = SETTINGS[name]
        rows = []
        for seed in range(options.seeds):
            penalties = [L2(setting.l2)] if setting.l2 else []
            trainer = Trainer(
                setting.build(seed), setting.optimizer, regularizers=penalties, batch_size=setting.batch_size, seed=seed
            )
            history = trainer.fit(train, valid, epochs=setting.epochs)
            best = history.statistics("valid_accuracy")
            accuracy = digitlab.evaluate(trainer.network, test.images, test.labels).accuracy or 0.0
            rows.append({"seed": seed, "epoch": best.best_epoch, "valid": 100 * best.best, "test": 100 * accuracy,
                         "seconds": sum(history.column("seconds")), "engine": trainer.engine_name})  # fmt: skip
            print(f"  {name} seed {seed}: epoch {best.best_epoch}, valid {rows[-1]['valid']:.2f}, "
                  f"test {rows[-1]['test']:.2f}", flush=True)  # fmt: skip
        results[name] = {"setting": setting.about, "epochs": setting.epochs, "runs": rows}
        valid_, test_ = (spread([row[part] for row in rows]) for part in ("valid", "test"))
        print(f"{setting.about}: valid {valid_}, test {test_}", flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


def spread(values: list[float]) -> str:
    """Mean ± sample standard deviation."""
    sd = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.2f} ± {sd:.2f} % (n = {len(values)})"


if __name__ == "__main__":
    main()
