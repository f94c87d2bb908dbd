"""Networks as files, as tables and as text.

files.py          saving: safetensors with the description as metadata
loading.py        a network from any file
description.py    a network as plain data
building.py       a network from plain data
importers.py      files that other programs wrote;  onnx_reader.py  ONNX
foreign_weights.py    arrays of PyTorch and Keras, for a network that has the layers
freezing.py       which weights stay as they are, and how a file says so
summary.py        the table of layers, shapes and numbers of weights
"""
