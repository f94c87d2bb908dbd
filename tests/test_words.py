"""Docs, help and messages use the field's words: none of the project's former private ones."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRIVATE = re.compile(r"\b(dice|nobody|anew|afresh|as ever|told|could not be had|cannot be had|gone on with|surest)\b")
FOLDERS = ("docs", "docs/how-to", "docs/experiments", "docs/course")
PAGES = [
    *(page for folder in FOLDERS for page in (ROOT / folder).glob("[!.]*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
]


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "glossary.md"], ids=lambda path: path.name)
def test_a_page_has_no_private_words(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if PRIVATE.search(line)] == []


def test_the_page_of_play_has_no_private_words():
    scripts = sorted((ROOT / "src" / "digitlab" / "web" / "page").rglob("*.js"))
    found = [line for path in scripts for line in path.read_text(encoding="utf-8").splitlines() if PRIVATE.search(line)]
    assert scripts and found == []


def test_messages_and_help_have_no_private_words():
    found = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        code = path.read_text(encoding="utf-8")
        if not PRIVATE.search(re.sub(r'"\s*f?"', "", code)):  # without the seams of strings over several lines
            continue  # to parse every file takes seconds
        tree = ast.parse(code)
        described = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
        docstrings = {id(n.body[0].value) for n in described if n.body and isinstance(n.body[0], ast.Expr)}
        texts = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        found += [
            f"{path.name}:{text.lineno}: {text.value}"
            for text in texts
            if id(text) not in docstrings and " " in text.value and PRIVATE.search(text.value)
        ]
    assert found == []
