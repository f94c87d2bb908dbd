"""npz: the arrays by name, for numpy.load."""

from pathlib import Path

import numpy as np

from digitlab.exporting.format import ExportFormat
from digitlab.files import atomic_write
from digitlab.nn import Network


def write(network: Network, path: Path) -> list[Path]:
    """Write one .npz file with an array per parameter; return the paths."""
    with atomic_write(path) as temporary:
        np.savez(temporary, **network.state())
    return [path]


FORMAT = ExportFormat("npz", ".npz", "the arrays by name, for numpy.load", write)
