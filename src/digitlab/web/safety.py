"""What every request must pass: the right Host and Origin, the token, limits on size and rate.

The page itself (HTML, CSS, JavaScript) is public and needs no token; everything under /api/ does.
A web page elsewhere that sends the browser here fails by its Origin, a name that was made to point here
(DNS rebinding) by its Host.
"""

import hmac
import json
import re
import time
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitlab.errors import ConfigError, in_brief

MAX_JSON = 2**20  # bytes of a request with JSON
MAX_FILE = 16 * 2**20  # bytes of a photo, a CSV file or a data set of own digits
MAX_DEPTH = 12  # nested lists and tables in JSON
RATE, BURST = 100.0, 400.0  # requests per second over time, and at once
MESSAGE_RATE, MESSAGE_BURST = 50.0, 200.0  # the same for the messages of one WebSocket
MAX_MESSAGE = 256 * 1024  # bytes of a message of a WebSocket
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Bucket:
    """Lets `burst` requests through at once and `rate` per second over time (token bucket)."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.left, self.seen = rate, burst, burst, time.monotonic()

    def take(self) -> bool:
        """Whether one more may pass now."""
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.seen) * self.rate)
        self.seen = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Guard:
    """The outermost application: refuses what must not reach the routes, and adds the headers of every answer."""

    def __init__(self, app: ASGIApp, token: str, hosts: Iterable[str]) -> None:
        self.app, self.token = app, token
        self.hosts = {host.lower() for host in hosts}
        self.bucket = Bucket(RATE, BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self.refusal(scope, headers)
        if scope["type"] == "websocket":
            if refused:
                await receive()
                await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
            else:
                await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if refused:
            status, why = refused
            await JSONResponse({"error": why}, status)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)

    def refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Status and reason, or None for a request that may pass."""
        if headers.get("host", "").lower() not in self.hosts:
            return 403, "unknown Host; open the address that digitlab play printed"
        origin = headers.get("origin")
        if origin is not None and origin.lower().removeprefix("http://") not in self.hosts:
            return 403, "the request comes from another page"
        if not self.bucket.take():
            return 429, "too many requests; wait a second"
        if scope["path"].startswith("/api/") and not self.knows(scope, headers):
            return 401, "the token is missing or wrong; open the address that digitlab play printed"
        if int_or(headers.get("content-length"), 0) > limit_of(headers):
            return 413, f"the request is larger than {limit_of(headers):,} bytes"
        return None

    def knows(self, scope: Scope, headers: Headers) -> bool:
        """Whether the token is in the header X-Token, or for a WebSocket among its protocols."""
        if scope["type"] == "websocket":
            protocols = re.split(r",\s*", headers.get("sec-websocket-protocol", ""))
            given = next((name.removeprefix("token.") for name in protocols if name.startswith("token.")), "")
        else:
            given = headers.get("x-token", "")
        return hmac.compare_digest(given.encode(), self.token.encode())


def limit_of(headers: Headers) -> int:
    """Bytes that a request may have: by its type, JSON or a file."""
    return MAX_FILE if headers.get("content-type", "") == "application/octet-stream" else MAX_JSON


async def read_body(request: Request) -> bytes | None:
    """The body of a request, None if it is larger than it may be; what is too much is not read."""
    limit, body = limit_of(request.headers), bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            return None
    return bytes(body)


def int_or(text: str | None, otherwise: int) -> int:
    """The number in a text of digits; `otherwise` for any other text, and for None."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else otherwise


def read_json(text: bytes | str) -> dict[str, Any]:
    """The table in a request. Raises ConfigError unless it is a JSON object that is not nested too deeply."""
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            raise ConfigError("the request is no UTF-8 text; expected JSON") from None
    depth = deepest = 0
    for mark in re.findall(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text, re.DOTALL):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ConfigError(f"the request's JSON is nested {deepest} deep; expected at most {MAX_DEPTH}")
    try:
        table = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"the request is no JSON: {in_brief(error)}") from None
    if not isinstance(table, dict):
        raise ConfigError(f"the request is a JSON {type(table).__name__}; expected a table")
    return table
