"""What commands print fits a terminal of 80×24: no line is wider, and no word or number is cut."""

import itertools
import os
import subprocess
import sys

import pytest

from digitlab.cli.shared.console import fitted, table

SMALL = ("--data", "digits", "--train-size", "100", "--epochs", "2")
COMMANDS = [  # in this order: a run of the first is what others look at
    ["train", *SMALL],
    ["train", *SMALL, "--grid", "learning-rate=0.1,0.3,3", "--grid", "batch-size=10,20", "--workers", "1"],
    ["compare", "runs/001-64-30-10", "runs/002-64-30-10-learning-rate-batch-size-x6"],
    ["compare", "--optimizers", "sgd,momentum:momentum=0.8,adam", "--seeds", "2", *SMALL],
    ["--help"],
    ["train", "--help"],
    ["nets"],
    ["info"],
    ["test"],
    ["data", "list"],
    ["data", "show"],
    ["reproduce", "list"],
    ["failures"],
    ["look"],
    ["explain"],
    ["lr-find", "--data", "digits"],
    ["search", "--trials", "3", "--space", "learning-rate=0.1..1", *SMALL],
    ["gradients", "--data", "digits"],
    ["watch", "runs/001-64-30-10"],
    ["train", "--preset", "sprint"],
    ["train", "--learning", "0.1"],
    ["predict", "nowhere.png"],
]


def too_wide(text):
    """Lines of several words that are wider than 80; a path is a word."""
    return [line for line in text.splitlines() if len(line) > 80 and len(line.split()) > 1]


@pytest.mark.slow
def test_every_command_fits_80_columns(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in COMMANDS:
        done = call(*arguments)
        assert "Traceback" not in done.err
        assert (arguments, too_wide(done.out + done.err)) == (arguments, [])


def test_a_long_line_breaks_between_words_and_continues_under_its_text():
    assert fitted("name  one two three", 12) == "name  one\n      two\n      three"
    assert fitted("one two", None) == "one two"
    assert fitted("a path/that/is/long b", 8) == "a\n  path/that/is/long\n  b", "a path is not cut"


def test_where_help_is_to_be_found_stays_on_one_line():
    line = "error: No such option '--lambda'; did you mean --l2? (see: digitlab train --help)"
    for width in (60, 70, 80):
        assert fitted(line, width).splitlines()[-1].endswith("(see: digitlab train --help)")


def test_a_command_that_a_message_shows_can_be_copied():
    line = "continue with: digitlab train --run 'my runs/one' --resume --epochs 60"
    words = fitted(line, 40)
    assert words == "continue with:\n  digitlab train --run 'my runs/one' \\\n    --resume --epochs 60"


def test_a_table_folds_texts_and_keeps_numbers(monkeypatch):
    row = ["a long text of many words", "12345.678"]
    whole = table(["what it is", "number"], [row])
    monkeypatch.setenv("COLUMNS", "24")
    folded = table(["what it is", "number"], [row])
    assert max(map(len, whole.splitlines())) > 24 >= max(map(len, folded.splitlines()))
    assert "12345.678" in folded and "…" not in folded
    assert folded.split()[:4] == ["what", "it", "is", "number"]


def test_a_table_that_cannot_fit_becomes_a_list(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    assert table(["name", "value", "more"], [["a", "1234567890", "1234567890"], ["b", "2", ""]]) == (
        "name   a\nvalue  1234567890\nmore   1234567890\n\nname   b\nvalue  2"
    )


TYPED = [
    "digitlab data show",
    "digitlab train --data digits --epochs 3",
    "digitlab train --data digits --epochs 3 --optimizer adam",
    "digitlab test",
    "digitlab compare runs/001-64-30-10 runs/002-64-30-10",
    "digitlab failures",
    "digitlab nets",
    "digitlab reproduce list --book rashid",
    "digitlab info",
    "digitlab train --lr 0.1",
]


@pytest.mark.slow
@pytest.mark.pages
def test_ten_commands_in_a_terminal_of_80_by_24(empty_machine):
    pty = pytest.importorskip("pty")
    pyte = pytest.importorskip("pyte")
    import fcntl
    import struct
    import termios

    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    for typed in TYPED:
        screen = pyte.HistoryScreen(80, 24, history=10_000)
        stream = pyte.ByteStream(screen)
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", *typed.split()],
            stdin=side,
            stdout=side,
            stderr=side,
            env={**environment, "TERM": "xterm-256color"},
        )
        os.close(side)
        shown = b""
        while True:
            try:
                piece = os.read(main, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        os.close(main)
        process.wait(timeout=60)
        stream.feed(shown)
        # A line that the terminal itself had to break fills its row to the last column, and the row below goes on.
        rows = ["".join(row[x].data for x in range(80)) for row in screen.history.top] + list(screen.display)
        broken = [
            (upper, lower)
            for upper, lower in itertools.pairwise(rows)
            if upper[-1] not in " ─│┐╮━" and lower[:1] not in " "
        ]
        assert (typed, broken) == (typed, [])
        assert b"Traceback" not in shown


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\rb\x07", r"a\rb\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("gnp.\u202eexe", r"gnp.\u202eexe"),
        ("ä → 🙂\n\tπ", "ä → 🙂\n\tπ"),
    ],
)
def test_control_characters_are_shown(text, shown, capsys):
    from digitlab.cli.shared.console import say, tell

    say(text)
    tell(text)
    assert capsys.readouterr() == (f"{shown}\n", f"{shown}\n")


def test_a_number_keeps_its_unit():
    line = "of the images of the test set, the network misreads 449 (4.49 %)"
    assert fitted(line, 62) == "of the images of the test set, the network misreads 449\n  (4.49 %)"
