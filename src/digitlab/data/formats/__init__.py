"""Files and folders that hold images and labels, one format each; all of them give Contents.

contents.py         what a source holds before it is split: sets that its author divided, or one whole set
readers.py          one file, by its kind;  folders.py  a folder
csv_digits.py  parquet.py       tables;  csv_table.py, table_layout.py  their numbers, their columns
idx.py  npz.py  npy.py  mat.py  pickles.py  nielsen_pickle.py       arrays
labels.py  pixels.py  raw.py  named_arrays.py  part_names.py        what labels, pixels and names mean in any format
mnist_files.py      the four published files
idx_folder.py       other folders of IDX files;  idx_families.py  data sets with file names of their own
image_folder.py     a folder of pictures
safe_gzip.py        reading a file that may be cut off, damaged or hostile
"""
