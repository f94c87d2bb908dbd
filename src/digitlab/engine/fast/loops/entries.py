"""The functions that Python calls."""

from digitlab.engine.fast.loops.list_pixels import list_bytes, list_floats, mix_words
from digitlab.engine.fast.loops.predict import predict
from digitlab.engine.fast.loops.train import train

ENTRIES = {function.__name__: function for function in (train, predict, list_bytes, list_floats, mix_words)}
