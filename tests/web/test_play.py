"""The life of `digitlab play`: its port, its address, its end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from websockets.sync.client import connect

from digitlab.cli.play import command
from digitlab.errors import ConfigError
from digitlab.nn import load_network
from digitlab.nn.chains import mlp
from digitlab.train import History
from digitlab.web.server import Play, names_of
from web.serving import Served, ask, serving


def test_second_server_finds_another_port_and_has_its_own_token(served: Served, tmp_path: Path) -> None:
    other = serving(Play(mlp([4, 2]), "other", None, tmp_path / "runs", tmp_path / "own"))
    try:
        assert other.port != served.port and other.play.token != served.play.token
        assert ask(other, "/api/about")[0] == 200
        assert ask(other, "/api/about", X_Token=served.play.token)[0] == 401
    finally:
        other.end()
    assert not other.thread.is_alive()


def test_stops_on_request(tmp_path: Path) -> None:
    server = serving(Play(mlp([4, 2]), "other", None, tmp_path / "runs", tmp_path / "own"))
    assert ask(server, "/api/stop")[0] in (404, 405)  # by a click only
    assert ask(server, "/api/stop", method="POST", body=b"{}")[0] == 200
    server.thread.join(10)
    assert not server.thread.is_alive()


def test_nothing_is_written_without_a_click(tmp_path: Path) -> None:
    server = serving(Play(mlp([4, 2]), "other", None, tmp_path / "runs", tmp_path / "own"))
    for path in ("/", "/api/about", "/api/network", "/api/runs", "/api/own"):
        assert ask(server, path)[0] == 200
    server.end()
    assert list(tmp_path.iterdir()) == []


def test_taken_port_is_an_error(served: Served) -> None:
    result = CliRunner().invoke(command, ["shipped", "--no-browser", "--port", str(served.port)])
    assert isinstance(result.exception, ConfigError) and "choose --port" in str(result.exception)


def test_host_that_is_none_of_this_machine() -> None:
    result = CliRunner().invoke(command, ["shipped", "--no-browser", "--host", "192.0.2.1"])
    assert isinstance(result.exception, ConfigError) and "192.0.2.1" in str(result.exception)


def test_names_in_the_host_header() -> None:
    assert names_of("127.0.0.1", 80) == ["127.0.0.1:80", "localhost:80", "[::1]:80"]
    assert names_of("192.168.1.5", 80)[0] == "192.168.1.5:80"
    everywhere = names_of("0.0.0.0", 80)
    assert f"{socket.gethostname()}:80" in everywhere and "localhost:80" in everywhere


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_it_and_trainings_are_saved(tmp_path: Path, request: pytest.FixtureRequest, how: int) -> None:
    if how == signal.SIGTERM and not request.config.getoption("--long"):
        pytest.skip("one of the two takes seconds enough: --long")
    process = subprocess.Popen(
        [sys.executable, "-m", "digitlab", "play", "shipped", "--no-browser"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    port, token = re.fullmatch(r"digitlab play: http://127\.0\.0\.1:(\d+)/#token=([\w-]{32})\n", line).groups()
    asked = {"kind": "images", "source": "digits", "layers": [{"type": "dense", "size": 20}], "epochs": 5000}
    with connect(
        f"ws://127.0.0.1:{port}/api/train", subprotocols=["digitlab", f"token.{token}"], max_size=None
    ) as page:
        page.send(json.dumps({"do": "start", "trainings": [asked]}))
        page.send('{"do": "play"}')
        while isinstance(message := page.recv(timeout=60), bytes) or not json.loads(message).get("rows"):
            pass
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
    assert process.returncode in ((0,) if how == signal.SIGINT else (0, -how, 128 + how))
    assert token not in out + err and "Traceback" not in err
    (folder,) = (tmp_path / "runs").iterdir()
    assert len(History.load(folder / "history.jsonl")) and load_network(folder / "network.safetensors")
