"""What five networks together gain over each of them, on MNIST, with the networks of the book's chapter 6.

    python benchmarks/ensemble.py [--net double-conv-relu] [--members 5] [--groups 3] [--train-size 50000] [--epochs N]
                                  [--folder DIR] [--json FILE]

`groups` times `members` networks from different seeds, each kept at its best validation epoch; then each group by
plurality vote and by the mean of probabilities. Mean ± standard deviation over the groups. The networks are runs in the
folder: stopped, the same command goes on.
"""

import argparse
import dataclasses
from pathlib import Path

from contest import keep
from digitlab import RunConfig, load, train_many
from digitlab.ensemble import combine, gain
from digitlab.nn import describe_network
from digitlab.nn.zoo import recipe
from digitlab.statistics import summarize


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", default="double-conv-relu")
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--groups", type=int, default=3)
    parser.add_argument("--train-size", type=int, default=50_000)
    parser.add_argument("--epochs", type=int, help="by default the book's")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--folder", type=Path, default=Path("benchmark-ensemble"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    training = recipe(options.net).training
    config = RunConfig.from_table(
        {
            "network": describe_network(recipe(options.net).build()),
            "data": {"source": "mnist", "train_size": options.train_size},
            "optimizer": {"type": training.optimizer, "learning_rate": training.learning_rate},
            "schedule": {"type": training.schedule},
            "regularizers": [{"type": "L2", "strength": training.l2}] if training.l2 else [],
            "batch_size": training.batch_size,
            "epochs": options.epochs or training.epochs,
        }
    )
    sets = load("mnist")
    print(
        f"{options.net}: {options.groups} times {options.members} networks, {options.train_size:,} training images, "
        f"{config.epochs} epochs",
        flush=True,
    )
    rows = []
    for group in range(options.groups):
        seeds = range(group * options.members, (group + 1) * options.members)
        configs = [dataclasses.replace(config, seed=seed) for seed in seeds]
        names = [f"{options.net}-{options.train_size}-{config.epochs}-seed-{seed}" for seed in seeds]
        together = train_many(configs, names=names, data=sets, folder=options.folder, workers=options.workers)
        networks = together.networks()
        found = {how: gain(combine(networks, how), sets.test.images, sets.test.labels) for how in ("vote", "mean")}
        vote = found["vote"]
        rows.append(
            {
                "seeds": list(seeds),
                "members": vote.members,
                "vote": vote.whole,
                "mean": found["mean"].whole,
                "disagreement": vote.diversity.disagreement,
                "q": vote.diversity.q,
                "errors": len(vote.errors),
                "shared": vote.shared,
                "engine": together.outcomes[0].engine,
            }
        )
        print(
            f"  seeds {seeds.start}–{seeds.stop - 1}: members {', '.join(f'{100 * m:.2f}' for m in vote.members)}; "
            f"vote {100 * vote.whole:.2f}, mean {100 * found['mean'].whole:.2f}; disagreement "
            f"{100 * vote.diversity.disagreement:.2f} %, Q {vote.diversity.q:.3f}",
            flush=True,
        )
        if options.json:
            keep(options.json, {"options": {k: str(v) for k, v in vars(options).items()}, "rows": rows})
    members = summarize([100 * m for row in rows for m in row["members"]])
    print(f"members  {members.mean:.2f} ± {members.sd:.2f} % (n = {members.n}, best {members.maximum:.2f})")
    for how in ("vote", "mean"):
        s = summarize([100 * row[how] for row in rows])
        beaten = sum(row[how] > max(row["members"]) for row in rows)
        print(f"{how:8} {s.mean:.2f} ± {s.sd:.2f} % (n = {s.n}); better than each member in {beaten} of {len(rows)}")


if __name__ == "__main__":
    main()
