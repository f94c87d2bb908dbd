"""What drawing the training images afresh every epoch costs: seconds per epoch with and without, taking turns.

    python benchmarks/augmentation.py [--repeats 3] [--train-size 50000] [NETWORK ...]

Each turn trains a new network for three epochs with each augmentation. "waited" is what a clock says, without the first
epoch, which has to wait for its images (those of the others are made beside the training); "worked" is the processor
time of all threads and epochs. Ratios are medians over the turns, each against its own turn's "none". "alone" is the
processor time of one thread that makes the images of an epoch.
"""

import argparse
import statistics
import time

import numpy as np

from digitlab.data import load
from digitlab.data.augment import parse_augmentation
from digitlab.nn import mlp
from digitlab.nn.zoo import ZOO, build_named, parse_sizes
from digitlab.optim import SGD, Adam
from digitlab.train import Trainer

SPECS = ("none", "shift", "shift,rotate:10,scale,shear", "elastic", "shift,rotate:10,elastic", "noise")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["sprint", "784-100-10"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--train-size", type=int, default=50_000)
    chosen = parser.parse_args()
    train = load("mnist", train_size=chosen.train_size).train
    alone = {spec: min(processor_time(spec, train.images) for _ in range(3)) for spec in SPECS}
    for name in chosen.networks:
        turns = [{spec: seconds(name, spec, train) for spec in SPECS} for _ in range(chosen.repeats)]
        for spec in SPECS:
            columns = [f"{name:<12} {spec:<28} alone {alone[spec]:.2f} s"]
            for place, what in enumerate(("waited", "worked")):
                median = statistics.median(turn[spec][place] for turn in turns)
                ratio = statistics.median(turn[spec][place] / turn["none"][place] for turn in turns)
                columns.append(f"{what} {median:.2f} s ×{ratio:.2f}")
            print("   ".join(columns), flush=True)


def seconds(name: str, spec: str, train: object) -> tuple[float, float]:
    """An epoch's seconds by the clock, the better of the second and third, and by the processor, the mean of all."""
    augmentation = parse_augmentation(spec)
    small = name in ZOO
    network = build_named(name) if small else mlp(parse_sizes(name) or [784, 30, 10])
    trainer = Trainer(
        network,
        Adam(0.001) if small else SGD(3.0),
        batch_size=64 if small else 10,
        augment=augmentation if augmentation.steps else None,
        keep="last",
    )
    began = time.process_time()
    history = trainer.fit(train, epochs=3)
    return min(history.column("seconds")[1:]), (time.process_time() - began) / 3


def processor_time(spec: str, images: np.ndarray) -> float:
    augmentation, began = parse_augmentation(spec), time.thread_time()
    augmentation.augment(images, np.random.default_rng(0))
    return time.thread_time() - began


if __name__ == "__main__":
    main()
