"""csv: a folder with a table for each array, for spreadsheets and statistics programs."""

from pathlib import Path

import numpy as np

from digitlab.exporting.format import ExportFormat
from digitlab.files import atomic_write
from digitlab.nn import Network


def write(network: Network, path: Path) -> list[Path]:
    """0.W.csv and so on: a row per input, a column per neuron; kernels (kh, kw, C, filters) have kh·kw·C rows."""
    written = []
    for name, array in network.state().items():
        written.append(path / f"{name}.csv")
        with atomic_write(written[-1]) as temporary:
            np.savetxt(temporary, array.reshape(-1, array.shape[-1]), delimiter=",", fmt="%.9g")
    return written


FORMAT = ExportFormat("csv", "", "a folder with a table (CSV) for each array", write)
