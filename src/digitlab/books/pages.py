"""The report as Markdown, an index and a page per experiment, and as one HTML file that contains its pictures."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from digitlab.books.report import Report, Section
from digitlab.files import atomic_write, write_text
from digitlab.viz.pages import data_uri, render

LARGEST = 300_000  # bytes of a picture of a Markdown page; larger ones stay in the results folder
KINDS = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}


def write_markdown(report: Report, path: Path) -> None:
    """Write the index to `path`, the experiments to experiments/NAME.md and pictures of moderate size to
    pictures/reproduction in the same folder.
    """

    def pictures(section: Section) -> list[str]:
        return [copied(title, picture, path.parent / "pictures" / "reproduction") for title, picture in shown(section)]

    def write(sections: list[Section], page: Path) -> None:
        text = render("report.md", sections[0].title, sections=sections, pictures=pictures)
        write_text(page, text.rstrip() + "\n")

    write([section for section in report.sections if section.blocks and not section.name], path)
    back = f"[All experiments](../{path.name}) | [How to read the figures](../{path.name}#how-to-read-the-figures)"
    for section in report.sections:
        if section.name:
            page = replace(section, level=1, blocks=[*section.blocks, back])
            write([page], path.parent / "experiments" / f"{section.name}.md")


def copied(title: str, picture: Path, folder: Path) -> str:
    """Copy a picture; returns the Markdown that shows it in experiments/, or says where it is if it is too large."""
    if (size := picture.stat().st_size) > LARGEST:
        return f"`{picture.name}` ({size / 1e6:.0f} MB), an animation, is in the results folder of the command above."
    with atomic_write(folder / picture.name) as temporary:
        shutil.copyfile(picture, temporary)
    return f"![{title}](../pictures/reproduction/{picture.name.replace(' ', '%20')})"


def write_html(report: Report, path: Path) -> None:
    """Write the page as one file, which loads nothing from elsewhere."""

    def pictures(section: Section) -> list[tuple[str, str]]:
        return [(title, data_uri(picture.read_bytes(), KINDS[picture.suffix])) for title, picture in shown(section)]

    title = report.sections[0].title
    write_text(path, render("report.html", title, sections=report.sections, inline=inline, pictures=pictures))


def shown(section: Section) -> list[tuple[str, Path]]:
    """The pictures of a section that a page can show."""
    return [(title, picture) for title, picture in section.pictures if picture.suffix in KINDS and picture.is_file()]


def inline(text: str) -> Any:
    """The Markdown of the report as HTML: `code`, **strong**, *emphasis*, links to experiments; other links' text."""
    from markupsafe import Markup, escape

    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    text = re.sub(r"\[([^]]+)\]\(experiments/([^)]+)\.md\)", r'<a href="#\2">\1</a>', text)
    text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text))
