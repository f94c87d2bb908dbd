"""Requests that must not get through, from outside and from a hostile page."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.responses import JSONResponse

from digitlab.errors import ConfigError
from digitlab.web.safety import BURST, MAX_DEPTH, MAX_JSON, Bucket, Guard, read_json
from web.serving import Served, ask


def test_network_file_is_the_networks_own(served: Served) -> None:
    from digitlab.shipped import PATH

    status, _, body = ask(served, "/api/network")
    assert status == 200
    assert body == PATH.read_bytes()


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (200, {"Origin": "http://127.0.0.1:PORT"}),
        (200, {"Host": "localhost:PORT"}),
        (401, {"X-Token": ""}),
        (401, {"X-Token": "guess"}),
        (401, {"X-Token": "gu\xe9ss"}),
        (403, {"Host": "attacker.example"}),
        (403, {"Host": "attacker.example:PORT"}),
        (403, {"Host": "127.0.0.1"}),
        (403, {"Origin": "http://attacker.example"}),
        (403, {"Origin": "null"}),
        (403, {"Origin": "https://127.0.0.1:PORT"}),
        (403, {"Origin": "http://127.0.0.1:1"}),
    ],
)
def test_who_may_ask(served: Served, status: int, headers: dict[str, str]) -> None:
    given = {name: text.replace("PORT", str(served.port)) for name, text in headers.items()}
    assert ask(served, "/api/about", **given)[0] == status


def test_page_needs_no_token_but_the_right_host(served: Served) -> None:
    status, headers, body = ask(served, "/", X_Token="")
    assert status == 200 and b"<title>digitlab</title>" in body
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert served.play.token.encode() not in body
    assert ask(served, "/", Host="attacker.example")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py",
        "/js/../../server.py",
        "/%2e%2e/server.py",
        "/..%2fserver.py",
        "/js/%2e%2e/%2e%2e/server.py",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/js/..%5c..%5cserver.py",
        "/\x00",
        "/api/../api/nothing",
    ],
)
def test_paths_stay_in_the_page(served: Served, path: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
        raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nX-Token: {served.play.token}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert int(answer.split()[1]) in (400, 404)
    assert b"root:" not in answer and b"import" not in answer


def test_large_requests_are_refused_before_they_are_read(served: Served) -> None:
    status, _, body = ask(served, "/api/stop", method="POST", body=b" " * (MAX_JSON + 1))
    assert status == 413 and b"larger than" in body
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:  # announced, and never sent
        raw.sendall(
            f"POST /api/stop HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nX-Token: {served.play.token}\r\n"
            f"Content-Length: {50 * 2**20}\r\n\r\n".encode()
        )
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "no JSON"),
        (b"[1]", "list"),
        (b"\xff", "UTF-8"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested 500 deep"),
        (b"[" * 100_000, "nested"),
        (b'{"a": NaN, }', "no JSON"),
    ],
)
def test_malformed_json(text: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_json(text)


def test_json_depth_ignores_brackets_in_text() -> None:
    table: Any = {"text": "[" * 100 + '\\"{', "list": [[1]]}
    assert read_json(json.dumps(table)) == table
    deepest: Any = 1
    for _ in range(MAX_DEPTH - 1):
        deepest = [deepest]
    assert read_json(json.dumps({"a": deepest}))


def test_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("digitlab.web.safety.time.monotonic", lambda: now[0])
    bucket = Bucket(rate=10, burst=3)
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] += 0.25
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_floods_are_refused() -> None:
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status"))

    async def flood() -> None:
        guard = Guard(JSONResponse({}), "token", ["here"])
        scope = {"type": "http", "path": "/", "method": "GET", "headers": [(b"host", b"here")]}
        for _ in range(10_000):
            await guard(scope, receive, send)

    with ThreadPoolExecutor(1) as pool:  # Playwright may have left a loop running in this thread
        pool.submit(asyncio.run, flood()).result()
    assert statuses.count(200) + statuses.count(429) == 10_000
    assert BURST <= statuses.count(200) < 3000
