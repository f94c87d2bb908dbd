"""Networks for other programs: `export_network(network, "net.onnx", "onnx")`.

formats/      one file per format, with a `FORMAT`; a further format is a further file there
format.py     what a format is, and the list of them
"""

from digitlab.exporting.format import export_formats, export_network

__all__ = ["export_formats", "export_network"]
