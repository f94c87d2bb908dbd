"""Every bug of the zoo is found by the tool that its page names, and no tool complains about the repaired program."""

import re
from pathlib import Path

import pytest

from digitlab.bugs import BUGS, check_program
from digitlab.bugs.bug import HEALTHY
from digitlab.bugs.play import accuracies, find_bug, hand_out, handed_out
from digitlab.bugs.tools import TOOLS
from digitlab.errors import ConfigError

ROOT = Path(__file__).parents[2]
by_name = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
by_name_or_slow = pytest.mark.parametrize(
    "bug", [pytest.param(bug, marks=pytest.mark.slow if bug.tool == "doctor" else (), id=bug.name) for bug in BUGS]
)


@pytest.fixture
def program(tmp_path):
    """Writes a program and returns its path."""

    def write(text, name="network.py"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


@by_name_or_slow
def test_the_tool_that_its_page_names_finds_it(bug, program):
    report = check_program(program(bug.program()), [bug.tool])
    assert report.complaints[bug.tool] and not report
    assert not re.match(r"\w+Error: ", report.complaints[bug.tool][0]), report


@pytest.mark.slow
def test_the_healthy_program_passes_and_learns(program):
    path = program(HEALTHY)
    report = check_program(path)
    assert report, report
    assert list(report.complaints) == list(TOOLS)
    assert accuracies(path)[-1] > 0.88


@by_name
def test_the_cure_passes(bug, program):
    """Taking the patch out of the program again gives the healthy one: nothing else was changed."""
    text = bug.program()
    for old, new in bug.patch:
        assert text.count(new) == 1
        text = text.replace(new, old)
    assert text == HEALTHY


@by_name
def test_a_page_is_whole(bug):
    assert bug.tool in TOOLS and bug.story and bug.source and bug.symptoms and bug.hint and bug.fix
    assert find_bug(bug.name) is bug and re.fullmatch(r"[a-z0-9-]+", bug.name)
    assert f"| {bug.title} | {bug.tool} |" in (ROOT / "docs/bugs.md").read_text(encoding="utf-8")


def test_a_game(tmp_path):
    handed = set()
    for seed in range(40):
        path = tmp_path / f"{seed}.py"
        hand_out(path, seed=seed)
        bug = handed_out(path)
        assert path.read_text(encoding="utf-8").startswith(bug.program())
        handed.add(bug.name)
    assert len(handed) > 15
    with pytest.raises(ConfigError, match="is there already; name another file with --out"):
        hand_out(path)


def test_an_edited_program_that_fails_is_told_apart_from_a_file_that_is_none(program, tmp_path):
    report = check_program(program(HEALTHY.replace("d3 = (y - t)", "d3 = (y - tt)")), ["explain"])
    assert report.complaints["explain"] == ["NameError: name 'tt' is not defined"]
    for text, words in (("x = 1", "has no 'load_data'"), ("x = ", "cannot be imported \\(SyntaxError")):
        with pytest.raises(ConfigError, match=words):
            check_program(program(text))
    with pytest.raises(ConfigError, match="no such file"):
        check_program("nothing.py")
    other = program(HEALTHY).rename(tmp_path / "program.txt")
    with pytest.raises(ConfigError, match=r"is no Python program; expected a file whose name ends in \.py"):
        check_program(other)
    with pytest.raises(ConfigError, match="unknown bug 'overflo' \\(did you mean"):
        find_bug("overflo")
