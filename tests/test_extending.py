"""docs/extending.md: each walk is applied to a copy of the package, and what it shows is run.

A Python block whose first line is a comment with a path is a new file, or goes to the end of that file. With
`# src/digitlab/x.py, after: def f()` it follows the line that contains this text. Other Python blocks and the commands
of a section run in an empty folder.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pages.blocks import Block, arguments, blocks

ROOT = Path(__file__).parents[1]
SECTION = re.compile(r"^## (An? .+)$", re.MULTILINE)
PLACE = re.compile(r"# ((?:src|tests)/\S+?\.py)(?:, after: (.+))?$")

# The table of fingerprints without the tests of all kernels, which take minutes: the section compares its own kernel.
RENEW = f"""
import json, sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from engine import renew_fingerprints as fingerprints
fingerprints.TABLE.write_text(json.dumps(fingerprints.table()))
"""


def walks() -> dict[str, list[Block]]:
    """The blocks of each walk, by its title."""
    _, *parts = SECTION.split((ROOT / "docs/extending.md").read_text(encoding="utf-8"))
    return {title: blocks(text) for title, text in zip(parts[::2], parts[1::2])}


def apply(block: Block, copy: Path) -> bool:
    """Write a block that names its file into the copy; False for a block that names none."""
    place, *lines = block.lines
    found = PLACE.match(place)
    if found is None:
        return False
    path, after = copy / found[1], found[2]
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if after is None:
        path.write_text(text.rstrip() + "\n" * 3 * bool(text) + "\n".join(lines) + "\n", encoding="utf-8")
        return True
    before, line, rest = re.split(f"(^.*{re.escape(after)}.*\n)", text, flags=re.MULTILINE)  # on one line alone
    path.write_text(before + line + "\n".join(lines) + "\n" + rest, encoding="utf-8")
    return True


@pytest.mark.slow
@pytest.mark.pages
@pytest.mark.parametrize("title", walks())
def test_a_walk(title, tmp_path):
    copy, work = tmp_path / "copy", tmp_path / "work"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", copy / "src", ignore=ignored)
    work.mkdir()
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "DIGITLAB_OFFLINE": "1", "DIGITLAB_DATA": ""}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    environment.pop("DIGITLAB_KERNELS", None)

    def run(*arguments: str) -> None:
        done = subprocess.run([sys.executable, *arguments], cwd=work, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"

    found = walks()[title]
    assert any(block.language == "python" for block in found)
    for block in found:
        if block.language == "python" and not apply(block, copy):
            run("-c", block.text)
        for command in block.commands:
            program, *words = arguments(command)
            if words == ["tests/engine/renew_fingerprints.py"]:
                run("-c", RENEW)
            else:
                assert program == "digitlab", command
                run("-m", "digitlab", *words)
