"""Writing a file whole or not at all, under a name that says what it is; locks between processes."""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from digitlab.errors import ConfigError


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
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
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def require_suffix(path: str | os.PathLike[str], what: str, *suffixes: str, bare: bool = True) -> None:
    """Raise ConfigError unless the name ends in one of `suffixes`, or with `bare` in no suffix at all.

    Every writer asks this before it writes: a safetensors file called net.onnx would mislead whoever opens it.
    `what` is written, such as "a picture". A dot before digits ("net-95.4") begins no suffix.
    """
    suffix = Path(path).suffix
    if re.fullmatch(r"\.(?!\d+$)\w+", suffix) is None:
        suffix = ""
    if suffix.lower() in suffixes or (bare and not suffix):
        return
    expected = " or ".join(filter(None, (", ".join(suffixes[:-1]), suffixes[-1])))
    why = f"the suffix {suffix} is another format's" if suffix else "it has no suffix"
    raise ConfigError(f"got {path}, expected a file name that ends in {expected} for {what}; {why}")


class FileLock:
    """A lock that other processes see; `with FileLock(path): …`.

    It is the operating system's, free again the moment its process dies, where a file that stands for a lock would
    stay behind and make the next one wait.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.file: IO[bytes] | None = None

    def acquire(self, *, wait: bool = True) -> bool:
        """Take the lock; without `wait`, whether it was free. OSError where nothing can be written or locked."""
        file = self.path.open("ab")
        try:
            _lock(file, wait=wait)
        except BlockingIOError:
            file.close()
            return False
        except OSError:
            file.close()
            raise
        self.file = file
        return True

    def release(self) -> None:
        """Let go of it."""
        if self.file is not None:
            self.file.close()  # which unlocks it
            self.file = None

    def __enter__(self) -> "FileLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _lock(file: IO[bytes], *, wait: bool) -> None:
    """Lock an open file against other processes; BlockingIOError if it is locked and not to be waited for."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        how: Any = msvcrt
        while True:
            try:
                how.locking(file.fileno(), how.LK_NBLCK, 1)
                return
            except OSError:
                if not wait:
                    raise BlockingIOError from None
                import time

                time.sleep(0.01)
    fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
