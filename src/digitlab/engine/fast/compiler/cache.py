"""Machine code in files that only this user can write, each with a checksum over everything that is used of it.

    folder    $NUMBA_CACHE_DIR/digitlab, or kernels in the user's cache folder, mode 0700
    file      the SHA-256 of what follows; the symbols, as JSON; the object file

Code is executed, so a file or folder that belongs to another user, or that others may write, is not read.
"""

import hashlib
import json
import logging
import os
from pathlib import Path

from digitlab.files import atomic_write, is_private

logger = logging.getLogger("digitlab")


def cache_folder() -> Path:
    """Where compiled kernels are kept."""
    if folder := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(folder) / "digitlab"
    import platformdirs

    return Path(platformdirs.user_cache_dir("digitlab")) / "kernels"


def read(path: Path) -> tuple[bytes, dict[str, str]] | None:
    """The object file and its symbols; None if there is no file, or an unsound one, which a line in the log names.

    An unsound file is removed, so that it is compiled again once.
    """
    if not path.is_file():
        return None
    if not (is_private(path.parent) and is_private(path)):
        logger.warning("%s: belongs to another user or can be written by others; it is not used", path)
        return None
    checksum, _, content = path.read_bytes().partition(b"\n")
    head, _, code = content.partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != checksum:
        logger.warning("%s: is damaged; the kernels are compiled again", path)
        path.unlink(missing_ok=True)
        return None
    return code, json.loads(head)


def write(path: Path, code: bytes, symbols: dict[str, str]) -> None:
    """Keep the object file, unless the folder is another user's. Raises OSError where nothing can be written."""
    make_folder(path.parent)
    if not is_private(path.parent):
        return
    content = json.dumps(symbols).encode() + b"\n" + code
    with atomic_write(path) as temporary:
        temporary.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    path.chmod(0o600)


def make_folder(folder: Path) -> None:
    """Make the folder, and keep others out of it if it is this user's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "geteuid") and folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)
