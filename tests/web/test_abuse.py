"""What a hostile program may try: refused, and the server goes on as before."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from digitlab.web.safety import MAX_MESSAGE
from digitlab.web.training import MAX_PAGES
from web.serving import Served, ask


def opened(served: Served, *, token: str | None = None, host: str = "127.0.0.1", **options) -> ClientConnection:
    given = served.play.token if token is None else token
    return connect(
        f"ws://{host}:{served.port}/api/train",
        sock=socket.create_connection(("127.0.0.1", served.port), timeout=10),
        subprotocols=["digitlab", f"token.{given}"],
        max_size=None,
        compression=None,
        **options,
    )


@pytest.mark.parametrize(
    "options",
    [
        {"token": "guess"},
        {"token": ""},
        {"origin": "http://attacker.example"},
        {"origin": "null"},
        {"host": "attacker.example"},
    ],
    ids=str,
)
def test_sockets_of_strangers_are_refused(served: Served, options: dict) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(served, **options):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON"),
        ("[]", "list"),
        ('{"do": "start"}', "one or two"),
        ('{"do": "start", "trainings": [{}, {}, {}]}', "one or two"),
        ('{"do": "start", "trainings": [{"kind": "shell"}]}', "expected images, points or function"),
        ('{"do": "start", "trainings": [{"kind": "images", "source": "/etc/passwd"}]}', "data set '/etc/passwd'"),
        ('{"do": "start", "trainings": [{"kind": "images", "source": "own/../runs"}]}', "letters, digits"),
        ('{"do": "start", "trainings": [{"kind": "points", "points": [[1]]}]}', "rows of x, y and class"),
        ('{"do": "start", "trainings": [{"kind": "points", "points": [[1e39, 0, 0]]}]}', "rows of x, y and class"),
        ('{"do": "start", "trainings": [{"kind": "function", "function": "__import__(1)"}]}', "function"),
        (
            '{"do": "start", "trainings": [{"kind": "function", "function": "x", "epochs": 1e9}]}',
            "whole number from 1 to 5,000",
        ),
        (
            '{"do": "start", "trainings": [{"kind": "function", "function": "x", '
            '"layers": [{"type": "dense", "size": 1000000}]}]}',
            "whole number from 1 to 1,000",
        ),
        (
            '{"do": "start", "trainings": [{"kind": "function", "function": "x", "learning_rate": NaN}]}',
            "expected a number",
        ),
    ],
)
def test_malformed_messages_are_answered(served: Served, text: str, message: str) -> None:
    with opened(served) as page:
        for _ in range(2):  # the connection goes on
            page.send(text)
            answer = json.loads(page.recv(timeout=10))
            assert answer["type"] == "error" and message in answer["message"]


def test_ten_thousand_messages_end_the_connection(served: Served) -> None:
    with opened(served) as page:
        with pytest.raises(ConnectionClosed):
            for _ in range(10_000):
                page.send('{"do": "play"}')
            while True:
                page.recv(timeout=10)
        assert page.close_code == 1008
    assert ask(served, "/api/about")[0] == 200


def test_large_and_binary_messages_end_the_connection(served: Served) -> None:
    for message in ("x" * (MAX_MESSAGE + 1), b"\x00" * 10):
        with opened(served) as page, pytest.raises(ConnectionClosed):
            page.send(message)
            page.recv(timeout=10)
    assert ask(served, "/api/about")[0] == 200


def test_pages_with_a_training_are_limited(served: Served) -> None:
    with ExitStack() as pages:
        for _ in range(MAX_PAGES):
            pages.enter_context(opened(served))
        with pytest.raises(InvalidStatus), opened(served):
            pass


def memory() -> float:
    """Resident memory of this process, where the server runs, in MiB."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 2**20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is measured in /proc")
def test_memory_is_steady(served: Served) -> None:
    """Fifty megabytes in pieces without a length, a thousand requests of a megabyte, announced and not sent."""
    ask(served, "/api/about")
    before = memory()
    head = f"POST /api/own HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nX-Token: {served.play.token}\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
        raw.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        try:
            for _ in range(800):
                raw.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except OSError:
            pass  # closed by the server, which has heard enough
        else:
            assert raw.recv(4096).startswith(b"HTTP/1.1 413")
    for _ in range(20):
        assert ask(served, "/api/own", method="POST", body=b" " * 2**20)[0] == 400
    sockets = []
    for _ in range(50):
        raw = socket.create_connection(("127.0.0.1", served.port), timeout=10)
        raw.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode())
        sockets.append(raw)
    for raw in sockets:
        raw.close()
    assert ask(served, "/api/about")[0] == 200
    assert memory() - before < 40
