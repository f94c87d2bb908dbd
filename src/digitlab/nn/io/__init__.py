"""Networks as files, as tables and as text.

files.py          saving and loading: safetensors with the description as metadata
description.py    a network as plain data, and back
importers.py      files that other programs wrote
freezing.py       which weights stay as they are, and how a file says so
summary.py        the table of layers, shapes and numbers of weights
"""
