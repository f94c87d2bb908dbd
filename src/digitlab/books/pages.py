"""The report as Markdown with pictures beside it, and as one HTML file that holds its pictures itself."""

import base64
import html
import re
import shutil
from pathlib import Path

from digitlab.books.report import Report, Section, Table
from digitlab.files import atomic_write, write_text

LARGEST = 300_000  # bytes of a picture beside a Markdown page; larger ones stay in the results folder
KINDS = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; }
th, td { border: 1px solid #ccc; padding: .25rem .6rem; text-align: left; }
img { max-width: 100%; height: auto; } code { background: #f3f3f3; padding: 0 .2em; }
@media (prefers-color-scheme: dark) {
  body { background: #161616; color: #eee; } code { background: #2a2a2a; } th, td { border-color: #444; }
  img { background: #fff; }
}
"""


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
    title = html.escape(report.sections[0].title)
    body = "\n".join(html_section(section) for section in report.sections)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    write_text(
        path,
        f"<!doctype html>\n<html lang=en><head>{head}<style>{STYLE}</style></head><body>\n{body}\n</body></html>\n",
    )


def html_section(section: Section) -> str:
    """One section with its tables and pictures."""
    parts = [f"<h{section.level}>{inline(section.title)}</h{section.level}>"]
    for block in section.blocks:
        parts.append(html_table(block) if isinstance(block, Table) else f"<p>{inline(str(block))}</p>")
    for title, picture in section.pictures:
        if picture.suffix in KINDS and picture.is_file():
            data = base64.b64encode(picture.read_bytes()).decode("ascii")
            parts.append(f'<p><img alt="{html.escape(title)}" src="data:{KINDS[picture.suffix]};base64,{data}"></p>')
    return "\n".join(parts)


def html_table(table: Table) -> str:
    """A table as HTML."""
    head = "".join(f"<th>{inline(cell)}</th>" for cell in table.headings)
    rows = "".join("<tr>" + "".join(f"<td>{inline(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def inline(text: str) -> str:
    """The little Markdown that the report's paragraphs use, as HTML: `code`, **strong**, *emphasis*."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
