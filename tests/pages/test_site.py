"""The pages as a site: no dead link, no picture without a description, every page in the navigation, every term."""

import ast
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = {f"reference/{name}" for name in ("index.md", "commands.md", "settings.md", "python.md")}
GENERATED = REFERENCE | {"gallery.html"}  # by build.py
PAGES = sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md"))
WRITTEN = [name for name in PAGES if name not in GENERATED and not name.startswith(".")]
SOURCE = "https://github.com/digitlab/digitlab/blob/main/"
LINK = re.compile(r"(!?)\[((?:[^][]|\[[^]]*\])*)\]\(([^()\s]+(?:\([^()]*\))?)\)")


def without_code(text: str) -> str:
    """A page without what is shown as it is."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"(?<=\n\n)(?:(?:    .*)?\n)+", "\n", text)
    return re.sub(r"`[^`\n]+`", lambda code: "x" * len(code[0]), text)


def anchors(text: str) -> set[str]:
    """The anchors that headings get."""
    found = set()
    for heading in re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    ):
        plain = re.sub(r"[^\w\s-]", "", re.sub(r"[`*]|\]\([^)]*\)", "", heading)).strip().lower()
        found.add(re.sub(r"[-\s]+", "-", plain))
    return found


@pytest.mark.parametrize("name", WRITTEN)
def test_every_row_of_a_table_is_under_a_heading(name):
    lines = ["", *without_code((DOCS / name).read_text(encoding="utf-8")).splitlines(), ""]
    first = [i for i, line in enumerate(lines) if line.startswith("|") and not lines[i - 1].startswith("|")]
    assert [lines[i] for i in first if not re.fullmatch(r"\|[-:| ]+\|", lines[i + 1])] == [], "a browser shows bars"
    for i in first:
        columns = lines[i + 1].count("|")
        rows = lines[i : next(k for k in range(i, len(lines)) if not lines[k].startswith("|"))]
        assert [row for row in rows if row.replace(r"\|", "").count("|") != columns] == []


@pytest.mark.parametrize("name", WRITTEN)
def test_links_and_pictures_of_a_page(name):
    text = (DOCS / name).read_text(encoding="utf-8")
    for picture, description, target in LINK.findall(without_code(text)):
        assert not picture or len(description) > 3, f"{name}: {target} has no description"
        if target.startswith(SOURCE):
            assert (ROOT / target.removeprefix(SOURCE)).exists(), f"{name}: {target} is not in the source"
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (DOCS / name).parent / path.replace("%20", " ") if path else DOCS / name
        inside = other.resolve().relative_to(DOCS).as_posix()  # ValueError: a link that leaves the site
        if inside not in GENERATED:
            assert other.is_file(), f"{name}: {target} does not exist"
            assert not anchor or anchor in anchors(other.read_text(encoding="utf-8")), (
                f"{name}: no heading for {target}"
            )


def test_every_page_is_in_the_navigation():
    nav = (DOCS / ".nav.yml").read_text(encoding="utf-8")
    listed = [entry.strip("\"'") for entry in re.findall(r"(\S+\.md)\b\"?", nav)]
    folders = ("how-to/", "experiments/", "course/", "reference/")
    for name in listed:
        assert "*" in name or name in PAGES, f".nav.yml: {name} does not exist"
    assert [name for name in WRITTEN if name not in listed and not name.startswith(folders)] == []


def test_every_variable_of_the_environment_has_its_row():
    page = (DOCS / "environment.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\| `(\w+)", page, re.MULTILINE))
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "environ" in text:
            read |= {
                n.value
                for n in ast.walk(ast.parse(text))
                if isinstance(n, ast.Constant)
                and isinstance(n.value, str)
                and re.fullmatch(r"DIGITLAB_[A-Z]+", n.value)
            }
    assert read - {"DIGITLAB_COMPILING"} <= shown  # which one process of digitlab sets for another


def test_how_to_lists_its_pages():
    index = (DOCS / "how-to/index.md").read_text(encoding="utf-8")
    others = {path.name for path in (DOCS / "how-to").glob("*.md")} - {"index.md"}
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == others


@pytest.mark.slow
def test_the_reference_is_written_from_the_code(tmp_path):
    """Every command, every optimizer, every public class, and an explanation for each term of the glossary."""
    import digitlab
    from digitlab.cli import COMMANDS

    runpy.run_path(str(DOCS / "build.py"))["write_pages"](tmp_path)
    pages = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "reference").glob("*.md")}
    assert {f"reference/{name}" for name in pages} == REFERENCE
    assert (tmp_path / "gallery.html").read_text(encoding="utf-8").count("data-name=") == 3
    for name in COMMANDS:
        assert f"\n## digitlab {name}\n" in pages["commands.md"]
    assert "\n### digitlab reproduce run\n" in pages["commands.md"]
    assert "| `--seeds INTEGER RANGE` |" in pages["commands.md"]
    assert "| `adam` | `Adam` | " in pages["settings.md"] and "`beta1 = 0.9`" in pages["settings.md"]
    for name in ("Net", "Network", "Trainer", "Conv2D"):
        assert f"\n### {name}\n" in pages["python.md"] and name in dir(digitlab)
    assert "object at 0x" not in "".join(pages.values())
    assert "*[ReLU]: rectified linear unit" in (tmp_path / ".terms.md").read_text(encoding="utf-8")
