"""The only file that uses numba's private parts: where they are, and what is done with them.

tests/engine/test_numba_internals.py names each part that another version of numba has moved. pyproject.toml bounds
numba to the versions that were tried.
"""

import ctypes
from collections.abc import Iterable
from functools import cache
from typing import Any

# Types by their letters in `ARGUMENTS` (jit.py)
TYPES = {"i": "int64", "d": "float64"}
UNTYPED_PASSES = (
    "TranslateByteCode",
    "FixupArgs",
    "IRProcessing",
    "RewriteSemanticConstants",
    "DeadBranchPrune",
    "GenericRewrites",
    "ReconstructSSA",
)
TYPED_PASSES = ("NopythonTypeInference", "PreLowerStripPhis", "IRLegalization", "NativeLowering", "NoPythonBackend")


class Translation:
    """A block in which numba translates functions and makes no machine code of them.

    Numba would link every function with all that it calls, run some passes, and make machine code of it, each time for
    the whole chain of callees. Here every function stays in a module of its own, and `module` links them.
    """

    def __enter__(self) -> "Translation":
        from numba.core.codegen import CPUCodeLibrary
        from numba.core.compiler_lock import global_compiler_lock
        from numba.core.cpu import CPUContext
        from numba.core.dispatcher import Dispatcher
        from numba.core.registry import cpu_target

        self.lock, self.library = global_compiler_lock, CPUCodeLibrary
        self.lock.__enter__()
        codegen: Any = cpu_target.target_context.codegen()
        self.machine, engine = codegen._tm, codegen._engine
        nowhere = ctypes.create_string_buffer(8)
        self.replaced = [
            (CPUCodeLibrary, "finalize", self._finalize()),
            (CPUCodeLibrary, "_optimize_functions", lambda library, module: None),
            (Dispatcher, "get_call_template", self._template_of(Dispatcher.get_call_template)),
            (CPUContext, "load_additional_registries", self._once(CPUContext.load_additional_registries)),
            # Dummies for the addresses that numba looks up: no function is run in this process.
            (engine, "get_function_address", lambda name: 0),
            (engine, "get_global_value_address", lambda name: ctypes.addressof(nowhere)),
        ]
        self.originals = [(thing, name, getattr(thing, name)) for thing, name, _ in self.replaced]
        for thing, name, replacement in self.replaced:
            setattr(thing, name, replacement)
        return self

    def _finalize(self) -> Any:
        def finalize(library: Any) -> None:
            library._finalized = True

        return finalize

    def _template_of(self, original: Any) -> Any:
        """Numba would translate a function again for each constant argument; the optimizer inlines what gains by it."""
        from numba.core.types.misc import unliteral

        def template_of(dispatcher: Any, args: Any, kws: Any) -> Any:
            return original(dispatcher, tuple(map(unliteral, args)), {name: unliteral(kws[name]) for name in kws})

        return template_of

    def _once(self, original: Any) -> Any:
        """Numba would import and look through all its registries again for every function."""
        done: set[Any] = set()

        def once(context: Any) -> None:
            if context not in done:
                done.add(context)
                original(context)

        return once

    def __exit__(self, *error: Any) -> None:
        for thing, name, original in self.originals:
            setattr(thing, name, original)
        self.lock.__exit__(*error)

    def module(self, dispatchers: Iterable[Any]) -> Any:
        """Functions that were translated once, and all that they call, in one LLVM module."""
        libraries: dict[Any, None] = {}
        left = [overload.library for dispatcher in dispatchers for overload in dispatcher.overloads.values()]
        while left:
            if (library := left.pop()) not in libraries:
                libraries[library] = None
                left += library._linking_libraries
        first, *others = [library._final_module.clone() for library in libraries]
        for other in others:
            first.link_in(other)
        return first


@cache
def pipeline() -> Any:
    """Numba's compiler with the passes that kernels need: no closures, `with` blocks or array expressions."""
    from numba.core import compiler, typed_passes, untyped_passes
    from numba.core.compiler_machinery import PassManager

    class KernelCompiler(compiler.CompilerBase):
        def define_pipelines(self) -> list[Any]:
            manager: Any = PassManager("kernel")
            for module, names in ((untyped_passes, UNTYPED_PASSES), (typed_passes, TYPED_PASSES)):
                for name in names:
                    manager.add_pass(getattr(module, name), name)
            manager.finalize()
            return [manager]

    return KernelCompiler


def signature_of(letters: str) -> Any:
    """The numba signature of an entry function, which returns int64."""
    from numba import types

    return types.int64(*(getattr(types, TYPES[letter]) for letter in letters))


def symbol_of(dispatcher: Any) -> str:
    """The name in the object file of a function that was translated once."""
    (overload,) = dispatcher.overloads.values()
    return str(overload.fndesc.llvm_func_name)
