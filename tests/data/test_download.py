"""Finding and fetching: with a server of our own on this machine, never the real mirrors."""

import functools
import gzip
import hashlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from digitlab.data import MissingDataError, fetch_mnist, find_mnist, load, mnist_status
from digitlab.data.formats import mnist_files
from digitlab.data.formats.mnist_files import FILES
from digitlab.errors import DataError


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()


@pytest.fixture
def served(idx_folder: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    """A web server for the small IDX files; `.asked` lists what was asked of it."""
    handler = functools.partial(QuietHandler, directory=str(idx_folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mirror(served: http.server.ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{served.server_port}/"


@pytest.fixture
def dead_mirror() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


@pytest.fixture
def cache(tmp_path: Path, idx_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, downloads allowed, and check sums of the small files instead of MNIST's."""
    monkeypatch.delenv("DIGITLAB_OFFLINE")
    monkeypatch.delenv("DIGITLAB_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "cache"
    monkeypatch.setattr("digitlab.data.download.cache_folder", lambda: folder)
    small = []
    for file in FILES:
        packed = (idx_folder / file.gz).read_bytes()
        content = gzip.decompress(packed)
        sums = {"sha256": hashlib.sha256(packed).hexdigest(), "content": hashlib.sha256(content).hexdigest()}
        small.append(replace(file, **sums))
    monkeypatch.setattr("digitlab.data.download.FILES", tuple(small))
    monkeypatch.setattr(mnist_files, "FILES", tuple(small))
    return folder


def use(monkeypatch: pytest.MonkeyPatch, *mirrors: str) -> None:
    monkeypatch.setattr("digitlab.data.download.MIRRORS", mirrors)


def test_load_fetches_once(cache: Path, served, mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, mirror)
    assert find_mnist() is None
    assert len(load("mnist").train) == 50
    assert served.asked == [f"/{file.gz}" for file in FILES]
    assert sorted(path.name for path in cache.iterdir()) == sorted(file.gz for file in FILES)
    assert find_mnist() == cache
    load("mnist")
    assert len(served.asked) == 4


def test_the_second_mirror_is_asked_when_the_first_fails(
    cache: Path, served, mirror: str, dead_mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, dead_mirror, mirror)
    assert fetch_mnist() == cache
    assert len(served.asked) == 4 and not mnist_files.missing_files(cache)


def test_a_mirror_that_failed_is_not_asked_again_while_the_other_answers(
    cache: Path, served, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, f"{mirror}no/", mirror)
    fetch_mnist()
    assert served.asked == [f"/no/{FILES[0].gz}", *(f"/{file.gz}" for file in FILES)]


def test_a_corrupted_download_leaves_nothing(
    cache: Path, mirror: str, idx_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (idx_folder / FILES[0].gz).write_bytes(b"<!DOCTYPE html><p>please log in")
    use(monkeypatch, mirror)
    with pytest.raises(MissingDataError, match=r"127\.0\.0\.1:\d+: what arrived is not the published train-images"):
        fetch_mnist()
    assert list(cache.iterdir()) == []


def test_a_missing_file_names_its_status(
    cache: Path, mirror: str, idx_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (idx_folder / FILES[1].gz).unlink()
    use(monkeypatch, mirror)
    with pytest.raises(MissingDataError, match=r"HTTP status 404"):
        fetch_mnist()
    assert [path.name for path in cache.iterdir()] == [FILES[0].gz]  # what is whole is kept for the next attempt


def test_no_network_is_reported_at_once(cache: Path, dead_mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, dead_mirror, dead_mirror)
    start = time.perf_counter()
    with pytest.raises(MissingDataError) as error:
        load("mnist")
    assert time.perf_counter() - start < 5
    host = dead_mirror.removeprefix("http://").rstrip("/")
    assert error.value.reason == f"{host}: no connection; {host}: no connection"
    assert str(cache) in str(error.value) and "DIGITLAB_DATA" in str(error.value)


def test_a_server_that_says_nothing_is_given_up(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitlab.data.download.READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(MissingDataError, match="no answer"):
            fetch_mnist()


def test_offline_makes_no_request(cache: Path, served, mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, mirror)
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")
    with pytest.raises(MissingDataError, match="DIGITLAB_OFFLINE"):
        fetch_mnist()
    assert served.asked == []


def test_fetching_mends_a_damaged_cache(cache: Path, served, mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, mirror)
    fetch_mnist()
    damaged = cache / FILES[3].gz
    good = damaged.read_bytes()
    damaged.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02\0\1"))
    with pytest.raises(DataError, match=r"t10k-labels.*not the published MNIST file"):
        load("mnist")
    fetch_mnist()
    assert damaged.read_bytes() == good
    assert served.asked[4:] == [f"/{FILES[3].gz}"]


def test_a_cached_file_that_unpacks_to_too_much_is_refused(
    cache: Path, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, mirror)
    fetch_mnist()
    content = gzip.decompress((cache / FILES[1].gz).read_bytes())
    (cache / FILES[1].gz).write_bytes(gzip.compress(content + bytes(10_000)))
    with pytest.raises(DataError, match=r"train-labels.*goes on after byte 68"):
        load("mnist")


def test_progress_is_reported(cache: Path, mirror: str, idx_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, mirror)
    calls: list[tuple[str, int, int]] = []
    fetch_mnist(progress=lambda *call: calls.append(call))
    for file in FILES:
        size = (idx_folder / file.gz).stat().st_size
        assert (file.gz, size, size) in calls


def test_nothing_is_printed_without_a_terminal(
    cache: Path, mirror: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, mirror)
    fetch_mnist()
    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_a_bar(
    cache: Path, mirror: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import sys

    use(monkeypatch, mirror)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fetch_mnist()
    assert capfd.readouterr().err.count("100%") == 4


@pytest.mark.parametrize("below", ["", "mnist"])
def test_digitlab_data_is_looked_in_first(
    cache: Path, idx_folder: Path, tmp_path: Path, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "named" / below
    place.parent.mkdir(exist_ok=True)
    idx_folder.rename(place)
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "named"))
    assert find_mnist() == place
    assert len(load("mnist").test) == 20


def test_status_tells_where_it_looked(cache: Path, idx_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = mnist_status()
    assert status.folder is None and [place.folder for place in status.places] == [cache]
    assert str(status) == f"{cache} (cache): no MNIST\nnot on this machine; `digitlab data fetch` downloads it"
    monkeypatch.setenv("DIGITLAB_DATA", str(idx_folder))
    assert f"{idx_folder} (DIGITLAB_DATA): MNIST, all four files" in str(mnist_status())
    (idx_folder / FILES[2].gz).unlink()
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")
    assert f"{idx_folder} (DIGITLAB_DATA): without {FILES[2].gz}" in str(mnist_status())
    assert "forbidden by DIGITLAB_OFFLINE" in str(mnist_status())


def test_a_cache_that_cannot_be_made_is_reported(cache: Path, mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, mirror)
    cache.write_text("a file where the folder should be")
    with pytest.raises(MissingDataError, match="cannot be written"):
        fetch_mnist()
