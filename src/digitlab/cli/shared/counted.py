"""Progress of long work that is not training: a bar with time on a terminal, nothing in a pipe (lines tell there)."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counted(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """`with counted("writing images", 250_000) as advance: ... advance(10_000)`.

    With total None how long it takes is not known, and the bar shows that there is work and for how long.
    """
    if not sys.stdout.isatty():
        yield lambda done: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    left = [TimeRemainingColumn()] if total else []
    columns = [TextColumn("{task.description}"), BarColumn(bar_width=40), TimeElapsedColumn(), *left]
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)
