"""One text for every array library: which namespace an array belongs to, and the few steps that differ.

The readable code uses operators and `xp = array_namespace(x)`, the functions of the Python array API
standard (https://data-apis.org/array-api/), so the same lines run on NumPy arrays, PyTorch tensors and CuPy arrays.
This is the only module that imports `array_api_compat`.
"""

import importlib
from typing import Any

import numpy as np

from digitlab.errors import ConfigError, EngineError, in_brief, not_among

Array = Any  # a NumPy array, a PyTorch tensor, a CuPy array ...: Python has no common type for them yet
LIBRARIES = ("numpy", "torch", "cupy")
PACKAGES = {"cupy": "cupy-cuda12x"}  # to install, where not called as the library; "cupy" has to be compiled
Namespace = Any  # the module with that library's functions


def array_namespace(x: Array) -> Namespace:
    """The module whose functions work on `x`: numpy for NumPy arrays, array_api_compat's wrapper otherwise."""
    if isinstance(x, np.ndarray | np.generic):  # NumPy 2 is the standard itself; asking costs more than a small layer
        return np
    import array_api_compat

    return array_api_compat.array_namespace(x)


def to_numpy(x: Array) -> Any:
    """`x` as a NumPy array, copied from the device where it lives elsewhere."""
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "detach"):  # PyTorch: out of the autograd graph and off the device first
        return x.detach().cpu().numpy()
    if hasattr(x, "get") and hasattr(x, "device"):  # CuPy
        return x.get()
    return np.asarray(x)


def like(value: Any, x: Array) -> Array:
    """`value` (NumPy array or numbers) as an array of `x`'s library, dtype and device."""
    if isinstance(x, np.ndarray):
        return np.asarray(value, dtype=x.dtype)
    import array_api_compat

    return array_namespace(x).asarray(value, dtype=x.dtype, device=array_api_compat.device(x))


def placed_with(other: Array, x: Array) -> Array:
    """`x` in the library and on the device of `other`, dtype unchanged; as it is where `other` is None."""
    if other is None or isinstance(other, np.ndarray) or type(x) is type(other):
        return x
    import array_api_compat

    return array_namespace(other).asarray(x, device=array_api_compat.device(other))


def placed(x: Any, library: str, device: str = "cpu") -> Array:
    """`x` as an array of `library` ("numpy", "torch", "cupy") on `device` ("cpu", "cuda", "cuda:1").

    Raises ConfigError for an unknown library, EngineError for one that is not installed or a device that is not there.
    """
    if library not in LIBRARIES:
        raise ConfigError(f"unknown array library {not_among(library, LIBRARIES)}")
    x = to_numpy(x)
    if library == "numpy":
        return x
    try:
        namespace = importlib.import_module(library)
        return namespace.asarray(x, device=device) if library == "torch" else namespace.asarray(x)
    except ImportError:
        package = PACKAGES.get(library, library)
        raise EngineError(f"{library} is not installed; pip install {package}, or use the NumPy engines") from None
    except (RuntimeError, AssertionError) as error:  # how PyTorch says that there is no such device
        raise EngineError(f"{library} cannot use the device {device!r} here: {in_brief(error)}") from None


def real(x: Array) -> Array:
    """The real part; `x` itself if it is real.

    Comparisons go through this, so that a complex step (gradients/) follows the branch its real part takes.
    """
    if isinstance(x, np.ndarray):
        return x.real  # a view that costs nothing on real arrays
    xp = array_namespace(x)
    return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x
