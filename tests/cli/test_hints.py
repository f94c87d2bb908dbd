"""Commands and calls that messages, helps and docstrings show exist, and lead where they say.

The first tests read every string of the package; the others do what a message asks for.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pytest

import digitlab
from digitlab.cli import COMMANDS, present_name
from digitlab.cli import digitlab as root
from digitlab.data import write_idx
from digitlab.data.photos import mnist_form
from digitlab.data.synthetic import APPEARANCES
from digitlab.data.synthetic.strokes import draw_digit

SOURCES = sorted(Path(digitlab.__file__).parent.rglob("*.py"))
PLACEHOLDER = "X"  # stands in an f-string for what is put in
NOT_OURS = ("--config-settings", "--no-cache-dir", "--no-index", "--find-links", "--quiet", "--wheel-dir")  # of pip


class Text(NamedTuple):
    """A string of the package, and where it stands."""

    where: str
    text: str


def texts() -> Iterator[Text]:
    """Every string of the package, those with placeholders filled."""
    for path in SOURCES:
        for node in strings(ast.parse(path.read_text(encoding="utf-8"))):
            yield Text(f"{path.name}:{node.lineno}", as_text(node))


def strings(tree: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node
        if isinstance(node, ast.JoinedStr):  # strings inside its placeholders
            for value in node.values:
                if isinstance(value, ast.FormattedValue):
                    yield from strings(value.value)
        else:
            yield from strings(node)


def as_text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(v.value if isinstance(v, ast.Constant) else PLACEHOLDER for v in node.values)


def commands_in(text: str) -> list[str]:
    """What follows "digitlab " where it is meant as a command: in backticks, after a colon, or with options."""
    quoted = re.findall(r"`digitlab ([^`]*)`", text)
    rest = re.sub(r"`[^`]*`", "", text)
    plain = re.findall(r"\bdigitlab ([a-z][a-z-]*(?: (?![–—(])[^\s;]+)*)", rest)
    meant = [words for words in plain if words.split()[0] in COMMANDS or " --" in words]
    return [words.strip() for words in quoted + meant]


def problems(words: str) -> list[str]:
    """What is wrong with a command line as a message shows it; [] if nothing is."""
    parts = words.replace("…", " ").replace("...", " ").split()
    if not parts or parts[0].isupper() or parts[0].startswith("--"):
        return []
    command, path = root, []
    if parts[0] == "lesson" and len(parts) > 1 and (parts[1].isdecimal() or parts[1] == PLACEHOLDER):
        parts.insert(1, "show")  # `digitlab lesson 5`
    while parts and isinstance(command, click.Group):
        names = [present_name(name) for name in parts[0].split("|")]
        context = click.Context(command)
        found = [command.get_command(context, name) for name in names]
        if None in found:
            return [f"no command {' '.join([*path, parts[0]])!r}"]
        path, parts = [*path, parts[0]], parts[1:]
        command = found[0]
        if len(found) > 1:
            return []
    return [*unknown_options(command, parts), *unknown_values(command, parts)]


def options_of(command: click.Command) -> dict[str, click.Option]:
    own = {name: p for p in command.params if isinstance(p, click.Option) for name in (*p.opts, *p.secondary_opts)}
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            own |= options_of(command.get_command(click.Context(command), name))
    return own


def option_names(parts: list[str]) -> list[str]:
    return [m[0] for part in parts if (m := re.match(r"--?[a-z][a-z-]*(?![\w=-])", part))]


def unknown_options(command: click.Command, parts: list[str]) -> list[str]:
    known = {*options_of(command), "--help", "-h", "--debug"}
    return [f"{command.name} has no option {name}" for name in option_names(parts) if name not in known]


def unknown_values(command: click.Command, parts: list[str]) -> list[str]:
    """Values written out after an option (`--net sprint`) that its type refuses."""
    wrong = []
    for name, value in pairwise(parts):
        option = options_of(command).get(name)
        literal = re.fullmatch(r"[a-z0-9][a-z0-9.:,=/-]*", value)
        if option is None or option.is_flag or not literal or isinstance(option.type, click.Path):
            continue
        try:
            option.type.convert(value, option, click.Context(command))
        except click.ClickException as error:
            wrong.append(f"{name} {value}: {error.format_message()}")
    return wrong


def test_the_scan_sees_what_is_wrong():
    assert commands_in("continue with: digitlab train --run X --resume") == ["train --run X --resume"]
    assert commands_in("`digitlab learn` and digitlab writes it") == ["learn"]
    assert problems("learn --data X") == ["no command 'learn'"]
    assert problems("data paint colours") == ["no command 'data paint'"]
    assert problems("train --nett sprint") == ["train has no option --nett"]
    assert problems("data make hands -q") == ["make has no option -q"]
    assert "--optimizer addam" in problems("train --optimizer addam")[0]
    assert problems("train --net sprint --optimizer adam --run X") == []


@pytest.mark.slow
def test_every_command_that_a_text_shows_exists_with_its_options():
    found = [(text.where, words) for text in texts() for words in commands_in(text.text)]
    assert len(found) > 60  # the scan reads what it should
    assert [(where, words, wrong) for where, words in found if (wrong := problems(words))] == []


def test_every_option_that_a_text_names_is_one_of_some_command():
    known = {*options_of(root), "--help", "--version", "--debug", *NOT_OURS}
    named = [
        (text.where, name)
        for text in texts()
        if "var(--" not in text.text  # a style sheet
        for name in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z](?![a-z_-])", text.text)
    ]
    assert len(named) > 150
    assert [(where, name) for where, name in named if name not in known] == []


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory):
    """Digits drawn by a pen, 1,200 to train and validate and 200 to test, as IDX files."""
    folder = tmp_path_factory.mktemp("drawn")
    for part, count, seed in (("train", 1_200, 1), ("t10k", 200, 2)):
        rng = np.random.default_rng(seed)
        labels = rng.integers(10, size=count).astype(np.uint8)
        images = [mnist_form(draw_digit(int(digit), 60, rng).astype(np.float32) / 255) for digit in labels]
        write_idx(folder / f"{part}-images-idx3-ubyte", np.stack(images))
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels)
    return folder


def hint_in(output: str) -> list[str]:
    """The arguments of the command that follows "with: digitlab", files that it names by a pattern written out."""
    words = shlex.split(output.rpartition("with: digitlab ")[2].splitlines()[0])
    return [file for word in words for file in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]


@pytest.mark.slow
@pytest.mark.parametrize("kind", APPEARANCES)
def test_the_training_that_data_make_recommends_reaches_twice_chance(kind, call, drawn_folder):
    made = call("data", "make", kind, "--data", drawn_folder, "-n", "1000", "--out", f"my sets/{kind}.npz")
    assert made.code == 0, made.err
    words = hint_in(made.out)
    assert words == ["train", "--data", f"my sets/{kind}.npz", *APPEARANCES[kind].training.split()]
    called = call(*words, "--epochs", "3")
    assert called.code == 0, called.err
    accuracy = float(re.search(r"test set, .*: ([\d.]+) % correct", called.out)[1])
    assert accuracy > 20, called.out  # chance is 10 %


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scenes", "pages"])
def test_the_reading_that_data_make_recommends_finds_the_digits(kind, call, drawn_folder):
    style = ["--style", "clean"] if kind == "pages" else []
    made = call("data", "make", kind, "--data", drawn_folder, "-n", "1", *style, "--out", f"my {kind}")
    assert made.code == 0, made.err
    called = call(*hint_in(made.out))
    assert called.code == 0, called.err
    found, right = re.search(r"digits found \(([\d.]+) %\), .* of those right \(([\d.]+) %\)", called.out).groups()
    assert float(found) > 80 and float(right) > 80


@pytest.mark.slow
def test_the_training_that_expand_recommends_suits_the_images(call, drawn_folder):
    for kind, net in (("colour-plain", ["--net", "colour-conv"]), ("handwriting", [])):
        call("data", "make", kind, "--data", drawn_folder, "-n", "20")
        made = call("expand", "--data", f"{kind}.npz", "--out", f"more {kind}.npz")
        assert made.code == 0, made.err
        assert hint_in(made.out) == ["train", "--data", f"more {kind}.npz", *net]


@pytest.mark.slow
def test_a_training_on_colours_that_learned_nothing_leads_to_the_network_that_does(call, drawn_folder):
    call("data", "make", "colour-texture", "--data", drawn_folder, "-n", "1000")
    called = call("train", "--data", "colour-texture.npz", "--epochs", "2")
    assert "likely cause: dense layers alone learn little from images in colour" in called.out
    assert "next: digitlab doctor runs/001-2352-30-10 --fix\n" in called.out
    fixed = call("doctor", "runs/001-2352-30-10", "--fix")
    assert fixed.code == 0 and "colour-conv" in fixed.out
