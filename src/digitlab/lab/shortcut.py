"""get_net: a network made, trained and saved in one call."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from digitlab.arguments import checked
from digitlab.data import load
from digitlab.errors import ConfigError
from digitlab.lab.net import Net


@checked
def get_net(
    sizes: Sequence[int] = (784, 30, 10),
    *,
    epochs: int = 30,
    batch_size: int = 10,
    learning_rate: float | None = None,
    seed: int = 0,
    data: str = "mnist",
    folder: str | os.PathLike[str] = ".",
) -> Net:
    """Make, train and save a network in one call, and return it.

    The file's name tells how it came about, as
    net-year-month-day-hour-minute-epochs-layers-widest hidden layer-batch size-learning rate-accuracy-seed,
    the accuracy being the best on the validation set, in per cent. Ctrl-C saves what was learned until then.
    """
    if Path(folder).exists() and not Path(folder).is_dir():
        raise ConfigError(f"folder: got {folder}, which is a file; expected a folder to save the network in")
    splits = load(data)
    net = Net(sizes, seed=seed)
    interrupted = False
    try:
        net.train(splits.train, learning_rate, epochs=epochs, batch_size=batch_size, valid=splits.valid)
    except KeyboardInterrupt:
        if not len(net.history):
            raise
        interrupted, epochs = True, len(net.history)
    accuracy = 100 * net.history.statistics("valid_accuracy").best
    widest, rate = max(sizes[1:-1], default=0), net.history[-1]["learning_rate"]
    name = time.strftime("net-%Y-%m-%d-%H-%M")
    name += f"-{epochs}-{len(sizes)}-{widest}-{batch_size}-{rate:g}-{accuracy:.2f}-{seed}.safetensors"
    net.save(Path(folder) / name)
    print(f"saved: {Path(folder) / name}")
    if interrupted:
        raise KeyboardInterrupt
    return net
