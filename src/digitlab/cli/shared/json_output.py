"""`--json`: the result of a command as JSON on standard output, and all else on standard error.

A command is decorated with `@json_option` and hands its figures to `report(accuracy=0.97)`; without --json, `report`
does nothing. docs/other-programs.md lists what each command reports.
"""

import functools
import json
import math
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.console import visible_json

if TYPE_CHECKING:
    from digitlab.train import History, RunConfig

_result: ContextVar[dict[str, Any] | None] = ContextVar("result", default=None)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --json to a command."""

    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and all else to standard error.")
    @functools.wraps(function)
    def command(*args: Any, as_json: bool, **kwargs: Any) -> None:
        if not as_json:
            function(*args, **kwargs)
            return
        result: dict[str, Any] = {}
        token = _result.set(result)
        try:
            with redirect_stdout(sys.stderr):
                function(*args, **kwargs)
        finally:
            _result.reset(token)
        print(visible_json(json.dumps(result, ensure_ascii=False, allow_nan=False)), flush=True)

    return command


def report(**facts: Any) -> None:
    """Add facts to the result: numbers, text, paths, arrays, tables and lists of them."""
    if (result := _result.get()) is not None:
        result |= {name: plain(value) for name, value in facts.items()}


def plain(value: Any) -> Any:
    """A value as JSON holds it: arrays as lists, paths as text; null for a number that is not finite."""
    if hasattr(value, "tolist"):  # arrays and numbers of NumPy
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def run_facts(name: str, config: "RunConfig", history: "History") -> dict[str, Any]:
    """A run in a result: its settings and, over its epochs, the statistics of the monitored column."""
    facts: dict[str, Any] = {"run": name, "settings": config.table(), "epochs": len(history)}
    if len(history):
        monitor = history.monitored(config.monitor)
        s = history.statistics(monitor)
        facts |= {"monitor": monitor, "best": s.best, "best_epoch": s.best_epoch, "mean": s.mean, "sd": s.sd}
        facts |= {"last": history[-1], "seconds": sum(history.column("seconds"))}
    return facts
