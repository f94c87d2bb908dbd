"""`digitlab completion SHELL`: the lines that make TAB complete digitlab's commands, options, values and runs."""

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
def command(shell: str) -> None:
    """Print the lines that a shell's configuration needs for completion on TAB.

    \b
    bash        digitlab completion bash >> ~/.bashrc
    zsh         digitlab completion zsh >> ~/.zshrc
    fish        digitlab completion fish > ~/.config/fish/completions/digitlab.fish
    PowerShell  digitlab completion powershell >> $PROFILE

    Then start a new shell.
    """
    from click.shell_completion import get_completion_class

    from digitlab.cli import COMPLETING, digitlab
    from digitlab.cli.shared import completion  # noqa: F401  which adds PowerShell

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(digitlab, {}, "digitlab", COMPLETING).source())
