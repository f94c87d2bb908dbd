"""The functions that Python calls, with their signatures; every other kernel is compiled into them."""

# mypy: ignore-errors

from numba.types import float64, int64

from digitlab.engine.fast.loops.list_pixels import list_bytes, list_floats, mix_words
from digitlab.engine.fast.loops.predict import predict
from digitlab.engine.fast.loops.train import train

ENTRIES = {
    "train": (train, int64(int64, int64)),
    "predict": (predict, int64(int64, int64)),
    "list_bytes": (list_bytes, int64(int64, int64, int64, float64, int64, int64, int64)),
    "mix_words": (mix_words, int64(int64, int64, int64)),
    "list_floats": (list_floats, int64(int64, int64, int64, int64, int64, int64)),
}
