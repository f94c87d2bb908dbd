"""Build the site of docs/ with Zensical into the package, where `digitlab docs` finds it.

    pip install -e '.[docs]'
    python docs/build.py            # any warning ends the build with an error

Zensical renders the pages as they are. Before it runs, this program writes what the code knows best, into files that
git ignores: docs/reference/ (commands, settings, the Python interface), docs/.terms.md (the glossary's terms, which the
site explains where the pointer rests on one) and docs/gallery.html (the networks of examples/gallery/ on one page).
`--pages` writes these alone.
"""

import argparse
import dataclasses
import importlib
import inspect
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import digitlab
from digitlab.cli import COMMANDS
from digitlab.cli import digitlab as program
from digitlab.nn import load_network
from digitlab.nn.describe import FAMILIES, choices, required
from digitlab.web.bundle import html_page

DOCS = Path(__file__).parent
SITE = DOCS.parent / "src" / "digitlab" / "site"
PAGES = ("index.md", "commands.md", "settings.md", "python.md")  # of docs/reference/
GALLERY = DOCS.parent / "examples" / "gallery"
GENERATED = "<!-- written by docs/build.py -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", action="store_true", help="Write the generated pages only.")
    write_pages(DOCS)
    if not parser.parse_args().pages:
        shutil.rmtree(SITE, ignore_errors=True)
        command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
        sys.exit(subprocess.run(command, cwd=DOCS.parent).returncode)


def write_pages(docs: Path) -> None:
    """Write reference/, .terms.md and gallery.html into the folder `docs`."""
    folder = docs / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in zip(PAGES, (index(), commands(), settings(), interface())):
        (folder / name).write_text(f"{GENERATED}\n\n{text.rstrip()}\n", encoding="utf-8")
    (docs / ".terms.md").write_text(terms((DOCS / "glossary.md").read_text(encoding="utf-8")), encoding="utf-8")
    (docs / "gallery.html").write_text(gallery(), encoding="utf-8")


