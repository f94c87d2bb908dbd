"""Completion on TAB: values, files and runs for bash, zsh, fish (by click) and PowerShell (here).

`teach` gives a command's parameters the types that know their values, by the parameters' names. It is called where a
shell asks for completions, so that a command's start costs nothing.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

from digitlab.cli.shared.options import Activations, Spec, family_named

POWERSHELL = r"""
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $line, $cursor)
    $before = $line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor }
    $env:COMP_WORDS = ($before | ForEach-Object { $_.Extent.Text }) -join "`n"
    $env:COMP_CWORD = $word
    $env:%(complete_var)s = "powershell_complete"
    try {
        %(prog_name)s | ForEach-Object {
            $kind, $value, $help = $_ -split "`t", 3
            if ($kind -eq "plain") {
                if (-not $help) { $help = $value }
                [System.Management.Automation.CompletionResult]::new($value, $value, "ParameterValue", $help)
            } else {
                Get-ChildItem -Path "$word*" -Directory:($kind -eq "dir") -ErrorAction SilentlyContinue |
                    Resolve-Path -Relative | ForEach-Object {
                        [System.Management.Automation.CompletionResult]::new($_, $_, "ProviderItem", $_)
                    }
            }
        }
    } finally {
        Remove-Item Env:COMP_WORDS, Env:COMP_CWORD, Env:%(complete_var)s
    }
}
"""


class PowerShellComplete(ShellComplete):
    """Completion for PowerShell 5 and 7: one line for each item, its kind, value and help between tabs."""

    name = "powershell"
    source_template = POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        return os.environ["COMP_WORDS"].split("\n")[1:], os.environ["COMP_CWORD"]

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type}\t{item.value}\t{item.help or ''}"


add_completion_class(PowerShellComplete)


class Known(click.ParamType[Any]):
    """A type as before that proposes names, and files where any file may be named."""

    def __init__(self, before: click.ParamType[Any], names: Callable[[], Iterable[str]], *, files: bool = True) -> None:
        self.before, self.names, self.files, self.name = before, names, files, before.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self.before.convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in dict.fromkeys(self.names()) if name.startswith(incomplete)]
        return found or ([CompletionItem(incomplete, type="file")] if self.files else [])


def run_names() -> list[str]:
    """The run folders in runs/, the newest first."""
    from digitlab.run_folders import finished_runs

    return [folder.as_posix() for folder in reversed(finished_runs(of_images=False))]


def net_names() -> list[str]:
    """Networks of the zoo."""
    from digitlab.nn.zoo import ZOO

    return list(ZOO)


def saved_names() -> list[str]:
    """What NET may name: runs, the shipped network, and networks of the zoo with new weights."""
    return [*run_names(), "shipped", *net_names()]


def data_names() -> list[str]:
    """Data sets that have a name."""
    from digitlab.data.formats.shared.families import FAMILIES

    return ["mnist", "digits", *FAMILIES]


def experiment_names() -> list[str]:
    """Experiments of the books."""
    from digitlab.books.catalogue import CATALOGUE

    return list(CATALOGUE)


def preset_names() -> list[str]:
    """Recipes of `digitlab train --preset`."""
    from digitlab.train.presets import PRESETS

    return list(PRESETS)


SAVED = ("net", "nets", "start", "net_and_digits", "net_and_images", "net_and_photos")
NAMES: dict[str, Callable[[], Iterable[str]]] = {
    **dict.fromkeys(SAVED, saved_names),
    **dict.fromkeys(("run", "runs", "folder"), run_names),
    "source": data_names,
    "names": experiment_names,
    "preset": preset_names,
}


def teach(command: click.Command) -> click.Command:
    """Give the parameters of a command, and of those inside a group, types that propose their values."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            teach(inner)
    for param in command.params:
        if isinstance(param.type, Spec | Activations):
            param.type = Known(param.type, _members(param.type.family), files=False)
        elif param.name == "net" and isinstance(param, click.Option):
            param.type = Known(param.type, net_names, files=False)
        elif param.name in NAMES and not isinstance(param.type, click.Choice | Known):
            param.type = Known(param.type, NAMES[param.name])
    return command


def _members(family: str) -> Callable[[], list[str]]:
    """The short names of a family of choices: "adam"."""

    def names() -> list[str]:
        from digitlab.nn.describe import names as short_names

        return short_names(family_named(family))

    return names
