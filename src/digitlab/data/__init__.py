"""Data sets of digits: `train, valid, test = load()`.

dataset.py      Digits, a set of labelled images: slice it, sample it, look at it
splits.py       Splits: training, validation, test; smaller experiments of them
loading.py      load: from a name or a path to the sets;  arguments.py  its arguments as a table
download.py     where MNIST is on this machine, or downloading it once;  bundled.py  scikit-learn's digits
names.py        the names of data sets;  mixing.py  two sets in one
sources.py      what a file or folder holds;  unlabelled.py  images to classify
warnings.py     warnings about sets that are probably a mistake
grids.py        a grid of images, or one as text
formats/        files and folders of every kind that hold images and labels
augment/        random changes of images in every epoch, and larger training sets
synthetic/      digits drawn by program: in colour, in other handwriting styles, in scenes, as whole pages
photos/         finding the digits on a photo
"""

from digitlab.data.dataset import DIGIT_NAMES, Digits, concatenate
from digitlab.data.download import MissingDataError, MnistStatus, fetch_mnist, find_mnist, mnist_status
from digitlab.data.formats.csv_digits import read_csv, write_csv
from digitlab.data.formats.idx import read_idx, read_idx_pair, write_idx
from digitlab.data.formats.npz import read_npz, write_npz
from digitlab.data.formats.pickles import read_nielsen
from digitlab.data.loading import load, load_auto
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
