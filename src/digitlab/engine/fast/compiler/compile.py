"""Compiles the kernels into one object file: `python -m digitlab.engine.fast.compiler.compile FILE`, see build.py.

Numba translates the kernels' Python into LLVM's language; the optimizer then runs here, once over the whole.
(Numba itself would run it for every function and again for each caller, which takes three times as long.)
What comes out calls nothing but the C library's mathematics, so running it needs neither numba nor Python.
"""

# mypy: ignore-errors

import ctypes
import gc
import json
import sys
from pathlib import Path
from typing import Any


def compiled() -> "tuple[bytes, dict[str, str]]":
    """The machine code of all entry functions (an object file's bytes), and the symbol of each by its name."""
    import llvmlite.binding as llvm
    from numba.core import config
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.registry import cpu_target

    with global_compiler_lock:  # the level below is the whole process's
        codegen = cpu_target.target_context.codegen()
        machine = codegen._tm
        run_nothing(codegen._engine)
        level, config.OPT = config.OPT, type(config.OPT)(0)
        try:
            from digitlab.engine.fast.loops.entries import ENTRIES

            module, symbols = None, {}
            for name, (dispatcher, signature) in ENTRIES.items():
                dispatcher.compile(signature)
                (compiled,) = dispatcher.overloads.values()
                symbols[name] = compiled.fndesc.llvm_func_name
                part = compiled.library._final_module.clone()
                if module is None:
                    module = part
                else:
                    module.link_in(part)
        finally:
            config.OPT = level
    for function in module.functions:
        if not function.is_declaration and function.name not in symbols.values():
            function.linkage = llvm.Linkage.internal
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    # The kernels' loops are wide already: unrolling them made no network faster and took a sixth of the time.
    options.loop_unrolling = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module), symbols


def run_nothing(engine: Any) -> None:
    """Keep numba from making machine code of every function as soon as it is translated: it is never run here.

    That was a quarter of the time. The addresses that numba asks for afterwards are of nothing.
    """
    nowhere = ctypes.create_string_buffer(8)
    engine.finalize_object = lambda: None
    engine.get_function_address = lambda name: 0
    engine.get_global_value_address = lambda name: ctypes.addressof(nowhere)


if __name__ == "__main__":
    gc.disable()  # a short life with much to remember: looking for garbage takes a tenth of it and finds little
    code, symbols = compiled()
    Path(sys.argv[1]).write_bytes(json.dumps(symbols).encode() + b"\n" + code)
