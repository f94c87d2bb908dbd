"""Formats of data sets: each module reads one, and its `FORMAT` says which kinds of file and how.

csv_digits.py  parquet.py      tables
idx_files.py  npz.py  npy.py  mat.py  pickles.py       arrays;  idx.py  the bytes of an IDX file
image_folder.py                pictures
shared/                        what they have in common: labels, pixels, names, sizes, safe reading

A further format is a further module here with a `FORMAT` (see shared/format.py).
"""
