"""What every command prints: lines and tables."""

import sys


def say(text: str) -> None:
    """A line of ordinary output, flushed at once so that a pipe sees it when it happens."""
    print(text, flush=True)


def table(headings: list[str], rows: list[list[str]], *, left: int = 1) -> str:
    """Rows of text under headings; the first `left` columns are flush left, the others flush right.

    A terminal folds what does not fit; a pipe gets whole lines.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for i, heading in enumerate(headings):
        shown.add_column(Text(heading), justify="left" if i < left else "right")
    for row in rows:
        shown.add_row(*map(Text, row))
    console = Console(width=None if sys.stdout.isatty() else 10_000, color_system=None)
    with console.capture() as capture:
        console.print(shown)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
