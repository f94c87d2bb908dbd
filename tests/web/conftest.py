"""A running server, and a page of it in Chromium.

Tests with `open_page` need Playwright (`pip install -e '.[test-web]'`) and the system's Chromium. Without them they
skip; with DIGITLAB_REQUIRE_BROWSER set, as `.ci/run` sets it, they fail.
"""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from digitlab.nn import load_network
from digitlab.shipped import PATH
from digitlab.web.server import Play
from web.serving import Served, serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The shipped network, served for the whole session; runs land in a temporary folder."""
    folder = tmp_path_factory.mktemp("play")
    server = serving(Play(load_network(PATH), "digits", PATH, folder / "runs", folder / "own-digits"))
    yield server
    server.end()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:  # noqa: F821
    """Chromium, started once for the session."""

    def missing(why: str) -> None:
        if os.environ.get("DIGITLAB_REQUIRE_BROWSER"):
            pytest.fail(why)
        pytest.skip(why)

    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright is not installed: pip install -e '.[test-web]'")
    if CHROMIUM is None:
        missing("Chromium is not installed: apt-get install chromium")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if root else []  # Chromium's own sandbox does not work for root
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, served: Served) -> Iterator[Callable]:
    """`open_page("/train", width=390, dark=True)` opens a screen and waits until it is there.

    The test fails if the page wrote an error to the console, or threw one.
    """
    contexts, errors = [], []

    def opened(
        fragment: str = "", *, server: Served = served, width: int = 1440, height: int = 900, dark: bool = False
    ):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda m: errors.append(f"{m.text} ({m.location})") if m.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.at(fragment).address)
        page.wait_for_selector("html[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors, errors
