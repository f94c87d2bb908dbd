"""Training on a GPU: images per second against an ideal loop in PyTorch, and time to 99 % with the `sprint` recipe.

    python benchmarks/gpu.py [--device cuda] [--mixed-precision] [--seeds 3] [--json docs/results/gpu.json]

The readable network itself runs there, on tensors, by the engines `torch` and `torch-compiled`. The ideal loop is what
an expert writes: torch.nn, channels last, fused Adam, data and order on the device, the whole step in one CUDA graph,
without and with torch.compile. With --mixed-precision all of them compute products in bfloat16. Without a GPU it says
"not measured"; `--device cpu --train-size 1000` runs the same code on the CPU.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import digitlab
from contest import keep
from digitlab import Adam, OneCycle, Trainer
from digitlab.engine import select_engine
from digitlab.errors import EngineError
from digitlab.nn import Conv2D, Dense, Dropout, Flatten, LogLikelihood, MaxPool2D, Network, ReLU
from digitlab.nn.zoo import build_named
from digitlab.train.presets import PRESETS

SETTINGS = PRESETS["sprint"].settings
EPOCHS = 3  # the fastest counts: the first one compiles


def dense() -> Network:
    layers = [Dense(512), ReLU(), Dropout(0.2), Dense(512), ReLU(), Dropout(0.2), Dense(10)]
    return Network(layers, 784, LogLikelihood(), seed=0, scaling="/255")


def convolutions() -> Network:
    """The network of PyTorch's own MNIST example."""
    layers = [Conv2D(32, 3), ReLU(), Conv2D(64, 3), ReLU(), MaxPool2D(2), Dropout(0.25)]
    layers += [Flatten(), Dense(128), ReLU(), Dropout(0.5), Dense(10)]
    return Network(layers, (28, 28, 1), LogLikelihood(), seed=0, scaling="/255")


def torch_model(name: str) -> Any:
    from torch import nn

    sprint = [nn.Conv2d(1, 16, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.MaxPool2d(2), nn.ReLU()]
    dense = [nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 512), nn.ReLU()]
    example = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)]
    parts = {
        "sprint": [*sprint, nn.Flatten(), nn.Linear(800, 128), nn.ReLU(), nn.Linear(128, 10)],
        "dense": [*dense, nn.Dropout(0.2), nn.Linear(512, 10)],
        "convolutions": [*example, nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)],
    }
    return nn.Sequential(*parts[name])


NETWORKS: dict[str, tuple[Callable[[], Network], int]] = {
    "sprint": (lambda: build_named("sprint", seed=0), 64),
    "dense": (dense, 128),
    "convolutions": (convolutions, 64),
}


def ours(name: str, engine_name: str, train: digitlab.Digits, device: str, mixed: bool) -> float:
    """Images per second of an engine."""
    build, batch = NETWORKS[name]
    network = build()
    settings = {"device": device, "mixed_precision": mixed, "examples": len(train)}
    engine, _ = select_engine(engine_name, network, Adam(0.001), **settings)
    x, y = engine.place(train.images), engine.place(train.labels.astype(np.int64))
    steps, rng, seconds = len(train) // batch, np.random.default_rng(0), []
    for _ in range(EPOCHS):
        order = rng.permutation(len(train))[: steps * batch]
        began = time.perf_counter()
        engine.train_batches(x, y, order, batch, np.full(steps, 0.001))  # returns losses: the device has finished
        seconds.append(time.perf_counter() - began)
    return steps * batch / min(seconds)


