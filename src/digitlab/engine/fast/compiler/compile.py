"""Compiles the kernels into one object file: `python -m digitlab.engine.fast.compiler.compile FILE`, see build.py.

Numba translates the kernels' Python into LLVM's language; LLVM's optimizer then runs once over the whole. (Numba itself
would run it for every function and again for each caller, which takes three times as long.) The result calls nothing
but the C library's mathematics, so running it needs neither numba nor Python.
"""

import gc
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from digitlab.engine.fast.compiler.jit import ARGUMENTS
from digitlab.engine.fast.compiler.numba_internals import Translation, signature_of, symbol_of


def compiled() -> tuple[bytes, dict[str, str]]:
    """The machine code of all entry functions (an object file's bytes), and the symbol of each by its name."""
    llvm: Any = import_module("llvmlite.binding")
    with Translation() as translation:
        from digitlab.engine.fast.loops.entries import ENTRIES

        for name, function in ENTRIES.items():
            function.compile(signature_of(ARGUMENTS[name]))
        symbols = {name: symbol_of(function) for name, function in ENTRIES.items()}
        module, machine = translation.module(), translation.machine
    for function in module.functions:
        if not function.is_declaration and function.name not in symbols.values():
            function.linkage = llvm.Linkage.internal
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    # The kernels' loops are wide already: unrolling them made no network faster and took a sixth of the time.
    options.loop_unrolling = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module), symbols


if __name__ == "__main__":
    gc.disable()  # a short life with much to remember: looking for garbage takes a tenth of it and finds little
    code, symbols = compiled()
    Path(sys.argv[1]).write_bytes(json.dumps(symbols).encode() + b"\n" + code)
