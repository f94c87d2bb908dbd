"""Steps that formats share, from bytes to sets with labels.

format.py       what a format declares, and all there are
contents.py     what a source holds before it is split: sets that its author divided, or one whole set
raw.py          images with labels as a file spells them;  labels.py  pixels.py  what these mean
named_arrays.py part_names.py       names of arrays, and of training and test sets
csv_table.py    table_layout.py     the numbers of a table, and its columns
families.py     Fashion-MNIST, EMNIST and others in MNIST's files;  mnist_files.py  the four published files
safe_gzip.py    reading a file that may be cut off, damaged or hostile
"""
