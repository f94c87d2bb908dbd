"""Time to 99 % on a GPU: the `sprint` recipe with the torch engine, the whole data set on the device.

    python benchmarks/gpu.py [--device cuda] [--seeds 3] [--json docs/results/gpu.json]

The readable network itself runs there: `network.to("torch", "cuda")`. Without such a device it says "not measured";
`--device cpu --train-size 2000` goes the same way on the CPU.
"""

import argparse
import statistics
from pathlib import Path

import digitlab
from contest import keep
from digitlab import Adam, OneCycle, Trainer
from digitlab.errors import EngineError
from digitlab.nn.zoo import build_named
from digitlab.statistics import summarize
from digitlab.train.presets import PRESETS

SETTINGS = PRESETS["sprint"].settings


def run(train: digitlab.Digits, test: digitlab.Digits, device: str, seed: int) -> tuple[float, float]:
    """Seconds of training, and test accuracy."""
    schedule = OneCycle(**{key: value for key, value in SETTINGS["schedule"].items() if key != "type"})
    trainer = Trainer(
        build_named("sprint", seed=seed),
        Adam(SETTINGS["optimizer"]["learning_rate"]),
        schedule=schedule,
        batch_size=SETTINGS["batch_size"],
        engine="torch",
        device=device,
        keep="last",
        seed=seed,
    )
    took = sum(trainer.fit(train, epochs=SETTINGS["epochs"]).column("seconds"))
    return took, digitlab.evaluate(trainer.network, test.images, test.labels).accuracy or 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train-size", type=int, default=60_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    train, _, test = digitlab.load("mnist", split="60k/10k")
    train = train.first(options.train_size)
    try:
        run(train.first(640), test, options.device, 0)  # warms up
    except EngineError as error:
        print(f"not measured: {error}")
        return
    results = [run(train, test, options.device, seed) for seed in range(options.seeds)]
    seconds, percents = [s for s, _ in results], [100 * share for _, share in results]
    reached = summarize(percents).text("{:.3f}".format)
    print(
        f"torch engine on {options.device}: {statistics.median(seconds):.2f} s of training, "
        f"test {reached} % (n = {len(results)}, {len(train):,} images)"
    )
    if options.json:
        keep(options.json, {"device": options.device, "images": len(train), "results": results})


if __name__ == "__main__":
    main()
