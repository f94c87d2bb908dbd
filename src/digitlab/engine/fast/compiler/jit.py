"""`kernel` marks the functions that are compiled, in the compiler's process; elsewhere they stay plain text.

Planning and training import the files of the operations, too, and must not import numba, which takes seconds: there
`kernel` does nothing, and what kernels compute with (simd/) is a placeholder.

Each operation states the kernel set that it belongs to, such as "dense", and one compilation covers those that
a network needs: a first training of the book's dense network need not wait for convolutions. Kernels that use a set for
some networks only ask a constant, such as `LARGE`, and the compiler leaves out what it excludes.
"""

import os
from importlib import import_module
from typing import Any

# The functions that Python calls (loops/entries.py), with the types of their arguments: i for int64, d for float64
ARGUMENTS = {"train": "ii", "predict": "ii", "list_bytes": "iiidiii", "list_floats": "iiiiii", "mix_words": "iii"}
ALL = frozenset({"all"})  # in place of the names of all kernel sets
VARIABLE = "DIGITLAB_COMPILING"  # the environment variable that names what is compiled; set by build.py
PART = "DIGITLAB_COMPILING_PART"  # and one that says which of two processes this is (compile.py): FIRST, SECOND or none
FIRST, SECOND = "first", "second"
COMPILED = frozenset(filter(None, os.environ.get(VARIABLE, "").split("+")))
COMPILING = bool(COMPILED)
UNIT_FEATURES = "avx512f", "amx-tile", "amx-bf16"


def covers(compiled: frozenset[str], kernel_sets: frozenset[str]) -> bool:
    """Whether code that was compiled for these kernel sets is enough for those."""
    return compiled == ALL or kernel_sets <= compiled


def processor_has(*features: str) -> bool:
    """Whether this processor, and its operating system, have features by LLVM's names."""
    there = import_module("llvmlite.binding").get_host_cpu_features()
    return all(there.get(feature, False) for feature in features)


SIXTEEN_LANES = COMPILING and processor_has("avx512f")  # registers of sixteen floats
MATRIX_UNIT = COMPILING and processor_has(*UNIT_FEATURES)  # simd/matrix_unit.py
LARGE = covers(COMPILED, frozenset({"large"}))


def kernel(signature: Any = None) -> Any:
    """A decorator: no wrappers for Python and C around the function, and division by zero gives ∞ as in NumPy."""
    if not COMPILING:
        return lambda function: function
    from numba import njit

    from digitlab.engine.fast.compiler.numba_internals import pipeline

    return njit(
        signature, pipeline_class=pipeline(), no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy"
    )


class Placeholder:
    """Stands for a function or type of simd/ where nothing is compiled."""

    def __call__(self, *arguments: Any) -> "Placeholder":
        return self
