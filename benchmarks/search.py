"""Do the searches find what a fine grid finds, and for how much less? [784,30,10], η and λ, on MNIST.

    python benchmarks/search.py [--train-size 50000] [--epochs 30] [--repeats 3] [--searches 3] [--folder DIR]
                                [--json FILE]

First a grid of learning rate × L2 (9 × 9 points, each the mean over `repeats` seeds), then every other strategy, from
several seeds of its own. What each found best is trained again from five fresh seeds, so that none is credited with
a lucky one; the difference is to the grid's best point, judged in the same way. All of it on the validation set; the
test set is looked at once for each, at the end, and decides nothing. Studies are files in the folder: stopped, the
same command goes on.
"""

import argparse
import dataclasses
import statistics
from pathlib import Path

from contest import keep
from digitlab import SGD, RunConfig, load, mlp, train_many
from digitlab.nn import describe_network
from digitlab.search import SearchPlan, Study, search
from digitlab.search.settings import settings_for
from digitlab.search.space import as_text
from digitlab.search.study import epochs_trained
from digitlab.statistics import summarize

SPACE = {"learning_rate": "log:0.01,100", "l2": "log:0.01,10"}
FRESH = 5  # seeds that judge what was found; none of them took part in the search
SEARCHES = {
    "log-scale": {},
    "genetic": {"trials": 24, "population": 8},
    "genetic, halving": {"trials": 32, "population": 8, "prune": "halving", "min_epochs": 2},
    "cma-es": {"trials": 24},
    "tpe": {"trials": 24},
    "tpe, hyperband": {"trials": 32, "prune": "hyperband", "min_epochs": 2},
    "random": {"trials": 24},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train-size", type=int, default=50_000)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--searches", type=int, default=3)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--folder", type=Path, default=Path("benchmark-search"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = {"source": "mnist", "train_size": options.train_size}
    base = RunConfig(describe_network(mlp([784, 30, 10])), data, SGD(3.0), epochs=options.epochs)
    sets = load("mnist")

    def run(name: str, seed: int, **settings: object) -> Study:
        strategy = name.split(",")[0]
        plan = SearchPlan(base, dict(SPACE), strategy, repeats=options.repeats, seed=seed, **settings)  # type: ignore[arg-type]
        path = options.folder / f"{name.replace(', ', '-')}-{seed}.journal"
        return search(plan, path, data=sets, workers=options.workers)

    def judge(point: dict[str, float]) -> tuple[list[float], list[float]]:
        """Validation and test accuracy of a point's networks from seeds that no search has seen, in per cent."""
        configs = [dataclasses.replace(settings_for(base, point), seed=1000 + i) for i in range(FRESH)]
        folder = options.folder / "judged" / as_text(point).replace(" ", "_")
        names = [f"seed-{config.seed}" for config in configs]
        together = train_many(configs, names=names, data=sets, folder=folder, workers=options.workers, test=True)
        return [100 * v for v in together.values()], [100 * v for v in together.values("test_accuracy")]

    print(
        f"[784,30,10], quadratic cost, {options.train_size:,} training images, {options.epochs} epochs, "
        f"{options.repeats} seeds a setting; searches from {options.searches} seeds",
        flush=True,
    )
    rows = []
    grid = run("grid", 0, points=9)
    rows.append(report("grid, 9 × 9", [grid], judge, None))
    cost, level = rows[0]["epochs"], rows[0]["valid"]["mean"]
    for name, settings in SEARCHES.items():
        seeds = 1 if name == "log-scale" else options.searches  # it draws no random numbers
        rows.append(report(name, [run(name, seed, **settings) for seed in range(seeds)], judge, (cost, level)))
        if options.json:
            keep(options.json, {"options": {k: str(v) for k, v in vars(options).items()}, "rows": rows})


def report(name: str, studies: list[Study], judge: object, grid: tuple[float, float] | None) -> dict[str, object]:
    """One strategy's line, over its searches."""
    valid, test, costs, found = [], [], [], []
    for study in studies:
        best = study.best()
        v, t = judge(best.point)  # type: ignore[operator]
        valid.append(statistics.fmean(v))
        test.append(statistics.fmean(t))
        costs.append(epochs_trained(study.trials()))
        found.append(as_text(best.point))
    v, t = summarize(valid), summarize(test)
    cost = statistics.fmean(costs)
    against = (
        f"{v.mean - grid[1]:+.2f} for {100 * cost / grid[0]:.0f} % of the cost"
        if grid
        else "what the others are measured by"
    )
    print(
        f"{name:18} valid {v.mean:.2f} ± {v.sd:.2f} (worst {v.minimum:.2f})  test {t.mean:.2f}  {cost:,.0f} epochs  "
        f"{against}  {'; '.join(found)}",
        flush=True,
    )
    return {"name": name, "valid": v._asdict(), "test": t._asdict(), "epochs": cost, "found": found}


if __name__ == "__main__":
    main()
