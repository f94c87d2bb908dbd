"""`kernel` marks the functions that are compiled, in the compiler's process; elsewhere they stay plain text.

Planning and training import the files of the operations, too, and must not import numba, which takes seconds: there
`kernel` does nothing, and what kernels compute with (simd/) is a placeholder.

A kernel set is what one compilation covers. Convolutions are half of the code, and what large dense layers need is a
third of the rest; a first training of the book's dense network need not wait for either. The compiler sees constants
and leaves out what they exclude.
"""

import os
from typing import Any

# The functions that Python calls (loops/entries.py), with the types of their arguments: i for int64, d for float64
ARGUMENTS = {"train": "ii", "predict": "ii", "list_bytes": "iiidiii", "list_floats": "iiiiii", "mix_words": "iii"}
KERNEL_SETS = ("dense", "large", "all")  # each holds those before it
VARIABLE = "DIGITLAB_KERNELS"  # the environment variable that says which set is compiled; set by build.py
KERNEL_SET = os.environ.get(VARIABLE, "")
COMPILING = KERNEL_SET in KERNEL_SETS
LARGE = KERNEL_SET != "dense"


def kernel(signature: Any = None) -> Any:
    """A decorator: no wrappers for Python and C around the function, and division by zero gives ∞ as in NumPy."""
    if not COMPILING:
        return lambda function: function
    from numba import njit

    return njit(signature, no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")


class Placeholder:
    """Stands for a function or type of simd/ where nothing is compiled."""

    def __call__(self, *arguments: Any) -> "Placeholder":
        return self
