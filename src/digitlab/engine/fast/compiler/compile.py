"""Compiles kernels into object files: `python -m digitlab.engine.fast.compiler.compile FOLDER PART…`, see build.py.

A part is an operation with its kernels, or CORE: the loops that call them by their addresses. Numba translates the
kernels' Python into LLVM's language; LLVM's optimizer then runs once over each part. (Numba itself would run it for
every function and again for each caller, which takes three times as long.) The result calls nothing but the C library's
mathematics, so running it needs neither numba nor Python.

Several processes may share the parts of one folder: each takes the next one that no other has taken.
"""

import gc
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from digitlab.engine.fast.compiler.jit import ARGUMENTS, CORE
from digitlab.engine.fast.compiler.numba_internals import Translation, signature_of, symbol_of
from digitlab.engine.fast.layout import PHASES

# Longest first, so that the processes end at about the same time
LONGEST = "large_dense", "pooled_conv", "lstm", "gru", "simple_rnn", "conv", "dense", CORE, "batch_norm", "sparse_dense"


def compile_parts(folder: Path, names: list[str]) -> None:
    """Write the object file of each part that is left, NAME.o, and NAME.json: its functions' symbols by name."""
    with Translation() as translation:
        for name in sorted(names, key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST)):
            try:
                (folder / f"{name}.taken").touch(exist_ok=False)
            except FileExistsError:
                continue
            functions = functions_of(name)
            for function, signature in functions.values():
                function.compile(signature)
            symbols = {key: symbol_of(function) for key, (function, _) in functions.items()}
            module = translation.module([function for function, _ in functions.values()])
            (folder / f"{name}.o").write_bytes(object_file(module, translation.machine, set(symbols.values())))
            (folder / f"{name}.json").write_text(json.dumps(symbols))


def functions_of(name: str) -> dict[str, tuple[Any, Any]]:
    """The functions of a part that are called from outside, by name, and their signatures."""
    if name == CORE:
        entries = import_module("digitlab.engine.fast.loops.entries").ENTRIES
        return {key: (entries[key], signature_of(letters)) for key, letters in ARGUMENTS.items()}
    from digitlab.engine.fast.operations import CODES, OPERATIONS
    from digitlab.engine.fast.simd import OPERATION

    operation = OPERATIONS[CODES[name]]
    return {phase: (getattr(operation, phase), OPERATION) for phase in PHASES if hasattr(operation, phase)}


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
    gc.disable()  # the process keeps nearly all of its objects: looking for garbage would take a tenth of its time
    compile_parts(Path(sys.argv[1]), sys.argv[2:])
