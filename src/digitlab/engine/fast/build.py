"""Has the kernels compiled by a process of its own, which takes seconds: once per machine, version and piece (load.py).

A process of its own, since the pieces (kernels/piece.py) are chosen when the kernels' modules are imported, and so that
numba, which only the compiler needs, never comes into the memory of the training.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def build(kernel_set: str) -> tuple[bytes, dict[str, str]]:
    """The machine code of a piece ("dense", "large" or "all") and the symbols of its entry functions.

    Raises RuntimeError with the compiler's last word if it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernels"
        command = [sys.executable, "-m", "digitlab.engine.fast.compile", str(path)]
        environment = {**os.environ, "DIGITLAB_KERNELS": kernel_set}
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode or not path.exists():
            last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise RuntimeError(last[0])
        symbols, code = path.read_bytes().split(b"\n", 1)
    return code, json.loads(symbols)
