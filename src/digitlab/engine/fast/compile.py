"""Compiles the kernels into one piece of machine code: `python -m digitlab.engine.fast.compile FILE`, see build.py.

Numba translates the Python of kernels/ into LLVM's language; the optimizer then runs here, once over the whole.
(Numba itself would run it for every function and again for each caller, which takes three times as long.)
What comes out calls nothing but the C library's mathematics, so running it needs neither numba nor Python.
"""

# mypy: ignore-errors

import json
import sys
from pathlib import Path


def compiled() -> "tuple[bytes, dict[str, str]]":
    """The machine code of all entry functions (an object file's bytes), and the symbol of each by its name."""
    import llvmlite.binding as llvm
    from numba.core import config
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.registry import cpu_target

    with global_compiler_lock:  # the level below is the whole process's
        machine = cpu_target.target_context.codegen()._tm
        level, config.OPT = config.OPT, type(config.OPT)(0)
        try:
            from digitlab.engine.fast.kernels.entries import ENTRIES

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
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module), symbols


if __name__ == "__main__":
    code, symbols = compiled()
    Path(sys.argv[1]).write_bytes(json.dumps(symbols).encode() + b"\n" + code)
