"""docs/glossary.md: every name that it calls present is in the code."""

import re
from pathlib import Path

import pytest

from digitlab.cli import FORMER_OPTIONS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")


def present(section: str, column: int = 2) -> list[str]:
    """The names in the column "now" (or another) of a section's table."""
    body = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in body.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`(.+?)`", row[column])]


@pytest.mark.parametrize("name", present("Renamed packages and modules"))
def test_a_module_is_where_the_glossary_says(name):
    path = ROOT / "src/digitlab" / name.removeprefix("digitlab.").replace(".", "/")
    assert path.is_dir() or path.with_suffix(".py").is_file()


def test_renamed_functions_and_classes_are_in_the_code():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    names = present("Renamed functions, classes and attributes")
    assert len(names) > 10
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []


def test_renamed_options_are_those_of_the_command_line():
    former, now = present("Renamed options", 1), present("Renamed options")
    assert dict(zip(former, now)) == {f"--{old}": f"--{new}" for old, new in FORMER_OPTIONS.items()}
