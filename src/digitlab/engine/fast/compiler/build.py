"""Compiles the kernels in a separate process, once per machine, version and kernel sets (load.py); it takes seconds.

A separate process, because the kernel sets (jit.py) are chosen when the kernels' modules are imported, and because
numba, which only the compiler needs, then never enters the memory of the training.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from digitlab.engine.fast.compiler.jit import VARIABLE


def build(kernel_sets: frozenset[str]) -> tuple[list[bytes], dict[str, str]]:
    """The object files of kernel sets (jit.py) and the symbols of their entry functions.

    Raises RuntimeError with the compiler's last word if it fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "digitlab.engine.fast.compiler.compile", name]
        environment = {**os.environ, VARIABLE: "+".join(sorted(kernel_sets))}
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode or not (folder / "symbols.json").exists():
            last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise RuntimeError(last[0])
        objects = [path.read_bytes() for path in sorted(folder.glob("*.o"))]
        return objects, json.loads((folder / "symbols.json").read_text())
