"""The compiled kernels, from this machine's cache or compiled now.

The cache holds a file for each operation, and one for the loops around them, so a network compiles what is new to it.
A file's name says what it was made from: the kernels' text, numba's and LLVM's versions, and the processor. So the
cache never gives outdated code, and loading takes llvmlite alone, a few hundredths of a second; numba is
imported only to compile.
"""

import contextlib
import ctypes
import hashlib
import importlib
import importlib.metadata
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from digitlab.engine.fast.compiler import cache
from digitlab.engine.fast.compiler.jit import ARGUMENTS, CORE
from digitlab.engine.fast.operations import WITH_KERNELS
from digitlab.engine.fast.ops.activation import formulas
from digitlab.errors import EngineError, in_brief

ENGINE = Path(__file__).parent.parent
TYPES: dict[str, Any] = {"i": ctypes.c_int64, "d": ctypes.c_double}
_lock = threading.Lock()
_loaded: "dict[str, Code]" = {}
logger = logging.getLogger("digitlab")


class Code:
    """Machine code of one part (compile.py): the addresses of its functions by name."""

    def __init__(self, code: bytes, symbols: dict[str, str]) -> None:
        llvm = _llvm()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine()
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        self.addresses = {name: self._engine.get_function_address(symbol) for name, symbol in symbols.items()}


class Kernels:
    """The entry functions, callable from any thread, and the addresses of the operations' kernels by their names.

    A call releases Python's lock.
    """

    def __init__(self, parts: dict[str, Code]) -> None:
        self.parts = parts  # their machine code lives as long as they do
        self.addresses = {name: code.addresses for name, code in parts.items()}
        self._calls = {name: self._call(self.addresses[CORE][name], name) for name in ARGUMENTS}

    @staticmethod
    def _call(address: int, name: str) -> Any:
        # Numba's own convention: status = f(&result, &error, arguments ...).
        pointer, types = ctypes.POINTER(ctypes.c_int64), [TYPES[letter] for letter in ARGUMENTS[name]]
        return ctypes.CFUNCTYPE(ctypes.c_int32, pointer, ctypes.POINTER(ctypes.c_void_p), *types)(address)

    def run(self, name: str, *arguments: Any) -> int:
        """Call an entry function."""
        result, error = ctypes.c_int64(), ctypes.c_void_p()
        self._calls[name](ctypes.byref(result), ctypes.byref(error), *arguments)
        return result.value

    def bound(self, name: str, *arguments: int) -> Callable[[], int]:
        """A call of an entry function with fixed arguments; for one thread at a time."""
        # A function without declared argument types: ctypes then checks no types in the call, which saves 0.5 µs.
        function = ctypes.CFUNCTYPE(ctypes.c_int32)(self.addresses[CORE][name])
        result, error = ctypes.c_int64(), ctypes.c_void_p()
        settled = (ctypes.byref(result), ctypes.byref(error), *map(ctypes.c_int64, arguments))
        return partial(function, *settled)


def kernels(operations: Iterable[str] = (), *, compiling: bool = True) -> Kernels:
    """The compiled kernels of these operations, by their names, and the loops that call them.

    With the environment variable DIGITLAB_KERNELS=all, a compilation is of all operations that are not compiled yet.
    Before a compilation, which takes seconds, one line goes to the log as a warning, and so to the terminal.
    Raises EngineError with the reason if they can be neither loaded nor compiled here, or may not be `compiling`.
    """
    names = [CORE, *sorted(operations)]
    with _lock:
        try:
            if _missing(names) and compiling:
                _compile([CORE, *WITH_KERNELS] if os.environ.get("DIGITLAB_KERNELS") == "all" else names)
            if not _missing(names):
                return Kernels({name: _loaded[name] for name in names})
        except Exception as error:
            # Any failure of numba or LLVM: the training continues without kernels.
            why = f"{type(error).__name__}: {in_brief(error)}"
            raise EngineError(f"the fast kernels cannot be compiled here: {why}") from error
    raise EngineError("the fast kernels have not been compiled on this machine yet")


def _missing(names: list[str]) -> list[str]:
    """Load what is in this machine's cache and sound; the names of the others."""
    if new := [name for name in names if name not in _loaded]:
        found = fingerprint()
        for name in new:
            with contextlib.suppress(OSError, ValueError, KeyError, RuntimeError):
                if (code := cache.read(_path(name, found))) is not None:
                    _loaded[name] = Code(*code)  # kept until the process ends: it may be called until then
    return [name for name in new if name not in _loaded]


def _compile(names: list[str]) -> None:
    """Compile and load what is not loaded; what another process compiles while this one waits is loaded, too."""
    with _one_at_a_time(_path(CORE, found := fingerprint()).with_suffix(".lock")):
        if missing := _missing(names):
            logger.warning("compiling the kernels for this machine, once: up to 10 seconds ...")
            from digitlab.engine.fast.compiler import build

            for name, code in build.build(missing).items():
                with contextlib.suppress(OSError):  # nowhere to write: compiled again next time
                    cache.write(_path(name, found), *code)
                _loaded[name] = Code(*code)


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


def _path(name: str, found: str) -> Path:
    return cache.cache_folder() / f"kernels-{name}-{found}.bin"


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