def ideal(name: str, train: digitlab.Digits, device: str, mixed: bool, *, graph: bool, compiled: bool) -> float:
    """Images per second of the loop in PyTorch."""
    import torch
    from torch.nn import functional

    cuda, batch = device != "cpu", NETWORKS[name][1]
    torch.manual_seed(0)
    model = torch_model(name).to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=cuda, capturable=cuda)
    forward = torch.compile(model) if compiled else model
    x = torch.as_tensor(train.images, device=device)[:, None]
    y = torch.as_tensor(train.labels.astype(np.int64), device=device)
    steps = len(train) // batch
    order = torch.zeros((steps, batch), dtype=torch.int64, device=device)
    position = torch.zeros(1, dtype=torch.int64, device=device)
    losses = torch.zeros(steps, device=device)

    def step() -> None:
        rows = order.index_select(0, position).reshape(-1)
        images = (x.index_select(0, rows).float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16, enabled=mixed, cache_enabled=False):
            loss = functional.cross_entropy(forward(images), y.index_select(0, rows))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.index_copy_(0, position, loss.detach().reshape(1))
        position.add_(1)

    run = step
    if cuda and graph:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        captured = torch.cuda.CUDAGraph()
        position.zero_()
        with torch.cuda.graph(captured):
            step()
        run = captured.replay
    seconds = []
    for _ in range(EPOCHS):
        order.copy_(torch.randperm(len(train), device=device)[: steps * batch].view(steps, batch))
        position.zero_()
        float(losses[0])  # waits for the device
        began = time.perf_counter()
        for _ in range(steps):
            run()
        float(losses[-1])
        seconds.append(time.perf_counter() - began)
    return steps * batch / min(seconds)


def sprint(train: digitlab.Digits, test: digitlab.Digits, device: str, mixed: bool, seed: int) -> tuple[float, float]:
    """Seconds of training by the recipe, and test accuracy."""
    schedule = OneCycle(**{key: value for key, value in SETTINGS["schedule"].items() if key != "type"})
    trainer = Trainer(
        build_named(PRESETS["sprint"].net, seed=seed),
        Adam(SETTINGS["optimizer"]["learning_rate"]),
        schedule=schedule,
        batch_size=SETTINGS["batch_size"],
        engine="torch",
        device=device,
        mixed_precision=mixed,
        keep="last",
        seed=seed,
    )
    took = sum(trainer.fit(train, epochs=SETTINGS["epochs"]).column("seconds"))
    return took, digitlab.evaluate(trainer.network, test.images, test.labels).accuracy or 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--mixed-precision", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train-size", type=int, default=60_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    train, _, test = digitlab.load("mnist", split="60k/10k")
    train, device, mixed = train.first(options.train_size), options.device, options.mixed_precision
    try:
        sprint(train.first(640), test, device, mixed, 0)  # warms up
    except EngineError as error:
        print(f"not measured: {error}")
        return
    import torch

    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name() if device != 'cpu' else 'CPU'}")
    kept: dict[str, Any] = {
        "device": device,
        "torch": torch.__version__,
        "images": len(train),
        "mixed_precision": mixed,
    }
    kept["images_per_second"] = {}
    columns = ("torch", "compiled", "loop", "graph", "graph+comp.")
    print(f"{'images per second':17} " + " ".join(f"{column:>11}" for column in columns))
    for name in NETWORKS:
        rates = [ours(name, "torch", train, device, mixed)]
        rates += [ours(name, "torch-compiled", train, device, mixed)]
        rates += [
            ideal(name, train, device, mixed, graph=g, compiled=c)
            for g, c in ((False, False), (True, False), (True, True))
        ]
        kept["images_per_second"][name] = rates
        against = f"{rates[0] / rates[3]:.2f} of graph, {rates[1] / rates[4]:.2f} of graph+compile"
        print(f"{name:17} " + " ".join(f"{rate:11,.0f}" for rate in rates) + f"  {against}", flush=True)
    results = [sprint(train, test, device, mixed, seed) for seed in range(options.seeds)]
    seconds, percents = [s for s, _ in results], [100 * share for _, share in results]
    spread = f" ± {statistics.stdev(percents):.3f}" if len(percents) > 1 else ""
    print(
        f"sprint, torch engine on {device}: {statistics.median(seconds):.2f} s of training, "
        f"test {statistics.fmean(percents):.3f}{spread} % (n = {len(results)}, {len(train):,} images)"
    )
    if options.json:
        keep(options.json, kept | {"sprint": results})


if __name__ == "__main__":
    main()
