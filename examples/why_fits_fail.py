"""Why some networks cannot fit a curve: the same 1-40-40-1 network with parts missing, on sin(x) + x and cos(x) + x.

    python examples/why_fits_fail.py [--seeds 5] [--epochs 200]

Prints mean squared errors on 1,000 points outside the training set, mean ± sd over the seeds.
"""

import argparse
from collections.abc import Callable

import numpy as np

from digitlab import Dense, Layer, LogLikelihood, MeanSquaredError, Network, ReLU, Tanh, Uniform, Zeros
from digitlab.functions import fit_function, parse_function
from digitlab.statistics import summarize

FUNCTIONS = ("sin(x) + x", "cos(x) + x")


def network(activation: Callable[[], Layer], biases: object, seed: int) -> Network:
    """1-40-40-1 with this activation and these first biases; None: no biases at all."""
    layers = [Dense(40, biases=biases), activation(), Dense(40, biases=biases), activation(), Dense(1, biases=biases)]
    return Network(layers, 1, MeanSquaredError(), seed=seed)


CASES = {
    "ReLU, no biases": lambda seed: network(ReLU, None, seed),
    "ReLU, biases start at 0 and learn": lambda seed: network(ReLU, Zeros(), seed),
    "ReLU, biases start spread over ±2": lambda seed: network(ReLU, Uniform(-2, 2), seed),  # the scaled x
    "tanh, no biases": lambda seed: network(Tanh, None, seed),
    "tanh, biases start at 0 and learn": lambda seed: network(Tanh, Zeros(), seed),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=200)
    options = parser.parse_args()
    print(f"{'':36}" + "".join(f"{text:>24}" for text in FUNCTIONS))
    for name, build in CASES.items():
        cells = []
        for text in FUNCTIONS:
            errors = [
                fit_function(build(seed), parse_function(text), -8, 8, epochs=options.epochs, seed=seed).error
                for seed in range(options.seeds)
            ]
            cells.append(summarize(errors).text("{:.1e}".format))
        print(f"{name:36}" + "".join(f"{cell:>24}" for cell in cells))

    x, ones = np.linspace(-8, 8, 400, dtype=np.float32)[:, None], np.ones((400, 1), np.float32)
    silent = network(Tanh, Zeros(), 0)
    silent.loss = LogLikelihood()
    silent.gradient(x, ones)
    gradient = max(float(np.abs(p.grad).max()) for p in silent.parameters().values())
    print(f"softmax on the one output: output {silent.predict(x).min()} everywhere, largest gradient {gradient}")


if __name__ == "__main__":
    main()
