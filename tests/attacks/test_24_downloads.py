"""A download takes no more bytes and no more time than the file warrants, and is kept only if it is the published one.

tests/data/test_download.py has the mirrors, and what is said when none answers.
"""

import http.server
import socketserver
import threading
import time

import pytest

from digitlab.data import MissingDataError, download, fetch_mnist


class Hostile(http.server.BaseHTTPRequestHandler):
    """A server of endless, slow, wrong and cut answers."""

    sent = 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        how = self.path.split("/")[1]
        if how == "wrong":
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"wrong")
        elif how == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
        elif how == "loop":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif how == "missing":
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"\0" * (100 if how == "slow" else 1 << 20))
                    Hostile.sent += 1
                    time.sleep(0.05 if how == "slow" else 0)
            except OSError:
                pass


@pytest.fixture
def server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Hostile) as made:
        made.daemon_threads = True
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "how, said",
    [
        ("endless", r"it sends more than the 9,912,422 bytes of the file"),
        ("slow", r"bytes in 0 s, which is too slow"),
        ("wrong", r"its SHA-256 differs"),
        ("cut", r"the connection was cut|SHA-256 differs"),
        ("loop", r"too many redirects"),
        ("missing", r"HTTP status 404"),
    ],
)
def test_a_hostile_server(how, said, server, tmp_path, monkeypatch, attempts):
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path))
    monkeypatch.delenv("DIGITLAB_OFFLINE", raising=False)
    monkeypatch.setattr(download, "MIRRORS", (f"{server}/{how}/",))
    monkeypatch.setattr(download, "FILE_SECONDS", 0.2 if how == "slow" else 20.0)
    Hostile.sent = 0
    with pytest.raises(MissingDataError, match=said):
        fetch_mnist(tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_file()]
    assert Hostile.sent < 60
    attempts.count()
