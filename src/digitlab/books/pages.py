"""The report as Markdown with its pictures in a folder, and as one HTML file that contains its pictures."""

import re
import shutil
from pathlib import Path
from typing import Any

from digitlab.books.report import Report, Section
from digitlab.files import atomic_write, write_text
from digitlab.viz.pages import data_uri, render

LARGEST = 300_000  # bytes of a picture of a Markdown page; larger ones stay in the results folder
KINDS = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}


def write_markdown(report: Report, path: Path) -> None:
    """Write the page; copy its pictures of moderate size into pictures/reproduction in the same folder."""
    folder = path.parent / "pictures" / "reproduction"

    def pictures(section: Section) -> list[str]:
        return [copied(title, picture, folder) for title, picture in shown(section)]

    page = render("report.md", report.sections[0].title, sections=report.sections, pictures=pictures)
    write_text(path, page.rstrip() + "\n")


def copied(title: str, picture: Path, folder: Path) -> str:
    """Copy a picture; returns the Markdown that shows it, or says where it is if it is too large."""
    if (size := picture.stat().st_size) > LARGEST:
        return f"`{picture.name}` ({size / 1e6:.0f} MB), an animation, is in the results folder of the command above."
    with atomic_write(folder / picture.name) as temporary:
        shutil.copyfile(picture, temporary)
    return f"![{title}](pictures/reproduction/{picture.name.replace(' ', '%20')})"


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
    """The Markdown that the report's paragraphs use, as HTML: `code`, **strong**, *emphasis*."""
    from markupsafe import Markup, escape

    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text))
