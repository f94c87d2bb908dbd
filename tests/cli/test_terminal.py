"""The command as a process: what a terminal sees, what a pipe sees, and what Ctrl-C leaves behind."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from digitlab.nn import load_network

COMMAND = [sys.executable, "-c", "from digitlab.cli import main; main()"]
SHORT = ["train", "--data", "digits", "--engine", "reference", "--train-size", "300", "--run", "r"]
LONG = [*SHORT, "--epochs", "80", "--batch-size", "1"]  # seconds: time enough to be interrupted in


@pytest.mark.slow
def test_a_pipe_gets_plain_lines_at_once(empty_machine):
    process = subprocess.Popen([*COMMAND, *SHORT, "--epochs", "3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == b""
    for sign in (b"\x1b", b"\r", b"\x08"):
        assert sign not in out
    lines = out.decode().splitlines()
    assert sum(line.startswith("epoch") for line in lines) == 3


def test_an_error_is_one_line_without_a_traceback(empty_machine):
    done = subprocess.run([*COMMAND, "info", "nope"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"error: nope: no such file.*\n", done.stderr)


def test_a_reader_who_has_gone_is_no_error(empty_machine):
    script = f"{' '.join(map(repr, COMMAND))} --help | head -1"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Usage:")
    assert "Traceback" not in done.stderr


def in_a_terminal(arguments, timeout=60):
    """Everything a terminal of 100 columns would show for a command, and its exit code."""
    pty = pytest.importorskip("pty")
    main, side = pty.openpty()
    env = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen([*COMMAND, *arguments], stdin=side, stdout=side, stderr=side, env=env)
    os.close(side)
    shown, end = b"", time.monotonic() + timeout
    while time.monotonic() < end:
        if select.select([main], [], [], 0.2)[0]:
            try:
                piece = os.read(main, 65536)
            except OSError:  # the other side is closed: the command has ended
                break
            if not piece:
                break
            shown += piece
    os.close(main)
    return process.wait(timeout=10), shown.decode()


@pytest.mark.slow
def test_a_terminal_gets_a_progress_bar(empty_machine):
    code, shown = in_a_terminal([*SHORT, "--epochs", "2", "--batch-size", "1"])
    assert code == 0, shown
    assert "━" in shown, "the bar"
    assert "\x1b[" in shown, "colours and cursor movements"
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)
    for epoch in (1, 2):
        assert re.search(rf"epoch {epoch}/2  loss \d", plain)
    assert "saved: r/network.safetensors" in plain
    assert "Traceback" not in plain


@pytest.mark.slow
def test_ctrl_c_ends_cleanly_and_the_run_goes_on_to_the_same_end(empty_machine):
    straight = subprocess.run([*COMMAND, *LONG], capture_output=True, timeout=60)
    assert straight.returncode == 0
    whole = Path("r").rename("straight")

    process = subprocess.Popen([*COMMAND, *LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("epoch  2/80"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.strip() == "interrupted"
    assert "stopped: interrupted in epoch" in out
    assert "continue with: digitlab train --run r --resume" in out
    assert load_network("r/network.safetensors").shapes == [(64,), (30,), (30,), (10,)]
    assert 2 <= len(Path("r/history.jsonl").read_text().splitlines()) < 80

    resumed = subprocess.run([*COMMAND, "train", "--run", "r", "--resume"], capture_output=True, text=True, timeout=60)
    assert resumed.returncode == 0, resumed.stderr
    assert Path("r/network.safetensors").read_bytes() == (whole / "network.safetensors").read_bytes()


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_run_that_goes_on(empty_machine):
    subprocess.run([*COMMAND, *LONG], capture_output=True, timeout=60, check=True)
    whole = Path("r").rename("straight")
    process = subprocess.Popen([*COMMAND, *LONG], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("epoch  3/80"):
            process.kill()
            break
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    resumed = subprocess.run([*COMMAND, "train", "--run", "r", "--resume"], capture_output=True, text=True, timeout=60)
    assert resumed.returncode == 0, resumed.stderr
    assert Path("r/network.safetensors").read_bytes() == (whole / "network.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_output_that_cannot_show_every_character(empty_machine, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*COMMAND, *SHORT, "--epochs", "1"], capture_output=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert b"?" in done.stdout and b"saved: r/network.safetensors" in done.stdout
