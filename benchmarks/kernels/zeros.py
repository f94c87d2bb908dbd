"""When it pays to skip inputs that are zero: a dense layer behind a ReLU, by the share of its inputs that are not.

python benchmarks/kernels/zeros.py        (CPU time of one thread, the least of 15 runs)

Each figure is the time of a step of the whole small network with zeros skipped, divided by that without.
"""

import time

import numpy as np
from scipy.stats import norm

from digitlab.engine.fast import FastEngine
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.operations import CODES
from digitlab.engine.fast.ops.skipping import ALL_INPUTS, CHOICE, MAY_SKIP, SKIP_ZEROS
from digitlab.nn import Dense, LogLikelihood, Network, ReLU
from digitlab.optim import SGD, Adam

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
LAYERS = ((640, 1000), (512, 512), (1000, 1000), (640, 100), (2880, 100), (100, 100), (800, 128))
rng = np.random.default_rng(0)
x, y = rng.normal(size=(4000, 16)).astype(np.float32), rng.integers(0, 10, 4000)


def seconds(n_in, n_out, batch, share, choice, optimizer):
    """Seconds per example of a step whose middle layer multiplies all, or skips zeros."""
    network = Network([Dense(n_in), ReLU(), Dense(n_out), ReLU(), Dense(10)], 16, LogLikelihood(), seed=0)
    first = network.layers[0].params
    first["W"].value[:] = rng.normal(size=(16, n_in)) / 4  # a neuron's input is N(bias, 1)
    first["b"].value[:] = norm.ppf(share)
    engine = FastEngine(network, optimizer, examples=len(x), threads=1)
    n = max(300, 2 * batch)
    order, rates = np.arange(n), np.zeros(-(-n // batch))
    engine.train_batches(x, y, order, batch, rates)
    operations = engine.workspace.arrays[at.OPS]
    operations[operations[:, at.KIND] == CODES["large_dense"], MAY_SKIP] = 0
    operations[2, CHOICE] = choice
    best = np.inf
    for _ in range(15):
        began = time.process_time()
        engine.train_batches(x, y, order, batch, rates)
        best = min(best, time.process_time() - began)
    return best / n


def main():
    print(f"{'layer':14} batch  optimizer  whole, µs   with zeros skipped, by share: {SHARES}")
    for n_in, n_out in LAYERS:
        for batch in (10, 128):
            for optimizer in (SGD(0.1), Adam(0.001)):
                settings = (n_in, n_out, batch)
                whole = seconds(*settings, 0.3, ALL_INPUTS, optimizer)
                ratios = [seconds(*settings, share, SKIP_ZEROS, optimizer) / whole for share in SHARES]
                texts = "  ".join(f"{ratio:.2f}" for ratio in ratios)
                name = type(optimizer).__name__
                print(f"{n_in:5} → {n_out:5}  {batch:5}  {name:9} {1e6 * whole:10.1f}   {texts}", flush=True)


if __name__ == "__main__":
    main()
