"""The course in a folder, for a classroom without a network connection."""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

from digitlab.data import find_mnist
from digitlab.data.formats.mnist_files import FILES
from digitlab.data.synthetic.samples import write_photo
from digitlab.errors import ConfigError
from digitlab.files import atomic_folder
from digitlab.lessons.lesson import lessons
from digitlab.lessons.notebook import notebook_text
from digitlab.lessons.worksheet import write_worksheet

README = """The digitlab course: {count} lessons for use without a network connection.

notebooks/    the lessons as notebooks
worksheets/   a PDF to print for each lesson
exercises/    files to answer the exercises in; `digitlab lesson check 1 exercises/lesson-01.py` tests one
photos/       pages of handwriting for the lesson on photos
data/         MNIST{missing}
packages/     digitlab and what it needs, for Python {python} on {system}{packages}

Install it on each computer, in this folder:

    python -m venv .venv
    .venv/bin/pip install --no-index --find-links packages digitlab          (Linux, macOS)
    .venv\\Scripts\\pip install --no-index --find-links packages digitlab      (Windows)

Then activate the environment and run: digitlab lesson. To use MNIST from here, set DIGITLAB_DATA to the folder data/
and DIGITLAB_OFFLINE to 1. The lessons themselves need no MNIST.
"""


class Bundle(NamedTuple):
    """The files of a bundle, and why it has no packages; "" if it has."""

    files: list[Path]
    no_packages: str


def write_bundle(folder: str | os.PathLike[str], *, packages: bool = True) -> Bundle:
    """Write notebooks, worksheets, exercises, photos, MNIST if it is on this computer, and packages to install.

    `packages` asks pip for wheels of digitlab and what it needs, for this Python and system; without a network
    connection the bundle has none, and `no_packages` says why. Nothing else is downloaded.
    All files are written, or none. Raises ConfigError if the folder exists and is not empty.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target}: exists and is not empty; name a new folder")
    with atomic_folder(target) as place:
        files, no_packages = _write(place, packages=packages)
        return Bundle([target / file.relative_to(place) for file in files], no_packages)


def _write(place: Path, *, packages: bool) -> Bundle:
    texts = {}
    for lesson in lessons():
        texts[place / "notebooks" / f"{lesson.slug}.ipynb"] = notebook_text(lesson)
        texts[place / "exercises" / lesson.file] = lesson.answers
    mnist = find_mnist()
    no_packages = fetch_packages(place / "packages") if packages else "not asked for"
    texts[place / "README.txt"] = README.format(
        count=len(lessons()),
        missing="" if mnist else ": missing; run `digitlab data fetch` and make the bundle again",
        python=".".join(platform.python_version_tuple()[:2]),
        system=platform.system(),
        packages=f": missing ({no_packages}); connect this computer and make the bundle again" if no_packages else "",
    )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sheets = [place / "worksheets" / f"{lesson.slug}.pdf" for lesson in lessons()]
    for sheet, lesson in zip(sheets, lessons()):
        write_worksheet(lesson, sheet)
    copied = []
    for found in filter(None, (file.find(mnist) for file in FILES)) if mnist else ():
        copied.append(place / "data" / "mnist" / found.name)
        copied[-1].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, copied[-1])
    (place / "photos").mkdir()
    photos = [place / "photos" / f"page-{seed}.png" for seed in range(3)]
    for seed, photo in enumerate(photos):
        write_photo(photo, seed=seed)
    wheels = [] if no_packages else sorted((place / "packages").iterdir())
    return Bundle([*texts, *sheets, *copied, *photos, *wheels], no_packages)


def fetch_packages(folder: Path) -> str:
    """Fetch wheels of digitlab and what it needs into a folder by pip; return "", or why that failed.

    A digitlab that was installed from a checkout or an address is built from there, any other is fetched by version.
    """
    if os.environ.get("DIGITLAB_OFFLINE") == "1":
        return "DIGITLAB_OFFLINE is set"
    installed = distribution("digitlab")
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    source = f"digitlab=={installed.version}"
    if origin:
        version_control = origin.get("vcs_info", {})
        source = f"{version_control['vcs']}+{origin['url']}" if version_control else origin["url"]
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(folder), source]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    shutil.rmtree(folder, ignore_errors=True)
    lines = done.stderr.strip().splitlines() or [f"pip ended with code {done.returncode}"]
    return next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1])
