"""The game: a program with an unknown bug, and what it says about itself afterwards."""

import hashlib
import os
from pathlib import Path

import numpy as np

from digitlab.bugs.bug import HEALTHY, Bug
from digitlab.bugs.check import load_program
from digitlab.bugs.zoo import BUGS
from digitlab.errors import ConfigError, not_among
from digitlab.files import read_text, write_text

MARK = "# zoo: "  # in the last line of a program that was handed out: which bug it has, as a hash of its name


def find_bug(word: str) -> Bug:
    """The bug of this number (from 1) or name. Raises ConfigError."""
    if word.isdecimal() and 1 <= int(word) <= len(BUGS):
        return BUGS[int(word) - 1]
    names = {bug.name: bug for bug in BUGS}
    if word not in names:
        raise ConfigError(f"unknown bug {not_among(word, names)}, or a number from 1 to {len(BUGS)}")
    return names[word]


def hand_out(path: str | os.PathLike[str], *, seed: int | None = None) -> None:
    """Write network.py with a bug that the seed chooses. Raises ConfigError if the file is there already."""
    if Path(path).exists():
        raise ConfigError(f"{path}: is there already; name another file with --out")
    bug = BUGS[int(np.random.default_rng(seed).integers(len(BUGS)))]
    write_text(path, f"{bug.program()}\n{MARK}{_hash(bug)}\n")


def handed_out(path: str | os.PathLike[str]) -> Bug | None:
    """The bug that a program was handed out with; None where its last line is gone."""
    if not Path(path).is_file():
        raise ConfigError(f"{path}: no such file; expected a program that `digitlab bugs play` has written")
    _, found, mark = read_text(path).rpartition(MARK)
    return next((bug for bug in BUGS if found and _hash(bug) == mark.strip()), None)


def accuracies(program: str | os.PathLike[str]) -> list[float]:
    """The validation accuracy of every epoch of a program in the form of network.py."""
    loaded = load_program(program)
    rng = np.random.default_rng(0)
    train, valid, _ = loaded.load_data()
    with np.errstate(all="ignore"):
        return [right for _, right in loaded.train(loaded.first_weights(rng), train, valid, rng)[1]]


def curves(bug: Bug, folder: Path) -> dict[str, list[float]]:
    """The symptom curve: the accuracies with the bug, and those without it. Programs are written into the folder."""
    found = {}
    for name, text in (("with the bug", bug.program()), ("without it", HEALTHY)):
        path = folder / f"{name.replace(' ', '-')}.py"
        write_text(path, text)
        found[name] = accuracies(path)
    return found


def _hash(bug: Bug) -> str:
    return hashlib.sha256(bug.name.encode()).hexdigest()[:8]
