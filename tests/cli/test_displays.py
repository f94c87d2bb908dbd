"""Tables and progress displays: what a pipe and what a terminal gets."""

import io

from digitlab.cli.shared.console import table
from digitlab.cli.shared.progress import Bar, counted


def test_a_table_in_a_pipe():
    text = table(["run", "best (%)"], [["a", "95.20"], ["[b]" * 40, "–"]])
    lines = text.splitlines()
    assert lines[0].split() == ["run", "best", "(%)"] and set(lines[1]) == {"─"}
    assert lines[2].endswith("95.20") and lines[3].startswith("[b][b]") and "\x1b" not in text
    assert len(lines) == 4, "nothing is folded"


def test_a_bar_in_a_pipe_is_its_lines_alone(capsys):
    with Bar("work", 3, "steps") as bar:
        bar.advance()
        bar.line("one [bold] line", "green")
    with counted("more work", None) as advance:
        advance(10)
    assert capsys.readouterr().out == "one [bold] line\n"


def test_a_terminal_gets_a_bar_within_80_columns(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    with Bar("120/150 networks", 4500, "epochs") as bar:
        bar.update(completed=1500, now="trial 123 seed 4: epoch 10/30")
        bar.line("done")
    lines = [line for line in screen.getvalue().replace("\r", "\n").split("\n") if "━" in line]
    assert lines and "done" in screen.getvalue()
