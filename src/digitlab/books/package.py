"""Fingerprints of figures that are no rows of the ledger: of one training, and of the package as a whole.

What measures speed or memory has no task whose bits could be compared. Its file carries the fingerprint of a few
trainings that use each kind of kernel and the readable engine, so that one can tell which code it was measured with.
"""

from collections.abc import Mapping
from typing import Any

from digitlab.books.data import Data
from digitlab.books.fingerprint import Fingerprint, combined, numerics, processor
from digitlab.books.training import Training
from digitlab.nn import build_named, describe_network, mlp
from digitlab.nn.network import Network
from digitlab.optim import SGD, Adam, Momentum, Optimizer
from digitlab.optim.regularizers import L2
from digitlab.train import RunConfig


def of_training(config: RunConfig) -> Fingerprint:
    """The fingerprint of the code that would do this training now."""
    return Fingerprint(numerics(Training(title="", config=config, data=Data())), processor=processor())


def of_table(table: Mapping[str, Any]) -> Fingerprint:
    """The same of a training's settings as a file has them (`RunConfig.table`)."""
    return of_training(RunConfig.from_table(table))


def of_package() -> Fingerprint:
    """The fingerprint of the package: of dense and convolutional networks, several optimizers, dropout and an LSTM."""
    chosen: list[tuple[Network, Optimizer]] = [
        (mlp([784, 30, 10], seed=None), SGD(3.0)),
        (mlp([784, 300, 10], loss="log-likelihood", activation="relu", dropout=0.5, seed=None), Momentum(0.01)),
        (build_named("sprint", seed=None), Adam(0.001)),
        (build_named("rows-lstm", seed=None), Adam(0.001)),
    ]
    found = [
        of_training(RunConfig(describe_network(network), optimizer=optimizer, regularizers=(L2(1.0),), epochs=1))
        for network, optimizer in chosen
    ]
    return Fingerprint(combined([code.numerics for code in found]), processor=processor())
