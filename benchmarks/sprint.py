"""Time to 99 %: the `sprint` preset beside the same network and recipe in PyTorch, over seeds, in one run.

    python benchmarks/sprint.py [--seeds 10] [--json docs/results/sprint.json]

One epoch over all 60,000 training images; Adam, one cycle, batches of 64; settings chosen on validation images only
(train/presets.py). Seconds are of training alone, images in memory; the test set is looked at once per network.
The last figure is a whole process, started, ended and all between, with the kernels compiled before.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import digitlab
import peers
from contest import keep
from digitlab import Adam, OneCycle, Trainer
from digitlab.nn.zoo import build_named
from digitlab.statistics import summarize
from digitlab.train.presets import PRESETS

NET, SETTINGS = PRESETS["sprint"].net, PRESETS["sprint"].settings
EPOCHS, BATCH, RATE, CYCLE = (
    SETTINGS["epochs"],
    SETTINGS["batch_size"],
    SETTINGS["optimizer"]["learning_rate"],
    SETTINGS["schedule"],
)


def ours(train: digitlab.Digits, test: digitlab.Digits, seed: int) -> tuple[float, float]:
    """Seconds of training and test accuracy."""
    schedule = OneCycle(**{key: value for key, value in CYCLE.items() if key != "type"})
    network = build_named(NET, seed=seed)
    trainer = Trainer(network, Adam(RATE), schedule=schedule, batch_size=BATCH, keep="last", seed=seed)
    seconds = sum(trainer.fit(train, epochs=EPOCHS).column("seconds"))
    return seconds, digitlab.evaluate(trainer.network, test.images, test.labels).accuracy or 0.0


def pytorch(train: digitlab.Digits, test: digitlab.Digits, seed: int, threads: int) -> tuple[float, float]:
    """The same recipe in PyTorch."""
    import torch

    from torch_peer import chain

    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    network = build_named(NET)
    model = chain(network.layers, network.input_shape)
    loss = torch.nn.CrossEntropyLoss(label_smoothing=network.loss.label_smoothing)
    x, y = peers.torch_images(train.images), torch.from_numpy(train.labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    steps = EPOCHS * -(-len(x) // BATCH)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        RATE,
        total_steps=steps,
        pct_start=CYCLE["warmup"],
        div_factor=CYCLE["start"],
        final_div_factor=CYCLE["end"] / CYCLE["start"],
        cycle_momentum=False,
    )
    began = time.perf_counter()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            chosen = order[start : start + BATCH]
            optimizer.zero_grad()
            loss(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
            cycle.step()
    seconds = time.perf_counter() - began
    model.eval()
    with torch.inference_mode():
        guesses = torch.cat([model(part).argmax(1) for part in peers.torch_images(test.images).split(1000)])
    return seconds, float(np.mean(guesses.numpy() == test.labels))


def whole_process() -> float:
    """Seconds of `digitlab train --preset sprint`, everything included."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "digitlab", "train", "--preset", "sprint", "--run", f"{folder}/run"]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    train, _, test = digitlab.load("mnist", split="60k/10k")
    ours(train, test, 0)  # compiles, if need be
    results: dict[str, list[tuple[float, float]]] = {"digitlab": [], "PyTorch": []}
    threads = os.cpu_count() or 1
    for seed in range(options.seeds):
        results["digitlab"].append(ours(train, test, seed))
        results["PyTorch"].append(pytorch(train, test, seed, threads))
    for name, pairs in results.items():
        seconds, percents = [s for s, _ in pairs], [100 * share for _, share in pairs]
        spread = f"[{min(seconds):.2f} {max(seconds):.2f}]"
        reached = summarize(percents).text("{:.3f}".format, " %", show_n=True)
        print(f"{name:9} {statistics.median(seconds):6.2f} s of training {spread}   test {reached}")
    processes = [whole_process() for _ in range(options.seeds)]
    ratio = statistics.median(p[0] for p in results["PyTorch"]) / statistics.median(p[0] for p in results["digitlab"])
    print(f"PyTorch takes {ratio:.2f} times as long")
    spread = f"[{min(processes):.2f} {max(processes):.2f}] (n = {len(processes)})"
    print(f"a whole warm process: {statistics.median(processes):.2f} s {spread}")
    if options.json:
        keep(options.json, {"results": results, "whole_process_seconds": processes})


if __name__ == "__main__":
    main()
