"""Compiles the kernels into object files: `python -m digitlab.engine.fast.compiler.compile FOLDER`, see build.py.

Numba translates the kernels' Python into LLVM's language; LLVM's optimizer then runs once over the whole. (Numba itself
would run it for every function and again for each caller, which takes three times as long.) The result calls nothing
but the C library's mathematics, so running it needs neither numba nor Python.

Where there are two cores, two processes share the work: a second one compiles half of the operations
(loops/phases.py) into an object file of its own.
"""

import gc
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from digitlab.engine.fast.compiler.jit import ARGUMENTS, FIRST, PART, SECOND
from digitlab.engine.fast.compiler.numba_internals import Translation, signature_of, symbol_of
from digitlab.engine.threads import available_cores


def compile_entries(folder: Path) -> None:
    """Write object files, and symbols.json: the symbol of each entry function by its name."""
    helper = None
    if available_cores() > 1:
        command = [sys.executable, "-m", __spec__.name, str(folder)]
        helper = subprocess.Popen(command, env={**os.environ, PART: SECOND}, stdin=subprocess.DEVNULL)
        os.environ[PART] = FIRST
    with Translation() as translation:
        from digitlab.engine.fast.loops.entries import ENTRIES

        for name, function in ENTRIES.items():
            function.compile(signature_of(ARGUMENTS[name]))
        symbols = {name: symbol_of(function) for name, function in ENTRIES.items()}
        module, machine = translation.module(), translation.machine
    (folder / "first.o").write_bytes(object_file(module, machine, set(symbols.values())))
    (folder / "symbols.json").write_text(json.dumps(symbols))
    if helper is not None and helper.wait():
        sys.exit(helper.returncode)  # it has said why


def compile_operations(folder: Path) -> None:
    """Write the object file of the second process, whose kernels the other one calls by name."""
    with Translation() as translation:
        from digitlab.engine.fast.loops.phases import elsewhere
        from digitlab.engine.fast.simd import OPERATION

        names = {}
        for function, name in elsewhere().items():
            function.compile(OPERATION)
            names[symbol_of(function)] = name
        module, machine = translation.module(), translation.machine
    for function in module.functions:
        function.name = names.get(function.name, function.name)
    (folder / "second.o").write_bytes(object_file(module, machine, set(names.values())))


def object_file(module: Any, machine: Any, entries: set[str]) -> bytes:
    """The optimized machine code; only the functions named `entries` can be called from elsewhere."""
    llvm: Any = import_module("llvmlite.binding")
    for function in module.functions:
        if not function.is_declaration and function.name not in entries:
            function.linkage = llvm.Linkage.internal
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    # The kernels' loops are wide already: unrolling them made no network faster and took a sixth of the time.
    options.loop_unrolling = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


if __name__ == "__main__":
    gc.disable()  # a short life with much to remember: looking for garbage takes a tenth of it and finds little
    (compile_operations if os.environ.get(PART) == SECOND else compile_entries)(Path(sys.argv[1]))
