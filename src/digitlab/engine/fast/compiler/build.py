"""Compiles kernels in separate processes, once per machine and version (load.py); it takes seconds.

Separate processes, because `kernel` (jit.py) asks whether it compiles when the kernels' modules are imported, and
because numba, which only the compiler needs, is then never imported by the training.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from digitlab.engine.fast.compiler.jit import VARIABLE
from digitlab.engine.threads import available_cores

PROCESSES = 2  # at most; each imports numba and translates what several operations call


def build(names: list[str]) -> dict[str, tuple[bytes, dict[str, str]]]:
    """The object file of each part (compile.py), and the symbols of its functions that are called from outside.

    Where there are two cores, two processes share the work. Raises RuntimeError with the last line of one that fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "digitlab.engine.fast.compiler.compile", name, *names]
        options = {"env": {**os.environ, VARIABLE: "1"}, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        processes = [
            subprocess.Popen(command, **options, stderr=subprocess.PIPE, text=True)  # type: ignore[call-overload]
            for _ in range(min(PROCESSES, available_cores(), len(names)))
        ]
        try:
            for process in processes:
                said = process.communicate()[1].strip().splitlines()
                if process.returncode:
                    raise RuntimeError(said[-1] if said else f"exit code {process.returncode}")
        finally:
            for process in processes:
                process.kill()
                with process:
                    pass  # closes its pipe, and waits for its end
        return {
            name: ((folder / f"{name}.o").read_bytes(), json.loads((folder / f"{name}.json").read_text()))
            for name in names
        }
