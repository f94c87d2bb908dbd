"""Writing a file so that nobody ever sees half of it."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the target's folder; on success it takes the target's name, on failure it goes.

    The rename is atomic on one file system, so a reader, a full disk or a kill at any moment
    leaves either the whole old file or the whole new one.

        with written_beside("net.safetensors") as temporary:
            temporary.write_bytes(data)

    The temporary file keeps the target's suffix, since many writers choose the format by it.
    Raises OSError if the folder cannot be made or written, or the target is a folder.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; expected a file's name", str(target))
    temporary = target.parent / f".{target.stem}.{secrets.token_hex(4)}{target.suffix}"
    temporary.touch(exist_ok=False)
    mode = temporary.stat().st_mode  # as readable as any file of the user's; some writers make another, private
    try:
        yield temporary
        temporary.chmod(mode)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8, beside and renamed (see `written_beside`)."""
    with written_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
