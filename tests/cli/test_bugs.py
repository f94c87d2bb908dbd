"""`digitlab bugs`."""

import re
from pathlib import Path

import pytest

from digitlab.bugs import BUGS
from digitlab.bugs.bug import HEALTHY


def test_the_list(call):
    listed = call("bugs").out
    assert [bug.title for bug in BUGS if bug.title not in listed] == []


@pytest.mark.slow
def test_a_game_from_the_bug_to_its_story(call):
    assert call("bugs", "play", "--seed", "4").code == 0
    found = call("bugs", "check")
    assert found.code == 1 and "repaired" not in found.out
    assert re.search(r"a tool that finds it: \w+", call("bugs", "hint").out)
    *_, mark = Path("network.py").read_text().splitlines()
    Path("network.py").write_text(f"{HEALTHY}\n{mark}\n")
    repaired = call("bugs", "check")
    assert repaired.code == 0, repaired.out
    name = re.search(r"repaired; it was: .+ digitlab bugs show (\S+)", repaired.out)[1]
    shown = call("bugs", "show", name)
    assert shown.code == 0 and "without it" in shown.out and "\nfix: " in shown.out and "\n+" in shown.out


def test_a_file_that_was_not_handed_out(fails):
    Path("network.py").write_text(HEALTHY)
    assert "its last line does not say which bug" in fails(1, "bugs", "hint")
    assert "no such file" in fails(1, "bugs", "check", "other.py")
