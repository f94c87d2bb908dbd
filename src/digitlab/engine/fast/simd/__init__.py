"""What kernels compute with: vectors of 8 or 16 floats, matrix products, functions of vectors, lists, a barrier.

The names are real in the compiler's process only, since they need numba (compiler/jit.py).
"""

from typing import Any

from digitlab.engine.fast.compiler.jit import COMPILING, Placeholder

if COMPILING:
    from digitlab.engine.fast.simd.barrier import *
    from digitlab.engine.fast.simd.callback import *
    from digitlab.engine.fast.simd.calls import *
    from digitlab.engine.fast.simd.listed_rows import *
    from digitlab.engine.fast.simd.lists import *
    from digitlab.engine.fast.simd.maths import *
    from digitlab.engine.fast.simd.matrix_unit import *
    from digitlab.engine.fast.simd.packed import *
    from digitlab.engine.fast.simd.products import *
    from digitlab.engine.fast.simd.strips import *
    from digitlab.engine.fast.simd.tiles import *
    from digitlab.engine.fast.simd.vectors import *
else:

    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Placeholder()
