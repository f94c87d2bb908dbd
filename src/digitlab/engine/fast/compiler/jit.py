"""How every kernel is compiled: no wrapper for Python around it, and division by zero gives ∞ as in NumPy."""

# mypy: ignore-errors

from functools import partial

from numba import njit

kernel = partial(njit, no_cpython_wrapper=True, error_model="numpy")
