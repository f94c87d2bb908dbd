"""The private parts of numba that compiler/numba_internals.py uses; one that a new version has moved fails by name."""

import pytest
from numba import njit
from numba.core import codegen, compiler, cpu, typed_passes, untyped_passes
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from digitlab.engine.fast.compiler.numba_internals import TYPED_PASSES, UNTYPED_PASSES, Translation

PARTS = {
    "CodeLibrary": (
        lambda: codegen.CPUCodeLibrary,
        ("finalize", "_optimize_functions", "add_linking_library", "_ensure_finalized"),
    ),
    "a library": (
        lambda: cpu_target.target_context.codegen().create_library("some"),
        ("_final_module", "_finalized", "_linking_libraries"),
    ),
    "the code generator": (lambda: cpu_target.target_context.codegen(), ("_tm", "_engine")),
    "its engine": (
        lambda: cpu_target.target_context.codegen()._engine,
        ("get_function_address", "get_global_value_address"),
    ),
    "the context": (lambda: cpu.CPUContext, ("load_additional_registries",)),
    "the compiler": (lambda: compiler.CompilerBase, ("define_pipelines",)),
    "the passes before types": (lambda: untyped_passes, UNTYPED_PASSES),
    "the passes after types": (lambda: typed_passes, TYPED_PASSES),
    "the compiler's lock": (lambda: global_compiler_lock, ("__enter__", "__exit__")),
    "a dispatcher": (lambda: njit(abs_), ("get_call_template", "overloads")),
    "a compiled function": (lambda: next(iter(njit("int64(int64)")(abs_).overloads.values())), ("fndesc", "library")),
}


def abs_(x):
    return x if x > 0 else -x


@pytest.mark.parametrize("where", PARTS)
def test_numba_has_its_private_parts_where_they_were(where):
    find, names = PARTS[where]
    thing = find()
    moved = [name for name in names if not hasattr(thing, name)]
    assert not moved, f"this numba has moved {moved} of {where}: adapt digitlab/engine/fast/compiler/numba_internals.py"


def test_constant_arguments_make_no_translations_of_their_own():
    inner = njit(abs_)

    @njit
    def outer(x):
        return inner(1) + inner(2) + inner(x)

    with Translation():
        outer.compile("int64(int64)")
    assert len(inner.overloads) == 1
