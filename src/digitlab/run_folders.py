"""The folders of runs: which there are, and a new one for a training."""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitlab.errors import ModelFileError
from digitlab.settings.data import names_images

RUNS = Path("runs")  # where `digitlab train` puts runs that were given no folder
NO_RUN = "no run here; expected a folder that `digitlab train` has written"  # what every command says after the name


def runs_in(folder: Path) -> list[Path]:
    """The run itself, or the runs of a group (`digitlab train --seeds 5`)."""
    inside = sorted(path.parent for path in folder.glob("*/config.toml"))
    return inside if inside and not is_run(folder) else [folder]


def is_run(folder: Path) -> bool:
    """Whether it is the folder of one run."""
    return (folder / "config.toml").is_file()


def is_group(folder: Path) -> bool:
    """Whether it is the folder of a group of runs, which has a file for all; a folder of any runs has none."""
    return not is_run(folder) and any((folder / name).is_file() for name in ("results.csv", "settings.json"))


def finished_runs(*, of_images: bool = True) -> list[Path]:
    """The run folders in runs/ that hold a network: one that takes images, or any."""
    found = [path for path in RUNS.glob("*") if (path / "network.safetensors").is_file()]
    return [path for path in found if not of_images or is_of_images(path)]


def is_of_images(folder: Path) -> bool:
    """Whether the run's network was trained on images, not on a function or points (settings/data.py)."""
    try:
        data = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8")).get("data", {})
    except (OSError, ValueError, RecursionError):
        return True  # whoever reads the run says what is wrong with it
    return names_images(data.get("source", "") if isinstance(data, dict) else "")


def newest_run(*, of_images: bool = True) -> Path:
    """The run folder that was written to last, as `finished_runs`. Raises ModelFileError if there is none."""
    runs = finished_runs(of_images=of_images)
    if not runs:
        raise ModelFileError(
            "no network or run was named and there is no run in runs/; train one with `digitlab train`"
        )
    return max(runs, key=lambda path: (path / "network.safetensors").stat().st_mtime)


@contextmanager
def run_folder(named: Path | None, title: str, runs: Path = RUNS) -> Iterator[Path]:
    """The folder that --run names, or one for a new run, numbered after those in `runs`: runs/003-784-30-10.

    A new one is made at once, so that of two trainings that begin together each has its own, and is gone again if
    nothing came into it.
    """
    if named is not None:
        yield named
        return
    while True:
        folder = numbered(runs, title)
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError:
            continue
        except OSError as error:
            reason = f"cannot be made: {error.strerror}; work in a folder that you may write"
            raise OSError(error.errno, reason, error.filename) from None
    try:
        yield folder
    finally:
        for empty in (folder, runs):
            with suppress(OSError):
                empty.rmdir()


def numbered(folder: Path, title: str) -> Path:
    """A name in the folder with the next number before it."""
    numbers = [int(match[1]) for path in folder.glob("*") if (match := re.match(r"(\d+)", path.name))]
    return folder / f"{max(numbers, default=0) + 1:03}-{title}"
