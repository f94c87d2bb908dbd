"""`kernel` marks the functions that are compiled, in the compiler's process; elsewhere they stay plain Python.

Planning and training import the files of the operations, too, and must not import numba, which takes seconds: there
`kernel` does nothing, and what kernels compute with (simd/) is a placeholder.
"""

import os
from importlib import import_module
from typing import Any

# The functions that Python calls (loops/entries.py), with the types of their arguments: i for int64, d for float64
ARGUMENTS = {"train": "ii", "predict": "ii", "list_bytes": "iiidiii", "list_floats": "iiiiii", "mix_words": "iii"}
CORE = "core"  # the part with these functions; the others are operations (compile.py)
VARIABLE = "DIGITLAB_COMPILING"  # the environment variable that tells the compiler's process; set by build.py
COMPILING = bool(os.environ.get(VARIABLE))
UNIT_FEATURES = "avx512f", "amx-tile", "amx-bf16"


def processor_has(*features: str) -> bool:
    """Whether this processor, and its operating system, have features by LLVM's names."""
    there = import_module("llvmlite.binding").get_host_cpu_features()
    return all(there.get(feature, False) for feature in features)


SIXTEEN_LANES = COMPILING and processor_has("avx512f")  # registers of sixteen floats
MATRIX_UNIT = COMPILING and processor_has(*UNIT_FEATURES)  # simd/matrix_unit.py


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
