"""safetensors: digitlab's own network file; other programs read its arrays by name."""

from pathlib import Path

from digitlab.exporting.format import ExportFormat
from digitlab.nn import Network


def write(network: Network, path: Path) -> list[Path]:
    """Write one .safetensors file; return the paths."""
    network.save(path)
    return [path]


FORMAT = ExportFormat("safetensors", ".safetensors", "digitlab's own file; the arrays by name, such as 0.W", write)