def terms(glossary: str) -> str:
    """The first table of the glossary as abbreviations: `*[epoch]: one pass through the training set`."""
    table = glossary.partition("## Terms of the field\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line][2:]
    return "".join(f"*[{name}]: {meaning}\n" for names, meaning in rows for name in names.split(", "))


def gallery() -> str:
    """The page with three networks side by side that `python examples/gallery.py` trained."""
    networks = {file.stem.replace("-", " "): load_network(file) for file in sorted(GALLERY.glob("*.safetensors"))}
    return html_page(networks, title="Three networks side by side · digitlab")


def index() -> str:
    """The page that lists the others."""
    return """# Reference

These pages are written from the code of this version.

| page | content |
|---|---|
| [Commands](commands.md) | every command with its arguments and options |
| [Settings](settings.md) | every layer, loss, optimizer, schedule, regularizer, initializer and its settings |
| [Python](python.md) | the public classes and functions |
| [Environment variables](../environment.md) | folders, threads, engine |
| [Architecture](../architecture.md) | the packages, and the contract of a layer |
"""


def commands() -> str:
    """A section for every command and subcommand, from the commands themselves."""
    parts = ["# Commands", "`digitlab COMMAND --help` shows the same in the terminal."]
    context = click.Context(program, info_name="digitlab")
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        parts += list(command_section(command, name, context, 2))
    return "\n\n".join(parts)


def command_section(command: click.Command, name: str, parent: click.Context, level: int) -> Iterator[str]:
    """The heading, usage, help and options of a command; then those of its subcommands."""
    context = click.Context(command, info_name=name, parent=parent)
    yield f"{'#' * level} {context.command_path}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```"
    yield escaped(re.sub(r"\s*\x08\s*", "\n\n", inspect.cleandoc(command.help or "")))
    records = [record for p in command.get_params(context) if (record := p.get_help_record(context)) is not None]
    rows = [[f"`{flags}`", meaning] for flags, meaning in records if "--help" not in flags]
    if rows:
        yield table(["option", "meaning"], rows)
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            child = command.get_command(context, sub)
            assert child is not None
            yield from command_section(child, sub, context, level + 1)


def settings() -> str:
    """A section for every family of choices: the name to type, the class, its settings and what it is."""
    importlib.import_module("digitlab.train")  # which knows all families
    parts = ["# Settings"]
    parts.append(
        "The first column is the name on the command line and in settings files; settings follow a colon, as in "
        "`--optimizer momentum:momentum=0.8`. In Python, write the class: `Momentum(0.1, momentum=0.8)`. A setting "
        "without a value has no default."
    )
    for family, base in sorted(FAMILIES.items()):
        classes = sorted(set(base.registry.values()), key=lambda cls: cls.short_name) if base.registry else []
        classes = [cls for cls in classes if issubclass(cls, base) and not inspect.isabstract(cls)]
        if not classes:
            continue
        rows = [[f"`{cls.short_name}`", f"`{cls.__name__}`", fields_text(cls), first_sentence(cls)] for cls in classes]
        parts += [f"## {family.capitalize()}", table(["name", "class", "settings", "what it is"], rows)]
    return "\n\n".join(parts)


def fields_text(cls: Any) -> str:
    """The settings of a class with their defaults: `rate`, `momentum = 0.9`."""
    texts = []
    for field in choices(cls):
        if required(field):
            texts.append(field.name)
        else:
            made = field.default is dataclasses.MISSING
            default = field.default_factory() if made else field.default  # type: ignore[misc]
            texts.append(f"{field.name} = {default!r}")
    return ", ".join(f"`{text}`" for text in texts)


def interface() -> str:
    """A section for every public class and function of `digitlab`, by module."""
    parts = ["# Python", "Everything on this page is imported from `digitlab` itself: `from digitlab import Network`."]
    homes: dict[str, list[Any]] = {}
    for name in digitlab.__dir__():
        thing = getattr(digitlab, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            homes.setdefault(thing.__module__, []).append(thing)
    for home in sorted(homes):
        parts.append(f"## {home}")
        for thing in homes[home]:
            parts += list(api_section(thing))
    return "\n\n".join(parts)


def api_section(thing: Any) -> Iterator[str]:
    """The heading, signature and docstring of a class or function, and of a class's own public methods."""
    yield f"### {thing.__name__}"
    yield signature_block(thing.__name__, thing)
    yield docstring(thing)
    if inspect.isclass(thing):
        for name, member in vars(thing).items():
            if inspect.isfunction(member) and not name.startswith("_") and member.__doc__:
                yield f"#### {thing.__name__}.{name}"
                yield signature_block(name, member)
                yield docstring(member)


def signature_block(name: str, thing: Any) -> str:
    """How it is called, as Python."""
    try:
        text = str(inspect.signature(thing))
    except ValueError:  # a class of C
        text = "(...)"
    return f"```python\n{name}{re.sub(' at 0x[0-9a-f]+', '', text)}\n```"


def docstring(thing: Any) -> str:
    """The first paragraph as text; the rest, whose columns are aligned, as it is."""
    first, _, rest = (inspect.getdoc(thing) or "").partition("\n\n")
    shown = escaped(first) if "\n  " not in first else f"```text\n{first}\n```"
    return shown + (f"\n\n```text\n{rest.rstrip()}\n```" if rest.strip() else "")


def first_sentence(thing: Any) -> str:
    """The first sentence of a docstring, on one line."""
    first = " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())
    return re.split(r"(?<=[.:;])\s(?=[A-Z]|\s)", first)[0]


def escaped(text: str) -> str:
    """Text of the code in Markdown: `<`, `*` and `_` outside of `code` stand for themselves."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([<*_\[\]])", r"\\\1", p) for p in parts)


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    cells = [[re.sub(r"\s+", " ", cell).replace("|", r"\|") for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


if __name__ == "__main__":
    main()
