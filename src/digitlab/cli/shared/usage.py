"""Messages about a command that was called wrongly, where click's own say too little.

An unknown option or command leads to the one that is meant; a number that does not fit is shown with what does.
"""

import re
from collections.abc import Sequence
from typing import Any

import click


def told(error: click.ClickException, arguments: Sequence[str]) -> str:
    """What to say of an error of click's."""
    return _unknown_name(error, arguments) or _unfit_number(error) or _unknown_word(error) or error.format_message()


def _unknown_name(error: click.ClickException, arguments: Sequence[str]) -> str | None:
    """What to say of an unknown option or command; None for an error of another kind."""
    from digitlab.errors import did_you_mean, nearest_name, not_among

    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return None
    if isinstance(error, click.NoSuchOption):
        name = _as_typed(error.option_name, arguments)
        known = option_names(context.command)
        nearest = nearest_name(name, known)
        return f"No such option {name!r}" + (f"; did you mean {nearest}?" if nearest else did_you_mean(name, ()))
    if isinstance(error, click.NoSuchCommand) and isinstance(context.command, click.Group):
        return f"No such command {not_among(error.command_name, context.command.list_commands(context))}"
    return None


def _unfit_number(error: click.ClickException) -> str | None:
    """What to say of a number of the wrong kind or out of bounds; None for an error of another kind."""
    from digitlab.settings.schema import Setting

    number = getattr(getattr(error, "param", None), "type", None)
    got = re.match(r"(.+) is not (?:a valid|in the range) ", getattr(error, "message", ""))
    if not isinstance(number, click.types.IntParamType | click.types.FloatParamType) or got is None:
        return None
    low, high = getattr(number, "min", None), getattr(number, "max", None)
    above, below = getattr(number, "min_open", False), getattr(number, "max_open", False)
    bounds: dict[str, Any] = {"gt" if above else "ge": low, "lt" if below else "le": high}
    kind = int if isinstance(number, click.types.IntParamType) else float
    option = error.param.get_error_hint(error.ctx)  # type: ignore[attr-defined]
    return f"Invalid value for {option}: got {got[1]}, expected {Setting(help='', type=kind, **bounds).wanted}"


def _unknown_word(error: click.ClickException) -> str | None:
    """What to say of a word in place of an argument that is one of a few; click's own message lists these twice."""
    from digitlab.errors import not_among

    argument, got = getattr(error, "param", None), re.match(r"'(.*)' is not one of ", getattr(error, "message", ""))
    if not isinstance(argument, click.Argument) or not isinstance(argument.type, click.Choice) or got is None:
        return None
    return f"got {not_among(got[1], argument.type.choices)}"


def option_names(command: click.Command) -> list[str]:
    """The long names of a command's options."""
    names = [name for option in command.params for name in (*option.opts, *option.secondary_opts)]
    return [name for name in names if name.startswith("--")]


def _as_typed(name: str, arguments: Sequence[str]) -> str:
    """The whole word that was typed: of `-lr`, click names `-l` alone."""
    if name.startswith("--"):
        return name
    words = [word for word in arguments if word.startswith(name) and not word.startswith("--")]
    return words[0] if words else name
