"""A set of several files that takes the place of another as a whole, whenever a kill or a full disk comes.

    .new.train-labels-idx1-ubyte    a file of the new set, until its turn to be renamed
    .new                            the names of the new set; written once all its files are complete

Before `.new` is there the old set counts, from then on the new one: `finish` removes the old files and lets the new
ones take their names. Reading a folder calls it first, so that a replacement that was interrupted is completed.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from digitlab.data.formats.mnist_files import CLASSES
from digitlab.files import write_text

MARK = ".new"
MEMBER = re.compile(rf"(train|valid|t10k)-(images-idx3|labels-idx1)-ubyte(\.gz)?|{re.escape(CLASSES)}")


def beside(path: Path) -> Path:
    """Where a file of a new set is written until the set is complete."""
    return path.with_name(f"{MARK}.{path.name}")


def replace_set(folder: Path, names: Iterable[str]) -> None:
    """Let the new files of these names, written `beside`, be the folder's set, renamed in this order."""
    write_text(folder / MARK, "\n".join(names))
    finish(folder)


def finish(folder: Path) -> None:
    """Complete a replacement that has begun; nothing if there is none. Raises OSError where the folder is read-only."""
    if not (folder / MARK).is_file():
        return
    names = [name for name in (folder / MARK).read_text(encoding="utf-8").split("\n") if MEMBER.fullmatch(name)]
    for entry in list(folder.iterdir()):  # of the old set; a file whose new one is renamed already belongs to the new
        replaced = entry.name not in names or beside(entry).exists()
        if MEMBER.fullmatch(entry.name) and replaced:
            entry.unlink(missing_ok=True)
    for name in names:
        if (new := beside(folder / name)).exists():
            new.replace(folder / name)
    for entry in folder.glob(f"{MARK}.*"):  # of a writer that was killed
        entry.unlink(missing_ok=True)
    (folder / MARK).unlink(missing_ok=True)
