"""The frame of the page in Chromium: navigation, theme, keyboard, token, accessibility."""

import io
from pathlib import Path

import pytest
from PIL import Image

from digitlab.nn.chains import mlp
from digitlab.web.server import Play
from web.serving import serving

SCREENS = ["draw", "open", "step", "train", "break", "digits", "runs", "imagine"]
DOCS = Path(__file__).parents[2] / "docs"
pytestmark = [pytest.mark.web, pytest.mark.slow]


CUT = """[document.documentElement, ...document.querySelectorAll('main section.panel, header.top, nav')]
    .filter((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX === 'visible')
    .map((part) => part.ariaLabel ?? part.tagName)"""  # parts whose content is wider than they are
WIDTHS = [(1440, False), (1024, True), (390, False), (1440, True), (1024, False), (390, True)]


@pytest.mark.parametrize("first", range(6))
def test_every_screen_fits_and_axe_finds_nothing(open_page, request, first: int) -> None:
    """Some screens, each at one width, in light or dark; with --long all of them at all widths."""
    from axe_playwright_python.sync_playwright import Axe

    long = request.config.getoption("--long")
    if first and not long:
        pytest.skip("the other widths of each screen take half a minute: --long")
    for at, screen in enumerate([*SCREENS, "train?kind=points"] if long else ["draw", "train"]):
        width, dark = WIDTHS[(at + first) % 6]
        page = open_page(f"/{screen}", width=width, dark=dark)
        page.wait_for_selector(f"html[data-screen={screen.split('?')[0]}]")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{screen} at {width}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{screen} at {width} is {wide} px too wide"
        page.context.close()


@pytest.mark.mnist
def test_no_screen_is_wider_than_a_window_a_tablet_or_a_phone(open_page) -> None:
    page = open_page()
    for screen in SCREENS:
        page.evaluate(f"location.hash = '#/{screen}'")
        page.wait_for_selector(f"html[data-screen={screen}]")
        for width in (1440, 1024, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(80)
            picture = Image.open(io.BytesIO(page.screenshot()))
            assert picture.size == (width, 900) and len(picture.convert("RGB").getcolors(10**6)) > 20, (screen, width)
            cut = page.evaluate(CUT)
            assert cut == [], f"{screen} at {width}"


@pytest.mark.parametrize("sizes", [[2, 4, 2], [64, 5, 10]])
def test_networks_of_other_inputs_show_what_they_can(open_page, tmp_path, request, sizes: list[int]) -> None:
    if sizes[0] == 64 and not request.config.getoption("--long"):
        pytest.skip("one of the two takes seconds enough: --long")
    server = serving(Play(mlp(sizes), "small", None, tmp_path / "runs", tmp_path / "own"))
    try:
        page = open_page("", server=server)
        for screen in SCREENS:
            page.locator(f"nav a[href^='#/{screen}']").click()
            page.wait_for_selector(f"html[data-screen={screen}]")
            assert page.locator("main h1").count() == 1
            if sizes[0] == 2 and screen in ("draw", "open", "step", "break", "imagine"):
                page.wait_for_selector("text=takes 2 numbers")
            page.wait_for_timeout(100)
        page.context.close()
    finally:
        server.end()


def test_navigation_leads_to_every_screen_whose_panels_have_a_sentence_and_a_link(open_page) -> None:
    page = open_page()
    assert page.eval_on_selector_all("nav a", "links => links.map(a => a.hash.slice(2))") == SCREENS
    for screen in SCREENS:
        page.locator(f"nav a[href^='#/{screen}']").click()
        page.wait_for_selector(f"html[data-screen={screen}]")
        panels = page.locator("main section.panel")
        texts = panels.evaluate_all("all => all.map(p => [p.querySelector('header p')?.textContent ?? '',"
                                    " p.querySelector('header a')?.href ?? ''])")  # fmt: skip
        assert texts
        for sentence, link in texts:
            assert sentence.endswith("."), (screen, sentence)
            assert (DOCS / link.rsplit("/", 1)[1].split("#")[0]).is_file(), (screen, link)


def test_keyboard_theme_and_projector(open_page) -> None:
    page = open_page()
    root = page.locator("html")
    page.keyboard.press("t")
    assert root.get_attribute("data-theme") == "dark"
    before = page.evaluate("getComputedStyle(document.documentElement).fontSize")
    page.keyboard.press("p")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") > before
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert root.get_attribute("data-theme") == "dark" and root.get_attribute("data-projector") == ""
    page.keyboard.press("4")
    page.wait_for_selector("html[data-screen=train]")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()


def test_navigation_fits_a_small_phone(open_page) -> None:
    page = open_page("/imagine", width=320)
    assert page.evaluate("document.querySelector('nav ul').scrollWidth <= innerWidth")
    assert page.evaluate("document.getElementById('network-name').title").startswith("digits  28×28×1")


def test_what_is_said_again_is_one_line(open_page) -> None:
    page = open_page("/digits")
    for _ in range(3):
        page.get_by_role("button", name="Save").click()
    assert page.locator("#status p").all_text_contents() == ["Draw a digit first."]


def test_code_in_sentences_is_marked_up(open_page) -> None:
    page = open_page("/runs")
    assert page.locator(".screen-head code").inner_text() == "digitlab train"
    for screen in SCREENS:
        page.locator(f"nav a[href^='#/{screen}']").click()
        page.wait_for_selector(f"html[data-screen={screen}]")
        assert "`" not in page.locator("main").inner_text(), screen


def test_token_leaves_the_address_and_is_needed(open_page, served, browser) -> None:
    page = open_page("/train")
    assert served.play.token not in page.url and page.url.endswith("#/train")
    context = browser.new_context()
    stranger = context.new_page()
    stranger.goto(served.address.split("#")[0])
    stranger.wait_for_selector("text=This address lacks its token")
    context.close()


def test_another_token_in_the_same_tab_is_used(served, browser) -> None:
    """As of a server that was started again: the browser does not load a page whose fragment alone differs."""
    page = browser.new_context().new_page()
    page.goto(served.address.split("#")[0])
    page.wait_for_selector("text=This address lacks its token")
    page.evaluate(f"location.hash = '#token={served.play.token}/open'")
    page.wait_for_selector("html[data-screen=open][data-ready]")
    page.wait_for_selector("h1:text-is('Open up')")
    assert served.play.token not in page.url
    page.context.close()


def test_first_paint_takes_less_than_half_a_second(open_page) -> None:
    """The quickest of a few loads: other processes on the machine are not the page's fault."""
    page, paints = open_page(), []
    for _ in range(6):
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        if paints[-1] < 500:
            return
        page.reload()
        page.wait_for_selector("html[data-ready]")
    pytest.fail(f"first paints after {paints} ms")
