"""Digits to learn from: `train, valid, test = load()`.

digits.py           Digits, a set of labelled images: slice it, sample it, look at it
splits.py           Splits: training, validation, test; smaller experiments of them
sources.py          load: from a name or a path to the sets;  choices.py  its arguments as a table
contents.py         what a source holds before it is cut: sets that its author divided, or one whole set
readers.py          one file, by its kind;  folders.py  a folder;  doubts.py  what is warned of
csv_digits.py  parquet.py       tables;  csv_table.py, table_layout.py  their numbers, their columns
idx.py  npz.py  npy.py  mat.py  pickles.py  nielsen_pickle.py  bundled.py     arrays, one format each
labels.py  pixels.py  raw.py  named_arrays.py  part_names.py     what labels, pixels and names mean, in any format
mnist_files.py      the four published files;  fetch.py  where they are, or fetching them once
idx_folder.py       other folders of IDX files;  idx_families.py  the sets that have names of their own
image_folder.py     a folder of pictures;  mixing.py  two sets in one
safe_gzip.py        reading a file that may be cut off, damaged or hostile
pictures.py         a grid of images, or one as text
augment/            images changed afresh, and larger training sets
appearances/        the same digits in colour, in other hands, in scenes
strokes.py          drawn digits;  sheets.py  whole sheets of them;  truths.py  what was read held against what is there
handwriting/        finding the digits on a photo
"""

from digitlab.data.csv_digits import read_csv, write_csv
from digitlab.data.digits import DIGIT_NAMES, Digits, concatenate
from digitlab.data.fetch import MissingDataError, MnistStatus, fetch_mnist, find_mnist, mnist_status
from digitlab.data.idx import read_idx, read_idx_pair, write_idx
from digitlab.data.nielsen_pickle import read_nielsen
from digitlab.data.npz import read_npz, write_npz
from digitlab.data.sources import load, load_auto
from digitlab.data.splits import Splits

__all__ = [
    "DIGIT_NAMES",
    "Digits",
    "MissingDataError",
    "MnistStatus",
    "Splits",
    "concatenate",
    "fetch_mnist",
    "find_mnist",
    "load",
    "load_auto",
    "mnist_status",
    "read_csv",
    "read_idx",
    "read_idx_pair",
    "read_nielsen",
    "read_npz",
    "write_csv",
    "write_idx",
    "write_npz",
]
