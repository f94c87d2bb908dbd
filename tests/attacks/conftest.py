"""Counts of attempts, from the tests to the table at the end; and the limits that an attempt must keep to."""

import ast
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest


class Attempts:
    """`attempts.count()` after each attempt that was repelled; `attempts.number(20, 1000)` says how many to make."""

    def __init__(self, long):
        self.long, self.made = long, 0

    def number(self, short, long):
        return long if self.long else short

    def count(self, number=1):
        self.made += number


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run what has to be quick in a thread of its own, whose stack begins empty.

    Python keeps frames in blocks of 16 KiB. Where a call needs a new block, each such call takes and frees one, and
    code that calls much takes five times as long. Whether it does depends on the depth at which pytest calls the test.
    """
    if "quick" not in pyfuncitem.fixturenames:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    with ThreadPoolExecutor(1) as thread:
        thread.submit(pyfuncitem.obj, **arguments).result()
    return True


@pytest.fixture
def attempts(request, record_property):
    made = Attempts(request.config.getoption("--long"))
    yield made
    record_property("attempts", made.made)


@pytest.fixture
def elsewhere(attempts, request):
    """`elsewhere("web/test_abuse.py")` runs tests of other folders, which keep the promise, and counts them."""

    def run(*places):
        if not attempts.long:
            pytest.skip("runs with the tests of its folder; here with --long")
        tests = Path(__file__).parents[1]
        command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "--long", "-rN"]
        done = subprocess.run([*command, *(str(tests / place) for place in places)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:]
        attempts.count(sum(line.partition(" [")[0].count(".") for line in done.stdout.splitlines() if "[" in line))

    return run


@pytest.fixture
def quick(memory_below):
    """`with quick():` fails if what is inside takes more than 2 s of processor time or holds more than 300 MiB."""

    @contextmanager
    def limits(seconds=2.0, mebibytes=300):
        began = time.process_time()
        with memory_below(mebibytes):
            yield
        assert time.process_time() - began < seconds

    return limits


def pytest_terminal_summary(terminalreporter, config):
    """The promises with their attempts, one a line."""
    if not config.getoption("--long"):
        return
    found = {}
    for report in [report for some in terminalreporter.stats.values() for report in some if hasattr(report, "when")]:
        number = re.search(r"attacks/test_(\d\d)_\w+\.py", report.nodeid)
        if number is not None and not report.skipped:
            row = found.setdefault(number[0], [0, True])
            row[1] = row[1] and report.passed
            if report.when == "teardown":  # by then the fixture has recorded them
                row[0] += dict(report.user_properties).get("attempts", 0)
    terminalreporter.section("promises")
    for file, (attempts, held) in sorted(found.items()):
        text = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
        promise = ast.get_docstring(ast.parse(text)).splitlines()[0].rstrip(".")
        terminalreporter.line(f"{file[13:15]}  {'held' if held else 'BROKEN'}  {attempts:>7,}  {promise}")
    terminalreporter.line(f"{sum(held for _, held in found.values())} of {len(found)} promises held")
