"""What every command prints: lines and tables, as wide as the terminal.

A terminal would break long lines in the middle of a word. Here, lines break between words, a command that a message
shows has its own lines, and a table that does not fit becomes a list. A pipe gets whole lines.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

LINE = 80  # columns that help texts and recordings assume
GAP = 1  # spaces between two columns of a table
TOGETHER = re.compile(r" %|\(see: digitlab [^()]*\)$")  # a number and its unit; where help is to be found
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def say(text: str) -> None:
    """A line of ordinary output, flushed at once so that a pipe sees it when it happens."""
    print(fitted(visible(text), columns(sys.stdout)), flush=True)


def tell(text: str) -> None:
    """A line on standard error: a note or an error, which is no part of the output."""
    print(fitted(visible(text), columns(sys.stderr)), file=sys.stderr, flush=True)


def visible(text: str) -> str:
    r"""The text with control characters as "\x1b": those in a file's names, labels or texts would act on the terminal.

    Marks that turn the direction of writing are shown as well, since they can make a path look like another.
    """
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def visible_json(text: str) -> str:
    r"""JSON with the same characters as "\u009b", as JSON writes them."""
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def columns(stream: Any) -> int | None:
    """The width of a terminal, or COLUMNS where that is set; None for a pipe."""
    if stream.isatty():
        import shutil

        return shutil.get_terminal_size((LINE, 24)).columns
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else None


def fitted(text: str, width: int | None) -> str:
    """The text with each line broken at spaces where it is wider than `width`."""
    if width is None:
        return text
    return "\n".join(piece for line in text.split("\n") for piece in _pieces(line, width))


def _pieces(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    before, start, command = _command_in(line)
    if start:
        return [*_pieces(before, width), *_command_lines(command, width)]
    import textwrap

    # The rest of "name    text" continues under the text.
    name = re.match(r" *\S+(?: \S+)* {2,}(?=\S)", line)
    indent = len(name[0]) if name and len(name[0]) <= width // 2 else len(line) - len(line.lstrip()) + 2
    bound = TOGETHER.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), line)
    pieces = textwrap.wrap(bound, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return [piece.replace("\N{NO-BREAK SPACE}", " ") for piece in pieces]


def _command_in(line: str) -> tuple[str, str, str]:
    """A line before the command that it ends with, and the command: "continue with:" and "digitlab train …"."""
    if line.endswith(")"):
        return line, "", ""
    before, start, command = line.rpartition(": digitlab ")
    return (f"{before}:", start, f"digitlab {command}") if start else (line, "", "")


def _command_lines(command: str, width: int) -> list[str]:
    """A command on lines of its own; in a POSIX shell, a backslash continues it on the next line."""
    lines = ["  "]
    for word in re.findall(r"(?:[^\s']|'[^']*')+", command):
        longer = f"{lines[-1]} {word}" if lines[-1].strip() else f"{lines[-1]}{word}"
        if os.name == "nt" or len(longer) + 2 <= width or not lines[-1].strip():
            lines[-1] = longer
        else:
            lines[-1] += " \\"
            lines.append(f"    {word}")
    return lines


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Rows of text under headings; the first `left` columns are flush left, the others flush right.

    On a terminal, texts flush left and headings are folded between words until the table fits, and where no folding
    helps each row becomes a list of its cells. No word or number is cut.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = columns(sys.stdout)
    widths = _column_widths(headings, rows, left, width)
    if widths is None:
        return _records(headings, rows, width)
    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP, 0, 0))
    for i, (heading, room) in enumerate(zip(headings, widths)):
        shown.add_column(Text(heading), justify="left" if i < left else "right", width=room)
    for row in rows:
        shown.add_row(*map(Text, row))
    console = Console(width=sum(widths) + 2 * GAP * len(widths), color_system=None)
    with console.capture() as capture:
        console.print(shown)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _column_widths(
    headings: Sequence[str], rows: Sequence[Sequence[str]], left: int, width: int | None
) -> list[int] | None:
    """The width of each column, folded as little as it takes; None where the table does not fit."""
    cells = [[row[i] for row in rows] for i in range(len(headings))]
    whole = [max(map(len, (heading, *column))) for heading, column in zip(headings, cells)]
    if width is None:
        return whole
    least = [
        max(_longest_word(heading), *(_longest_word(cell) if i < left else len(cell) for cell in column), 1)
        for i, (heading, column) in enumerate(zip(headings, cells))
    ]
    room = width - 2 * GAP * (len(headings) - 1)  # the box adds a column between two
    if sum(least) > room:
        return None
    while sum(whole) > room:
        _, widest = max((whole[i], i) for i in range(len(whole)) if whole[i] > least[i])
        whole[widest] -= 1
    return whole


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _records(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """A paragraph for each row, a line for each of its cells that is not empty."""
    room = max(map(len, headings)) + 2
    blocks = [[f"{heading:<{room}}{cell}" for heading, cell in zip(headings, row) if cell] for row in rows]
    return "\n\n".join(fitted("\n".join(block), width) for block in blocks)
