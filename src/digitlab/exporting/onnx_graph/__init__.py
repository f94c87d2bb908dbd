"""Networks as ONNX graphs: the operators of every layer.

graph.py          a graph under construction; which function writes which layer
elementwise.py    activations, Bias, Rescale, Dropout
windows.py        convolution and pooling
recurrent.py      SimpleRNN, LSTM, GRU, Bidirectional
shapes.py         Dense, Flatten, Reshape, Repeat, Slice, normalization
containers.py     Sequential, Residual, Branches, PerNeuron, Subnetwork, Combine

https://onnx.ai/onnx/operators
"""

from digitlab.exporting.onnx_graph import containers, elementwise, recurrent, shapes, windows  # noqa: F401
from digitlab.exporting.onnx_graph.graph import Graph, write_layer

__all__ = ["Graph", "write_layer"]
