"""Firefox without a window, driven over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/).

Playwright drives only a Firefox of its own; this one is the system's.
"""

import json
import os
import re
import shutil
import subprocess
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


class Firefox:
    """One window. `errors` are what its pages threw or wrote to the console as errors."""

    def __init__(self, folder: Path) -> None:
        self.log, self.last, self.errors = folder / "log.txt", 0, []
        command = [FIREFOX, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"]
        with self.log.open("w") as log:
            home = os.environ | {"HOME": str(folder)}
            self.process = subprocess.Popen([*map(str, command), "about:blank"], stdout=log, stderr=log, env=home)
        self.stack = ExitStack()
        self.stack.callback(self.stop)
        self.socket = self.stack.enter_context(self.connected())
        self.do("session.new", capabilities={})
        self.do("session.subscribe", events=["log.entryAdded"])
        self.window = self.do("browsingContext.getTree")["contexts"][0]["context"]

    def connected(self) -> AbstractContextManager[ClientConnection]:
        """A socket to the address that Firefox writes when it listens."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(r"ws://\S+", self.log.read_text()):
                return connect(f"{found[0]}/session", max_size=None)
            time.sleep(0.1)
        self.stop()
        raise TimeoutError(f"Firefox did not start: {self.log.read_text()}")

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command."""
        self.last += 1
        self.socket.send(json.dumps({"id": self.last, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.errors.append(message["params"]["text"])
            if message.get("id") == self.last:
                assert message["type"] == "success", message
                return message["result"]

    def open(self, address: str) -> None:
        self.do("browsingContext.navigate", context=self.window, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, which may `await`."""
        text = f"(async () => JSON.stringify(await ({expression})))()"
        found = self.do("script.evaluate", expression=text, target={"context": self.window}, awaitPromise=True)
        assert found["type"] == "success", found
        return json.loads(found["result"].get("value", "null"))

    def until(self, expression: str, seconds: float = 15) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"not within {seconds} s: {expression}"
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def end(self) -> None:
        self.stack.close()
