"""The page of one file and the engine in Firefox; skipped where the system has no Firefox."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from digitlab.exporting import export_network
from digitlab.nn import load_network
from digitlab.nn.zoo import ZOO
from digitlab.shipped import PATH
from web.engine_page import HERE, PAGE, Engine
from web.firefox import FIREFOX, Firefox
from web.test_engine import CLOSE, compare_zoo

pytestmark = [
    pytest.mark.web,
    pytest.mark.slow,
    pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed: apt-get install firefox-esr"),
]


@pytest.fixture(scope="module")
def firefox(tmp_path_factory) -> Iterator[Firefox]:
    window = Firefox(tmp_path_factory.mktemp("firefox"))
    yield window
    window.end()


def test_every_screen_of_one_file_works(firefox, tmp_path):
    export_network(load_network(PATH), tmp_path / "page.html", "html")
    firefox.open((tmp_path / "page.html").as_uri())
    firefox.until("'ready' in document.documentElement.dataset")
    for screen in ("open", "step", "break", "imagine", "draw"):
        firefox.evaluate(f"(location.hash = '#/{screen}')")
        firefox.until(f"document.documentElement.dataset.screen === '{screen}'")
        assert firefox.evaluate("document.querySelectorAll('main section.panel').length") >= 3
        assert firefox.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    firefox.evaluate("document.querySelector('button[aria-label=\"Example 4\"]').click()")
    firefox.until("document.querySelector('.answer b').textContent === '4'")
    assert firefox.errors == []


class FirefoxEngine(Engine):
    """The engine's modules in Firefox, from a server: a table of arrays is too long for one message."""

    def __init__(self, firefox: Firefox) -> None:
        self.firefox, engine = firefox, self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                engine.send(self)

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        firefox.open(f"http://127.0.0.1:{self.server.server_port}/index.html")

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.lstrip("/")
        file = HERE / path if path == "compare.js" else PAGE / path
        if path == "table.json":
            body, kind = json.dumps(self.table).encode(), "application/json"
        elif file.suffix == ".js" and file.is_file():
            body, kind = file.read_bytes(), "text/javascript"
        else:
            body, kind = b"<!doctype html><title>engine</title>", "text/html"
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(body)

    def run(self, function: str, module: str, *arguments: Any) -> Any:
        (self.table,) = arguments
        return self.firefox.evaluate("(await import('/compare.js')).compare(await (await fetch('/table.json')).json())")


@pytest.mark.mnist
@pytest.mark.parametrize("name", ZOO)
def test_a_network_of_the_zoo_computes_what_python_computes(firefox, mnist_splits, request, capsys, name):
    """Prints a row; with --long on 1,000 images."""
    long = request.config.getoption("--long")
    if not long and name not in ("chapter3", "lenet5"):
        pytest.skip("two networks are enough: --long")
    far = compare_zoo(FirefoxEngine(firefox), name, mnist_splits.test[: 1000 if long else 3])
    with capsys.disabled():
        if long:
            print(f"\n| {name} | {far['values']:.1e} | {far['gradients']:.1e} | {far['ms']:.1f} |", flush=True)
    assert max(far["values"], far["gradients"]) < CLOSE, far
