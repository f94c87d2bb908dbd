"""Finding MNIST on this machine, or fetching it once: the folder DIGITLAB_DATA names, the user's cache, two mirrors.

DIGITLAB_OFFLINE=1 forbids the download.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from digitlab.data.formats.mnist_files import FILES, PublishedFile, missing_files
from digitlab.errors import DataError

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0  # to be let in, and between two pieces
FILE_SECONDS = 300.0  # for a whole file

Progress = Callable[[str, int, int], None]  # file name, bytes so far, bytes in all


class MissingDataError(DataError):
    """MNIST is unavailable; `reason` says why in a few words."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Place:
    """A folder that was searched: why it was (`label`), and which of the four files it lacks."""

    label: str
    folder: Path
    missing: tuple[str, ...]

    def __str__(self) -> str:
        state = "no MNIST" if len(self.missing) == len(FILES) else f"without {', '.join(self.missing)}"
        return f"{self.folder} ({self.label}): {state if self.missing else 'MNIST, all four files'}"


@dataclass(frozen=True)
class MnistStatus:
    """Where MNIST was looked for, and the first folder that has all of it, if any."""

    places: tuple[Place, ...]
    folder: Path | None
    offline: bool

    def __str__(self) -> str:
        fetch = "downloads are forbidden by DIGITLAB_OFFLINE" if self.offline else "`digitlab data fetch` downloads it"
        lines = [str(place) for place in self.places]
        return "\n".join(lines if self.folder else [*lines, f"not on this machine; {fetch}"])


def cache_folder() -> Path:
    """Where a download is kept: the user's cache folder for digitlab, and `mnist` in it."""
    from platformdirs import user_cache_path

    return user_cache_path("digitlab") / "mnist"


def mnist_status() -> MnistStatus:
    """Look in $DIGITLAB_DATA/mnist, in $DIGITLAB_DATA itself, and in the cache, in this order. Reads no file."""
    named = os.environ.get("DIGITLAB_DATA")
    searched = [("DIGITLAB_DATA", folder) for folder in ((Path(named) / "mnist", Path(named)) if named else ())]
    places = tuple(Place(*place, missing_files(place[1])) for place in [*searched, ("cache", cache_folder())])
    found = next((place.folder for place in places if not place.missing), None)
    return MnistStatus(places, found, os.environ.get("DIGITLAB_OFFLINE", "") not in ("", "0"))


def find_mnist() -> Path | None:
    """The first folder that holds the four files, or None; never downloads."""
    return mnist_status().folder


def obtain_mnist(progress: Progress | None = None) -> Path:
    """The folder with the four files: one on this machine, else the cache after a download.

    Raises MissingDataError if there is none and none can be fetched.
    """
    return find_mnist() or fetch_mnist(progress=progress)


def fetch_mnist(folder: str | os.PathLike[str] | None = None, progress: Progress | None = None) -> Path:
    """Download what is missing or damaged of the four files into `folder` (the cache); 11 MB in all.

    pooch compares each file with the published SHA-256 before it takes its name, so a broken download leaves nothing.
    `progress` is called as bytes arrive; without one a terminal shows pooch's bar.
    Raises MissingDataError when no mirror serves a file, or when downloads are forbidden.
    """
    import pooch

    target = Path(folder) if folder is not None else cache_folder()
    status = mnist_status()
    if status.offline:
        raise _missing(status, "downloads are forbidden by DIGITLAB_OFFLINE")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _missing(status, f"{target} cannot be written ({error.strerror})") from error
    shown = progress is None and sys.stderr.isatty()
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("INFO" if shown else "ERROR")  # its lines name the files, above the bars
    mirrors = list(MIRRORS)
    try:
        for file in FILES:
            failures = []
            for mirror in list(mirrors):  # pooch's retries ask the same server again; here the other one is asked
                failure = _download(mirror, file, target, shown if progress is None else _Meter(file.gz, progress))
                if failure is None:
                    break
                failures.append(f"{urlsplit(mirror).netloc}: {failure}")
                mirrors.append(mirrors.pop(0))  # the one that answers is asked first from now on
            else:
                raise _missing(status, "; ".join(failures))
    finally:
        logger.setLevel(level)
    return target


def _download(mirror: str, file: PublishedFile, folder: Path, bar: Any) -> str | None:
    """Fetch one file unless it is there; None if all is well, otherwise what went wrong in a few words."""
    import pooch
    import requests
    import urllib3

    def downloader(url: str, output: Any, _: Any) -> None:
        _fetch(url, output, file.size, bar)

    try:
        pooch.retrieve(mirror + file.gz, f"sha256:{file.sha256}", fname=file.gz, path=folder, downloader=downloader)
    except _StoppedError as error:
        return str(error)
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
        return "no answer"
    except requests.exceptions.HTTPError as error:
        return f"HTTP status {error.response.status_code}" if error.response is not None else "HTTP error"
    except requests.exceptions.SSLError:
        return "its certificate is not trusted"
    except requests.exceptions.ProxyError:
        return "the proxy does not answer"
    except urllib3.exceptions.HTTPError:
        return "the connection was cut"
    except requests.exceptions.TooManyRedirects:
        return "too many redirects"
    except requests.exceptions.RequestException:
        return "no connection"
    except ValueError:  # pooch, when the SHA-256 differs
        return f"what arrived is not the published {file.gz} (its SHA-256 differs)"
    except OSError as error:
        return f"{folder} cannot be written ({error.strerror})"
    return None


class _StoppedError(Exception):
    """A download that was ended here, and why."""


def _fetch(url: str, output: Any, size: int, bar: Any) -> None:
    """Write what a URL gives into an open file or a path, at most `size` bytes in FILE_SECONDS.

    `bar` is a progress bar, or whether to show one.
    """
    import requests

    if bar is True:
        from tqdm import tqdm  # type: ignore[import-untyped]  # comes with pooch[progress]

        bar = tqdm(total=size, unit="B", unit_scale=True)
    done, end = 0, time.monotonic() + FILE_SECONDS
    with ExitStack() as open_files:
        file = output if hasattr(output, "write") else open_files.enter_context(Path(output).open("wb"))
        answer = open_files.enter_context(requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)))
        answer.raise_for_status()
        if bar:
            open_files.callback(bar.close)
            bar.total = int(answer.headers.get("content-length", size))
        while piece := answer.raw.read1(1 << 16, decode_content=True):  # what has arrived, be it a byte
            done += len(piece)
            if done > size:
                raise _StoppedError(f"it sends more than the {size:,} bytes of the file")
            if time.monotonic() > end:
                raise _StoppedError(f"{done:,} of {size:,} bytes in {FILE_SECONDS:.0f} s, which is too slow")
            file.write(piece)
            if bar:
                bar.update(len(piece))


def _missing(status: MnistStatus, reason: str) -> MissingDataError:
    searched = ", ".join(str(place.folder) for place in status.places)
    return MissingDataError(
        f"MNIST is not on this machine (looked in {searched}) and could not be downloaded: {reason}. "
        "Fetch the four files elsewhere and name their folder in DIGITLAB_DATA, "
        "or use the data set 'digits', the 1,797 real digits that scikit-learn carries.",
        reason,
    )


class _Meter:
    """A progress bar as pooch wants one, passed on as calls of a `Progress`."""

    total = 0

    def __init__(self, name: str, progress: Progress) -> None:
        self.name, self.progress, self.done = name, progress, 0

    def update(self, size: int) -> None:
        self.done += size
        self.progress(self.name, min(self.done, self.total), self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass
