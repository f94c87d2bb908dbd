"""The options of all commands: what help says of them, and former names."""

import click
import pytest

from digitlab.cli import FORMER_OPTIONS, digitlab


def commands(command=digitlab, path=()):
    """Every command with its path: ("data", "make")."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, **digitlab.context_settings)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


def options():
    """Every option that help shows, as "data make --seed" and its help."""
    for path, command in commands():
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                yield " ".join([*path, option.opts[-1]]), option.help or ""


def test_former_names_of_options_are_not_in_use():
    known = {name.split("--")[-1] for name, _ in options()}
    assert not known & set(FORMER_OPTIONS)
    assert set(FORMER_OPTIONS.values()) <= known


@pytest.mark.parametrize(("former", "now"), FORMER_OPTIONS.items())
def test_a_former_name_of_an_option_works(former, now):
    found = [(path, command) for path, command in commands() if any(f"--{now}" in p.opts for p in command.params)]
    for path, command in found:
        context = click.Context(command, **digitlab.context_settings)
        option = next(p for p in command.params if f"--{now}" in p.opts)
        value = "3" if option.type.name != "choice" else option.type.choices[-1]
        read = command.make_parser(context).parse_args([f"--{former}", value])[0]
        assert read[option.name] == value, path


def test_a_command_takes_the_former_name(call):
    assert call("draw", "4-3-2", "--most", "2", "--out", "drawing.svg").code == 0


def is_full_phrase(text):
    """A capital letter, three words at least, and a full stop before the default: "Number of images. [default: 6]"."""
    phrase = text.split(" [")[0].strip()
    bare = phrase.startswith(("Of ", "How ", "As ", "That ", "Which ", "What ", "Where ", "When "))
    return phrase[:1].isupper() and phrase.endswith(".") and len(phrase.split()) >= 3 and not bare


def test_help_texts_are_full_phrases():
    assert [(option, text) for option, text in options() if not is_full_phrase(text)] == []
