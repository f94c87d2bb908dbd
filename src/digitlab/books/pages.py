"""The report as Markdown with pictures beside it, and as one HTML file that holds its pictures itself."""

import re
import shutil
from pathlib import Path
from typing import Any

from digitlab.books.report import Report, Section, Table
from digitlab.files import atomic_write, write_text
from digitlab.viz.pages import data_uri, render

LARGEST = 300_000  # bytes of a picture beside a Markdown page; larger ones stay in the results folder
KINDS = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}


def write_markdown(report: Report, path: Path) -> None:
    """Write the page; pictures of moderate size are copied into the folder pictures/reproduction beside it."""
    folder = path.parent / "pictures" / "reproduction"
    lines: list[str] = []
    for section in report.sections:
        lines += [f"{'#' * section.level} {section.title}", ""]
        for block in section.blocks:
            lines += [*markdown_table(block), ""] if isinstance(block, Table) else [str(block), ""]
        for title, picture in section.pictures:
            if picture.suffix not in KINDS or not picture.is_file():
                continue
            if picture.stat().st_size > LARGEST:
                size = f"{picture.stat().st_size / 1e6:.0f} MB"
                text = f"`{picture.name}` ({size}) turns; it lies with the results, where the command above writes it."
                lines += [text, ""]
                continue
            with atomic_write(folder / picture.name) as temporary:
                shutil.copyfile(picture, temporary)
            lines += [f"![{title}](pictures/reproduction/{picture.name.replace(' ', '%20')})", ""]
    write_text(path, "\n".join(lines).rstrip() + "\n")


def markdown_table(table: Table) -> list[str]:
    """A table in pipes."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in (table.headings, *table.rows)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(table.headings), *lines[1:]]


def write_html(report: Report, path: Path) -> None:
    """Write the page as one file; nothing in it is fetched from elsewhere."""
    write_text(
        path,
        render("report.html", report.sections[0].title, sections=report.sections, inline=inline, pictures=_pictures),
    )


def _pictures(section: Section) -> list[tuple[str, str]]:
    """A section's pictures as (title, address)."""
    return [
        (title, data_uri(picture.read_bytes(), KINDS[picture.suffix]))
        for title, picture in section.pictures
        if picture.suffix in KINDS and picture.is_file()
    ]


def inline(text: str) -> Any:
    """The little Markdown that the report's paragraphs use, as HTML: `code`, **strong**, *emphasis*."""
    from markupsafe import Markup, escape

    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text))
