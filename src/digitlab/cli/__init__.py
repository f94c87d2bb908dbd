"""The command line: `digitlab COMMAND`. Each file of this folder is a command, imported only when it is called.

A new command is a new file with a function `command`, decorated by `@click.command`: the first line of its docstring
is what `digitlab --help` says of it. What several commands use is in shared/.

Exit codes: 0 all went well; 1 an error that one line explains; 2 the command was called wrongly; 130 interrupted,
143 and 129 ended by SIGTERM and SIGHUP.
"""

import atexit
import gc
import importlib
import io
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from digitlab.errors import ShapeError
from digitlab.notices import DataWarning

FIRST = ("train", "test", "predict", "read", "look", "info")  # what help lists first; the others follow by name
FOLDER = os.path.dirname(__file__)  # noqa: PTH120, pathlib takes a tenth of the time of `digitlab --help`
FILES = {
    name.removesuffix(".py").replace("_", "-"): f"{FOLDER}/{name}"
    for name in sorted(os.listdir(FOLDER))  # noqa: PTH208
    if name.endswith(".py") and not name.startswith("_")
}
FORMER_OPTIONS = {  # former names, which still work, and the names today
    "least-confidence": "min-confidence",
    "most": "max-neurons",
    "budget": "max-evaluations",
    "low": "min-rate",
    "high": "max-rate",
    "every": "interval",
    "way": "method",
    "by": "variants",
}
COMPLETING = "_DIGITLAB_COMPLETE"  # set by a shell that asks for completions (shared/completion.py)
COMMANDS = (*FIRST, *(name for name in FILES if name not in FIRST))


def short_help(name: str) -> str:
    """The first sentence of a command's help, read from its file, since importing every command takes a second."""
    with open(FILES[name], encoding="utf-8") as file:  # noqa: PTH123
        text = file.read()
    found = re.search(r'\ndef command\(.*?"""(.+?)(?:"""|\n)', text, re.DOTALL)
    return found[1] if found is not None else ""


class LazyGroup(click.Group):
    """A group of the commands in this folder, which imports a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"digitlab.cli.{cmd_name.replace('-', '_')}").command
        if COMPLETING in os.environ:
            from digitlab.cli.shared.completion import teach

            return teach(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        # Not click's own: that imports every command for its help.
        found = [CompletionItem(name, help=short_help(name)) for name in COMMANDS if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ShapeError as error:
            from digitlab.cli.shared.sets import explained

            raise explained(error, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short_help(name)) for name in COMMANDS])


def present_name(name: str) -> str:
    """An option or command as help lists it: --learning_rate is --learning-rate; a former name is the present one."""
    name = name.replace("_", "-")
    return FORMER_OPTIONS.get(name, name)


@click.command(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": present_name,
        "max_content_width": 120,
    },
)
@click.version_option(package_name="digitlab", message="digitlab %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error (anywhere on the line).")
def digitlab(debug: bool) -> None:
    """A laboratory for neural networks that a person can read.

    Start with `digitlab train`; `digitlab COMMAND --help` describes each command.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever called
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character shows another
    handle_signals()
    atexit.register(gc.freeze)  # a last search for garbage, .1 s after plotting, helps no one
    if arguments is None:
        arguments = sys.argv[1:]
        if os.name == "nt":
            from digitlab.cli.shared.windows import matched

            arguments = matched(arguments)
    sys.exit(run(arguments))


_received: list[int] = []  # signals that ended the command


def handle_signals() -> None:
    """Let SIGTERM and SIGHUP act as Ctrl-C does: work is saved, workers end. One that is ignored stays so (nohup)."""

    def interrupt(number: int, frame: Any) -> None:
        _received.append(number)
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, interrupt)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error becomes one line on stderr."""
    debug = "--debug" in arguments
    if COMPLETING in os.environ:
        importlib.import_module("digitlab.cli.shared.completion")  # before click asks which shells there are
    try:
        with _warnings_as_lines():
            result = digitlab.main([a for a in arguments if a != "--debug"], "digitlab", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as error:  # called by its name alone: the help itself, with its lines
        error.show()
        return error.exit_code
    except click.ClickException as error:
        if debug:
            raise
        # One line, as for every other error; click would print the usage above it.
        from digitlab.cli.shared.usage import told

        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f" (see: {context.command_path} --help)" if context is not None else ""
        _complain(f"error: {told(error, arguments)}{hint}")
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted")
        return 128 + (_received[-1] if _received else signal.SIGINT)
    except BrokenPipeError:  # the reader of the pipe has ended, as `head` does
        sys.stderr.close()
        return 1
    except Exception as error:
        # Imported here: the errors of digitlab cost nothing until there is one.
        from concurrent.futures import BrokenExecutor

        from digitlab.errors import DigitlabError

        if isinstance(error, BrokenExecutor) and not debug:
            _complain(
                "error: a worker process died, killed or out of memory; finished work is saved, and the same "
                "command (train and search: with --resume) continues"
            )
            return 1
        if debug or not isinstance(error, DigitlabError | OSError | MemoryError):
            raise
        _complain(f"error: {_told(error)}")
        return 1


def _told(error: Exception) -> str:
    """What an error says; an error without words says what it is."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError):
        return f"out of memory{f' ({error})' if str(error) else ''}; use fewer images, smaller batches or fewer workers"
    return str(error) or type(error).__name__


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show what the data make digitlab warn of as one line on stderr, without the place in the code."""
    show, shown = warnings.showwarning, set[str]()

    def line(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, DataWarning):
            if str(message) not in shown:  # once, however many trainings read the same data
                shown.add(str(message))
                _complain(f"warning: {message}")
        else:
            show(message, category, *place, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = line
        yield


def _complain(message: str) -> None:
    from digitlab.cli.shared.console import tell

    tell(" ".join(message.split()))
