"""Every command and every line of Python on the pages runs, in the order in which it stands there, on small data.

A page is run in an empty folder, on an MNIST of 1,500 images (conftest.py); its Python blocks share one namespace.
A block of TOML that begins with the name of a file becomes that file.
Commands run as they are written, but for the substitutions below. A block that is not run says why in the page's
source (blocks.py).
"""

import re
import shutil
from pathlib import Path

import pytest

from digitlab.cli import run
from pages.blocks import AFTER, Block, arguments, blocks

ROOT = Path(__file__).parents[2]
# extending.md has a test of its own, tests/test_extending.py.
NAMES = [path for path in (ROOT / "docs").glob("*.md") if path.name != "extending.md"]
NAMES += (ROOT / "docs" / "how-to").glob("*.md")
PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in NAMES if not path.name.startswith("."))]

# What is shorter here than on the page, and why.
SUBSTITUTIONS = {
    r"^python3 -m venv \.venv && \.venv/bin/pip install \. -c constraints\.txt && \.venv/bin/": "",  # .ci/run does that
    r"(--train-size|-n) \d{4,}": r"\1 300",  # there are 1,000 images to train on
    r"--epochs \d{3,}": "--epochs 20",
    r"gradcheck lenet5": "gradcheck lenet5 --samples 2",  # of 10 parameters 200 numbers each: a minute
    r"^digitlab look( runs/\S+)?(?= *(#|$))": r"\g<0> --what confusion",  # see-inside.md has them all, one by one
    r"--what filters,maps,activations": "--what activations",  # the others are dozens of small plots
    r"^digitlab animate.*": r"\g<0> --frames 2",
    r"imagine runs/002-lenet5 --all": "imagine runs/002-lenet5 3",
    r"make own -n 280": "make own -n 70",
    r"-n 4 --seed 11": "-n 1 --seed 11",  # 12 pages of writing in place of 48
    r"--net lenet5 --epochs 3": r"\g<0> --train-size 100",
}


def shortened(command: str) -> str:
    """A command as it is run here."""
    for pattern, replacement in SUBSTITUTIONS.items():
        command = re.sub(pattern, replacement, command)
    return command


def run_command(command: str) -> int:
    """Run a command of a page and return its exit code."""
    words = [found for word in arguments(shortened(command)) for found in files_of(word)]
    if words[0] == "digitlab":
        return run(words[1:])
    if words[0] == "cp":
        shutil.copy(words[1], words[2])
        return 0
    raise AssertionError(f"nothing here runs {words[0]!r}: {command}")


def files_of(word: str) -> list[str]:
    """A pattern of file names as the shell replaces it; any other word as it is."""
    found = sorted(map(str, Path().glob(word))) if set(word) & set("*?") and not word.startswith("/") else []
    return found or [word]


def run_python(block: Block, names: dict, page: str) -> None:
    """Run a block of Python; an error is told with the page's own line."""
    exec(compile("\n" * (block.line - 1) + block.text, page, "exec"), names)


def run_commands(block: Block, page: str, capsys: pytest.CaptureFixture, *, only: str = "") -> None:
    """Run a block's commands; each must succeed, or fail as the page shows. `only`: those that begin so."""
    for command in block.commands:
        if not command.startswith(only):
            continue
        capsys.readouterr()
        code = run_command(command)
        told = capsys.readouterr().err
        if block.error and command == block.commands[-1]:
            # A terminal's width decides where the message breaks, and the page shows one.
            assert code != 0 and told.split() == block.error.split(), f"{page}, line {block.line}: {command}\n{told}"
        else:
            assert code == 0, f"{page}, line {block.line}: {command}\n{told}"


def run_page(page: str, capsys: pytest.CaptureFixture) -> None:
    """Run a page, and before it the trainings of those with whose runs it goes on."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for other in AFTER.findall(text):
        for block in blocks((ROOT / "docs" / other).read_text(encoding="utf-8")):
            run_commands(block, other, capsys, only="digitlab train")
    names: dict = {"__name__": "__main__"}
    for block in blocks(text):
        if block.language == "python" and not block.why_not:
            run_python(block, names, page)
        elif match := re.match(r"# (\w+\.(?:toml|py))$", block.lines[0] if block.lines else ""):
            Path(match[1]).write_text(block.text, encoding="utf-8")  # a file that the page shows whole
        elif not block.why_not:
            run_commands(block, page, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", *(pytest.param(page, marks=pytest.mark.pages) for page in PAGES[1:])])
def test_a_page_runs_from_top_to_bottom(page, machine, capsys):
    run_page(page, capsys)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_says_why(page):
    """A comment belongs to a block that could be run, and gives a reason."""
    text = (ROOT / page).read_text(encoding="utf-8")
    left_out = [block for block in blocks(text) if block.why_not]
    assert len(left_out) == text.count("<!-- not run:")
    for block in left_out:
        assert len(block.why_not) > 10
        assert block.commands or block.language == "python", f"{page}, line {block.line}: nothing here would be run"
