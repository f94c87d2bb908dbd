"""The trained network that comes with digitlab, so that reading and imagining work without data or training.

digits.safetensors    the network
train.py              how it was made: `python -m digitlab.shipped.train`
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.nn import Network

PATH = Path(__file__).with_name("digits.safetensors")


def shipped_network() -> "Network":
    """The trained network that comes with digitlab: 28×28 grey digits in, ten classes out."""
    from digitlab.nn import load_network

    return load_network(PATH)
