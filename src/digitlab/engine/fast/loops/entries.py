"""The functions that Python calls, and the types of their arguments: i for int64, d for float64."""

from digitlab.engine.fast.loops.list_pixels import list_bytes, list_floats, mix_words
from digitlab.engine.fast.loops.predict import predict
from digitlab.engine.fast.loops.train import train

ENTRIES = {
    "train": (train, "ii"),
    "predict": (predict, "ii"),
    "list_bytes": (list_bytes, "iiidiii"),
    "mix_words": (mix_words, "iii"),
    "list_floats": (list_floats, "iiiiii"),
}
