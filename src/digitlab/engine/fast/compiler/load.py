"""The compiled kernels, from this machine's cache or compiled now.

The cache holds machine code as compile.py made it, under a name that says what it was made from: the kernels' text,
numba's and LLVM's versions, and the processor. So it never needs to be emptied to be right, and loading it takes
llvmlite alone, a few hundredths of a second; numba is imported only to compile.
"""

import contextlib
import ctypes
import hashlib
import importlib
import importlib.metadata
import logging
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from digitlab.engine.fast.compiler import cache
from digitlab.engine.fast.compiler.jit import ALL, ARGUMENTS, covers
from digitlab.engine.fast.ops.activation import formulas
from digitlab.errors import EngineError, in_brief

ENGINE = Path(__file__).parent.parent
TYPES: dict[str, Any] = {"i": ctypes.c_int64, "d": ctypes.c_double}
_lock = threading.Lock()
_loaded: "dict[frozenset[str], Kernels]" = {}
logger = logging.getLogger("digitlab")


class Kernels:
    """The entry functions, callable from any thread; a call releases Python's lock."""

    def __init__(self, objects: list[bytes], symbols: dict[str, str]) -> None:
        llvm = _llvm()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine()
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        for code in objects:
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        self._addresses = {name: self._engine.get_function_address(symbols[name]) for name in ARGUMENTS}
        self._calls = {name: self._call(address, name) for name, address in self._addresses.items()}

    @staticmethod
    def _call(address: int, name: str) -> Any:
        # Numba's own convention: status = f(&result, &error, arguments ...).
        pointer, _arguments = ctypes.POINTER(ctypes.c_int64), [TYPES[letter] for letter in ARGUMENTS[name]]
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int32, pointer, ctypes.POINTER(ctypes.c_void_p), *(TYPES[letter] for letter in ARGUMENTS[name])
        )
        return kind(address)

    def run(self, name: str, *arguments: Any) -> int:
        """Call an entry function."""
        result, error = ctypes.c_int64(), ctypes.c_void_p()
        self._calls[name](ctypes.byref(result), ctypes.byref(error), *arguments)
        return result.value

    def bound(self, name: str, *arguments: int) -> Callable[[], int]:
        """A call of an entry function with all its arguments settled; for one thread at a time."""
        # A function without declared argument types: ctypes then checks no types in the call, which saves 0.5 µs.
        function = ctypes.CFUNCTYPE(ctypes.c_int32)(self._addresses[name])
        result, error = ctypes.c_int64(), ctypes.c_void_p()
        settled = (ctypes.byref(result), ctypes.byref(error), *map(ctypes.c_int64, arguments))
        return partial(function, *settled)


def kernels(kernel_sets: frozenset[str] = ALL, *, compiling: bool = True) -> Kernels:
    """The compiled kernels of these kernel sets (jit.py), the same for every caller.

    Kernels that are compiled together with others compute the same, bit for bit, so what the cache holds is used if it
    covers the sets. With the environment variable DIGITLAB_KERNELS=all, one compilation is for all networks.

    Before a compilation, which takes seconds, one line goes to the log as a warning, and so to the terminal.
    Raises EngineError with the reason if they can be neither loaded nor compiled here, or may not be `compiling`.
    """
    with _lock:
        try:
            if covering := [sets for sets in _loaded if covers(sets, kernel_sets)]:
                return _loaded[min(covering, key=_extent)]
            for sets in sorted((sets for sets in _in_cache() if covers(sets, kernel_sets)), key=_extent):
                if (found := _cached(sets)) is not None:
                    _loaded[sets] = found  # kept until the process ends: its machine code may be called until then
                    return found
            if compiling:
                sets = ALL if os.environ.get("DIGITLAB_KERNELS") == "all" else kernel_sets
                _loaded[sets] = _compiled(sets)
                return _loaded[sets]
        except Exception as error:
            # Whatever it is that numba or LLVM cannot do here, training goes on without it.
            why = f"{type(error).__name__}: {in_brief(error)}"
            raise EngineError(f"the fast kernels cannot be compiled here: {why}") from error
    raise EngineError("the fast kernels have not been compiled on this machine yet")


def _extent(kernel_sets: frozenset[str]) -> tuple[bool, int, list[str]]:
    """Sorts the smallest first, which is loaded fastest; those of one size by name, on any file system."""
    return kernel_sets == ALL, len(kernel_sets), sorted(kernel_sets)


def _in_cache() -> list[frozenset[str]]:
    """The kernel sets of every file in this machine's cache that is for this machine, version and text."""
    start, end = "kernels-", f"-{fingerprint()}.bin"
    names = [path.name[len(start) : -len(end)] for path in cache.cache_folder().glob(f"{start}*{end}")]
    return [frozenset(name.split("+")) for name in names]


def _cached(kernel_sets: frozenset[str]) -> Kernels | None:
    """From this machine's cache; None if there are none that are sound."""
    with contextlib.suppress(OSError, ValueError, KeyError, RuntimeError):
        if (found := cache.read(_path(kernel_sets))) is not None:
            return Kernels(*found)
    return None


def _compiled(kernel_sets: frozenset[str]) -> Kernels:
    path = _path(kernel_sets)
    with _one_at_a_time(path.with_suffix(".lock")):
        if (found := _cached(kernel_sets)) is not None:
            return found  # another process compiled it while this one waited
        logger.warning("compiling the kernels for this machine, once: 10 to 30 seconds ...")
        from digitlab.engine.fast.compiler import build

        objects, symbols = build.build(kernel_sets)
        with contextlib.suppress(OSError):  # nowhere to write: compiled again next time
            cache.write(path, objects, symbols)
        return Kernels(objects, symbols)


def fingerprint() -> str:
    """A name for what compilation would give: text of the kernels, versions, processor."""
    llvm = _llvm()
    text = hashlib.sha256()
    for path in sorted([*ENGINE.glob("*/*.py"), ENGINE / "layout.py", ENGINE / "operations.py"]):
        text.update(path.name.encode() + b"\0" + path.read_bytes())
    for formula in formulas():
        code = formula.__code__
        text.update(repr((formula.__qualname__, code.co_code, code.co_consts, code.co_names)).encode())
    versions = importlib.metadata.version("numba"), ".".join(map(str, llvm.llvm_version_info))
    for part in (*versions, llvm.get_process_triple(), llvm.get_host_cpu_name()):
        text.update(part.encode() + b"\0")
    text.update(llvm.get_host_cpu_features().flatten().encode())
    return text.hexdigest()[:24]


def _llvm() -> Any:
    return importlib.import_module("llvmlite.binding")


def _path(kernel_sets: frozenset[str]) -> Path:
    return cache.cache_folder() / f"kernels-{'+'.join(sorted(kernel_sets))}-{fingerprint()}.bin"


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """One process compiles, the others wait; where nothing can be written or locked, each compiles for itself."""
    from filelock import FileLock  # only who compiles needs it

    lock = FileLock(path)
    with contextlib.suppress(OSError):
        cache.make_folder(path.parent)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
