"""Task results on disk: read, checked against today's code, computed where they are missing.

A result is used again as long as its settings and its fingerprint (fingerprint.py) are those of today. So an
interrupted run continues where it stopped, and results of different code are mixed only on request.
"""

import json
import platform
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import digitlab
from digitlab.books.fingerprint import Fingerprint, processor
from digitlab.books.probe import of_task
from digitlab.books.task import Log, Task, TaskResult
from digitlab.engine.threads import available_cores
from digitlab.errors import ModelFileError, in_brief
from digitlab.files import write_text

BEGUN = "code.txt"  # in the folder of a task in progress: the fingerprint of the code that does it


def folder_of(task: Task, results: Path) -> Path:
    """The folder of a task's files."""
    return results / "tasks" / task.key


def stored(task: Task, results: Path) -> TaskResult | None:
    """The result on disk with exactly these settings, by any code; None if there is none.

    Raises ModelFileError for a result that cannot be read.
    """
    path = folder_of(task, results) / "result.json"
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if table["settings"] != task.settings:
            return None
        code = Fingerprint(table.get("numerics", ""), processor=table.get("processor", ""))
        return TaskResult(task, table["result"], table["seconds"], path.parent, code)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path}: not a result ({in_brief(error)}); delete the file to do this task again"
        ) from None


def finished(task: Task, results: Path, *, keep_old: bool = False) -> TaskResult | None:
    """The result of a finished task, else None; with `keep_old` also one computed by other code.

    Raises ModelFileError as `stored` does.
    """
    result = stored(task, results)
    valid = result is not None and (keep_old or result.code.state(lambda: of_task(task)) == "current")
    return result if valid else None


def carry_out(task: Task, results: Path, log: Log) -> TaskResult:
    """Do or continue a task, unless today's code has finished it; its result is on disk when this returns."""
    if (done := finished(task, results)) is not None:
        return done
    code = of_task(task)
    folder = begin(task, results, code, log)
    began = time.perf_counter()
    result = task.run(folder, log)
    # A training counts its own seconds, including those before an interruption.
    seconds = result.pop("seconds", None) or time.perf_counter() - began
    table = {
        "title": task.title,
        "settings": task.settings,
        "result": result,
        "seconds": seconds,
        "numerics": code.numerics,
        "processor": code.processor,
        **circumstances(),
    }
    write_text(folder / "result.json", json.dumps(table) + "\n")
    (folder / BEGUN).unlink(missing_ok=True)
    return TaskResult(task, result, seconds, folder, code)


def begin(task: Task, results: Path, code: Fingerprint, log: Log) -> Path:
    """Make the task's folder and note which code works there; a checkpoint of other code is not continued."""
    folder = folder_of(task, results)
    note, checkpoint = folder / BEGUN, folder / "checkpoint.safetensors"
    text = f"{code.numerics} {code.processor}\n"
    if checkpoint.is_file() and not (note.is_file() and note.read_text(encoding="utf-8") == text):
        log(f"{task.title}: the checkpoint was written by other code; starting again from the first epoch")
        checkpoint.unlink()
    write_text(note, text)
    return folder


def circumstances() -> dict[str, Any]:
    """When, with which version, on what kind of machine."""
    return {"version": digitlab.__version__, "finished": time.strftime("%Y-%m-%d %H:%M"), "machine": machine()}


@cache
def machine() -> str:
    """The processor and its kind, the number of cores available to this process, the versions of Python and NumPy."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    cores = available_cores()
    counted = f"{cores} core{'s' if cores > 1 else ''}"
    return f"{name} ({processor()}), {counted}, Python {platform.python_version()}, NumPy {np.__version__}"
