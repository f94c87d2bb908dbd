"""A server in a thread, and requests to it without a browser."""

import http.client
import threading
from dataclasses import dataclass, replace

from digitlab.web.server import Play, serve


@dataclass(frozen=True)
class Served:
    """A server in a thread of its own: what it serves, its address with the token, and how to end it."""

    play: Play
    address: str
    thread: threading.Thread

    @property
    def port(self) -> int:
        return int(self.address.split("/#")[0].rsplit(":", 1)[1])

    def at(self, fragment: str) -> "Served":
        """The same with the address of a screen: "/train?layers=30"."""
        return replace(self, address=self.address + fragment)

    def end(self) -> None:
        self.play.stop()
        self.thread.join(10)


def serving(play: Play) -> Served:
    """Serve in a thread, once the address is known."""
    addresses: list[str] = []
    known = threading.Event()

    def started(address: str) -> None:
        addresses.append(address)
        known.set()

    thread = threading.Thread(target=serve, args=(play, "127.0.0.1", None, started), daemon=True)
    thread.start()
    assert known.wait(10)
    return Served(play, addresses[0], thread)


def ask(
    served: Served, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body of an answer; header names with _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    given = {"X-Token": served.play.token} | {name.replace("_", "-"): text for name, text in headers.items()}
    connection.request(method, path, body, {name: text for name, text in given.items() if text})
    answer = connection.getresponse()
    result = answer.status, answer.headers, answer.read()
    connection.close()
    return result
