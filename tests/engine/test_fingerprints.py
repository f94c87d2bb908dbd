"""The table of fingerprints is that of the code, and a fingerprint tells computations apart, not layouts."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import digitlab
from digitlab.engine.fast.operations import LAYERS
from digitlab.fingerprints import check, source
from digitlab.fingerprints.module import file_name

from .renew_fingerprints import table

PACKAGE = Path(digitlab.__file__).parent
RENEW = "python tests/engine/renew_fingerprints.py"
# The table


def differences(kind):
    """Entries of the table that are not those of the code now: "text", or "functions"."""
    now, committed = table(), check.table()
    return [
        f"{file_name(module)} ({name})"
        for module in sorted({*now, *committed})
        for name in sorted({*now.get(module, {}), *committed.get(module, {})})
        if now.get(module, {}).get(name) != committed.get(module, {}).get(name) and (name == "text") == (kind == "text")
    ]


def test_the_table_is_that_of_the_code():
    changed = differences("functions")
    assert not changed, f"changed since the kernels were tested against it: {', '.join(changed)}; run {RENEW}"


@pytest.mark.slow  # which is when it matters: what is older is slower to compare, and no more
def test_the_table_knows_the_files_as_they_are():
    changed = differences("text")
    assert not changed, f"comments changed in {', '.join(changed)}; run {RENEW}, which takes a moment then"


def test_every_layer_that_has_a_kernel_is_in_the_table():
    for cls in LAYERS:
        names = check.table()[cls.__module__]
        assert any(name.startswith(f"{cls.__name__}.") for name in names), cls


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_fingerprints_are_the_same_for_every_python(version):
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"no Python {version} here")
    code = (
        "import json, pathlib, runpy, sys\n"
        "source = runpy.run_path(sys.argv[1])\n"
        "texts = {path: pathlib.Path(path).read_text(encoding='utf-8') for path in sys.argv[2:]}\n"
        "found = {path: source['functions'](text) for path, text in texts.items()}\n"
        "print(json.dumps([[source['fingerprint'](f[name]) for name in f] for f in found.values()]))"
    )
    files = [PACKAGE.parent / file_name(module) for module in check.table()]
    command = [python, "-c", code, PACKAGE / "fingerprints" / "source.py", *files]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout)
    for path, fingerprints in zip(files, found, strict=True):
        expected = [source.fingerprint(tree) for tree in source.functions(path.read_text(encoding="utf-8")).values()]
        assert fingerprints == expected, path


# What a fingerprint tells apart

ORIGINAL = """
def f(x, rate=0.5):
    if x < 0:
        raise ValueError(f"got {x}, expected 0 or more")
    return [rate * (x + 1), x[0:2], f"{x}.W"]
"""
SAME = {
    "comments": ORIGINAL.replace("    return", "    # the answer\n\n    return"),
    "a docstring": ORIGINAL.replace("    if x", '    """What it does."""\n    if x'),
    "layout": "def f(x,rate = .5):\n  if x<0: raise Error\n  return [(rate*(x+1)), x[0 : 2],\n   f'{x}.W',]",
    "types": "def f(x: Array, rate: float = 0.5) -> list:\n    y: int" + ORIGINAL.partition(":")[2],
    "a message": ORIGINAL.replace("got {x}, expected 0 or more", "x is negative: {x!r}"),
    "line ends": ORIGINAL.replace("\n", "\r\n"),
}
OTHER = {
    "a sign": ORIGINAL.replace("x + 1", "x - 1"),
    "a number": ORIGINAL.replace("x + 1", "x + 1.5"),
    "a default": ORIGINAL.replace("0.5", "0.6"),
    "an order": ORIGINAL.replace("rate * (x + 1)", "rate * x + 1"),
    "a comparison": ORIGINAL.replace("x < 0", "x <= 0"),
    "a slice": ORIGINAL.replace("x[0:2]", "x[0:3]"),
    "a text": ORIGINAL.replace(".W", ".b"),
    "a name": ORIGINAL.replace("rate * ", "pace * "),
    "no error": ORIGINAL.replace("raise ValueError", "print"),
    "a decorator": ORIGINAL.replace("def f", "@cached\ndef f"),
    "whole numbers": ORIGINAL.replace("x + 1", "x + 1.0"),
}


def fingerprint(text):
    return source.fingerprint(source.functions(text)["f"])


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_how_it_is_written_does_not_count(text):
    assert text != ORIGINAL and fingerprint(text) == fingerprint(ORIGINAL)


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_what_it_computes_counts(text):
    assert text != ORIGINAL and fingerprint(text) != fingerprint(ORIGINAL)
