"""The frame of the page in Chromium: navigation, theme, keyboard, token, accessibility."""

import pytest

pytestmark = [pytest.mark.web, pytest.mark.slow]


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (1024, True), (390, False)])
def test_every_screen_opens_and_axe_finds_nothing(open_page, pictures, width: int, dark: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(width=width, dark=dark)
    ids = page.eval_on_selector_all("nav a", "links => links.map(a => a.hash.slice(2))")
    assert "train" in ids
    for screen in ids:
        page.goto(page.url.split("#")[0] + f"#/{screen}")
        page.wait_for_selector(f"html[data-screen={screen}]")
        page.screenshot(path=pictures / f"{screen}-{width}.png")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{screen} at {width}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{screen} at {width} is {wide} px too wide"


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


def test_token_leaves_the_address_and_is_needed(open_page, served, browser) -> None:
    page = open_page("/train")
    assert served.play.token not in page.url and page.url.endswith("#/train")
    context = browser.new_context()
    stranger = context.new_page()
    stranger.goto(served.address.split("#")[0])
    stranger.wait_for_selector("text=This address lacks its token")
    context.close()


def test_first_paint_takes_less_than_half_a_second(open_page) -> None:
    page = open_page()
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 500
