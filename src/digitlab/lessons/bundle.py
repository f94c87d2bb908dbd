"""The course in a folder, for a classroom without a network connection."""

import os
import shutil
from pathlib import Path

from digitlab.data import find_mnist
from digitlab.data.formats.mnist_files import FILES
from digitlab.data.synthetic.samples import write_photo
from digitlab.errors import ConfigError
from digitlab.files import write_text
from digitlab.lessons.lesson import lessons
from digitlab.lessons.notebook import notebook_text
from digitlab.lessons.worksheet import worksheet

README = """The digitlab course: {count} lessons for use without a network connection.

notebooks/    the lessons as notebooks
worksheets/   a page to print for each lesson: open it in a browser and print it
exercises/    files to answer the exercises in; `digitlab lesson check 1 exercises/lesson-01.py` tests one
photos/       pages of handwriting for the lesson on photos
data/         MNIST{missing}

Install digitlab once, while connected; for computers without a connection, fetch the packages into this folder first:

    pip download digitlab -d packages
    pip install --no-index --find-links packages digitlab

Then, in this folder: digitlab lesson. To use MNIST from here, set DIGITLAB_DATA to the folder data/ and
DIGITLAB_OFFLINE to 1. The lessons themselves need no MNIST.
"""


def write_bundle(folder: str | os.PathLike[str]) -> list[Path]:
    """Write notebooks, worksheets, exercises, photos, and MNIST if it is on this computer; return the paths.

    Nothing is downloaded. Raises ConfigError if the folder exists and is not empty.
    """
    place = Path(folder)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ConfigError(f"{place}: exists and is not empty; name a new folder")
    texts = {}
    for lesson in lessons():
        texts[place / "notebooks" / f"{lesson.slug}.ipynb"] = notebook_text(lesson)
        texts[place / "worksheets" / f"{lesson.slug}.html"] = worksheet(lesson)
        texts[place / "exercises" / lesson.file] = lesson.answers
    mnist = find_mnist()
    texts[place / "README.txt"] = README.format(
        count=len(lessons()), missing="" if mnist else ": missing; run `digitlab data fetch` and make the bundle again"
    )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    copied = []
    for found in filter(None, (file.find(mnist) for file in FILES)) if mnist else ():
        copied.append(place / "data" / "mnist" / found.name)
        copied[-1].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, copied[-1])
    (place / "photos").mkdir()
    photos = [place / "photos" / f"page-{seed}.png" for seed in range(3)]
    for seed, photo in enumerate(photos):
        write_photo(photo, seed=seed)
    return [*texts, *copied, *photos]
