"""csv: a folder with a table for each array, for spreadsheets and statistics programs."""

from pathlib import Path

import numpy as np

from digitlab.exporting.format import ExportFormat
from digitlab.files import atomic_folder
from digitlab.nn import Network


def write(network: Network, path: Path) -> list[Path]:
    """0.W.csv and so on: a row per input, a column per neuron; kernels (kh, kw, C, filters) have kh·kw·C rows."""
    with atomic_folder(path) as temporary:
        for name, array in network.state().items():
            np.savetxt(temporary / f"{name}.csv", array.reshape(-1, array.shape[-1]), delimiter=",", fmt="%.9g")
    return [path / f"{name}.csv" for name in network.state()]


FORMAT = ExportFormat("csv", "", "a folder with a table (CSV) for each array", write)
