"""Writing a file whole or not at all, under a name that says what it is."""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitlab.errors import ConfigError, DataError

# Compressed digits take a thirteenth of their bytes, binary ones a hundredth. A small file may grow to MAX_SMALL.
MAX_GROWTH, MAX_SMALL = 150, 64 << 20
LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}(\.\w+)?")  # what atomic_write names a file until it is whole


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the target's folder; on success it takes the target's name, on failure it goes.

    The rename is atomic on one file system, so a reader, a full disk or a kill at any moment
    leaves either the whole old file or the whole new one.

        with atomic_write("net.safetensors") as temporary:
            temporary.write_bytes(data)

    The temporary file keeps the target's suffix, since many writers choose the format by it.
    Raises OSError, naming the target, if the folder cannot be made or written, or the target is a folder.
    """
    target = Path(path)
    require_writable(target)
    with _parents(target):
        temporary = target.parent / f".{target.stem}.{secrets.token_hex(4)}{target.suffix}"
        try:
            temporary.touch(exist_ok=False)
            mode = temporary.stat().st_mode  # as readable as any file of the user's; some writers make another, private
            yield temporary
            temporary.chmod(mode)
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(target)
        except OSError as error:
            if error.filename not in (None, str(temporary), temporary):
                raise  # of another file
            whole = "; the file of before is whole" if target.is_file() else ""
            raise OSError(error.errno, f"cannot be written: {error.strerror or error}{whole}", str(target)) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder; on success its files come into the target, on failure it goes with all that is in it.

    A folder that is there already keeps its other files; those of the same names are replaced once all are written.

        with atomic_folder("look") as folder:
            save_figure(figure, folder / "weights.png")

    Raises OSError, naming the target, if it cannot be made or written or is a file.
    """
    target = Path(path)
    if os.path.lexists(target) and not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is a file; expected the name of a folder", str(target))
    require_writable(target / "file")
    there = target.is_dir()  # then inside it: its parent may be another file system, or not ours to write
    with _parents(target):
        temporary = (target if there else target.parent) / f".{target.absolute().name}.{secrets.token_hex(4)}"
        try:
            temporary.mkdir()
            yield temporary
            if there:
                _move_files(temporary, target)
            else:
                temporary.rename(target)
        except OSError as error:
            named = error.filename
            if named is not None and temporary not in (Path(named), *Path(named).parents):
                raise  # of another file
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, f"cannot be written: {reason}", str(target)) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _parents(target: Path) -> Iterator[None]:
    """Make the folders that a path goes into; those that were missing are removed again if what follows fails."""
    missing = [folder for folder in target.parents if not os.path.lexists(folder)]  # the innermost first
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # somebody else has written there
                folder.rmdir()
        raise


def _move_files(source: Path, target: Path) -> None:
    """Move every file in a folder to the same place in another one on the same file system."""
    for file in sorted(source.rglob("*")):
        if not file.is_dir():
            moved = target / file.relative_to(source)
            moved.parent.mkdir(parents=True, exist_ok=True)
            file.replace(moved)


def require_writable(path: str | os.PathLike[str]) -> None:
    """Raise OSError, naming the file, if it is a folder or the folder that it goes into cannot be written.

    Commands call this before they compute what they are to write. A folder that is missing is made later.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; expected a file's name", str(target))
    folder = next(folder for folder in target.absolute().parents if os.path.lexists(folder))
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"cannot be written: {folder} is no folder", str(target))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, f"cannot be written: {os.strerror(errno.EACCES)}", str(target))


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left there. Call it only while nobody else writes in the folder."""
    for path in folder.glob(".*.*"):
        if LEFTOVER.fullmatch(path.name):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file in UTF-8. Raises DataError for another file, a folder, or one that is missing or empty."""
    file = require_file(path)
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file}: is no text in UTF-8 (byte {error.start:,}: {error.reason}); name another file or save it again"
        ) from None


def require_suffix(path: str | os.PathLike[str], what: str, *suffixes: str, bare: bool = True) -> None:
    """Raise ConfigError unless the name ends in one of `suffixes`, or with `bare` in no suffix at all.

    Every writer calls this first: a safetensors file called net.onnx would mislead whoever opens it.
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


class Claim:
    """A folder that only this process writes: `with Claim(folder): ...`, or `release` in the end.

    The lock ends with the process, however that ends. Leftovers of killed writers are removed.
    Raises ConfigError if another process has the folder, OSError if it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock, Timeout  # 20 ms, for who writes runs alone

        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder}: is a file; expected the name of a folder")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.lock = folder, FileLock(folder / ".lock", thread_local=False)
        try:
            self.lock.acquire(blocking=False)
        except Timeout:
            raise ConfigError(f"{folder}: another process is writing there; wait until it ends") from None
        remove_leftovers(folder)

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def release(self) -> None:
        """Let others have the folder; one that has stayed empty is removed."""
        (self.folder / ".lock").unlink(missing_ok=True)
        self.lock.release()
        with suppress(OSError):
            self.folder.rmdir()


def is_private(path: Path) -> bool:
    """Whether this user (or root) owns a file or folder and nobody else may write it; on Windows always.

    There, the permissions of the home folder keep others out.
    """
    if not hasattr(os, "geteuid"):
        return True
    found = path.stat()
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & 0o022


def unpacked_limit(size: int, most: int) -> int:
    """How many bytes a compressed file of `size` bytes may unpack to; never more than `most`."""
    return min(most, max(MAX_SMALL, MAX_GROWTH * size))


def special(path: Path) -> str:
    """What a path is that is neither file nor folder: opening a pipe would wait for ever, a device may never end."""
    kinds = (("a named pipe", path.is_fifo), ("a socket", path.is_socket))
    return next((what for what, is_one in kinds if is_one()), "a device")


def require_file(path: str | os.PathLike[str]) -> Path:
    """`path` as a Path, sure to be a file that is not empty; DataError otherwise."""
    file = Path(path)
    if not file.exists():
        raise DataError(f"{file}: there is no such file. Check the name, or the folder it should be in.")
    if file.is_dir():
        raise DataError(f"{file}: expected a file, found a folder. Name a file in it.")
    if not file.is_file():
        raise DataError(f"{file}: expected a file, found {special(file)}. Save its content in a file first.")
    if file.stat().st_size == 0:
        raise DataError(f"{file}: the file is empty (0 bytes). Fetch it again.")
    return file
