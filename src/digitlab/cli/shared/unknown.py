"""Messages about an option or a command that does not exist: they lead to the one that is meant."""

from collections.abc import Sequence

import click


def unknown_name(error: click.ClickException, arguments: Sequence[str]) -> str | None:
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
