"""The page with the keyboard alone: every part can be used, and the focus is where it was after each action."""

import base64

import numpy as np
import pytest

from digitlab.nn.chains import mlp
from digitlab.web.own_digits import OwnDigits
from digitlab.web.server import Play
from web.serving import serving
from web.test_collect import trained
from web.test_screens import until

pytestmark = [pytest.mark.web, pytest.mark.slow]

FOCUSED = """() => {
    const e = document.activeElement;
    const [label] = e.labels ?? [];
    return e.getAttribute('aria-label') ?? (label ? label.firstChild.textContent || label.textContent : e.textContent);
}"""


def focused(page) -> str:
    """The name of what has the focus."""
    page.wait_for_timeout(60)  # a few frames
    return page.evaluate(FOCUSED)


def press(page, role: str, name: str, *keys: str) -> str:
    """Focus a control, press keys, and return the name of what then has the focus."""
    page.get_by_role(role, name=name, exact=True).first.focus()
    for key in keys:
        page.keyboard.press(key)
    return focused(page)


def test_controls_that_are_drawn_again_keep_the_focus(open_page) -> None:
    page = open_page("/train?layers=dense20,dense10")
    assert press(page, "button", "+ dense", "Enter") == "+ dense"
    assert press(page, "button", "Remove layer 1", "Enter") == "Remove layer 1"
    assert press(page, "combobox", "Images", "ArrowDown") == "Images"
    assert press(page, "checkbox", "Start from digits (fine-tuning)", "Space") == "Start from digits (fine-tuning)"
    assert press(page, "button", "Compare two", "Enter") in ("A", "B")
    assert press(page, "button", "Only one", "Enter") == "Compare two"
    assert press(page, "radio", "Images", "ArrowRight") == "Points"
    assert press(page, "combobox", "Set", "ArrowDown") == "Set"


def test_folded_settings_stay_open_and_their_sliders_can_be_dragged(open_page) -> None:
    page = open_page("/train?source=digits")
    page.get_by_text("Regularization, batch").press("Enter")
    assert press(page, "slider", "Dropout", "ArrowRight", "ArrowRight") == "Dropout"
    assert "dropout=0.1" in page.url
    box = page.get_by_role("slider", name="Weight decay λ (L2)").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    page.mouse.down()
    for share in (0.4, 0.6, 0.8):
        page.mouse.move(box["x"] + share * box["width"], middle)
        page.wait_for_timeout(40)
    page.mouse.up()
    shown = page.get_by_role("slider", name="Weight decay λ (L2)").get_attribute("aria-valuetext")
    assert float(shown) == pytest.approx(16, abs=1) and f"l2={shown}" in page.url


def test_a_chosen_learning_rate_outlasts_other_settings(open_page) -> None:
    page = open_page("/train?source=digits")
    assert press(page, "slider", "Learning rate η", "Home") == "Learning rate η"
    assert page.get_by_role("slider", name="Learning rate η").get_attribute("aria-valuetext") == "0.0005"
    page.get_by_role("spinbutton", name="neurons of layer 1").fill("25")
    page.keyboard.press("Tab")
    assert "rate=0.0005" in page.url and "dense25" in page.url
    assert press(page, "button", "Use the default learning rate", "Enter") == "Regularization, batch, epochs, seed"
    assert "rate=" not in page.url


def test_the_focus_after_steps_paths_and_sorting(open_page, served) -> None:
    trained(served.play.runs / "20-keys", 5, epochs=1)
    page = open_page("/step")
    press(page, "button", "Learn", "Enter")
    assert press(page, "button", "Reset", "Enter") == "Learn"
    page = open_page("/open")
    page.locator(".chain button").nth(2).press("Enter")
    assert focused(page) == page.locator(".chain button").first.text_content()
    page = open_page("/runs")
    page.locator(".sort").first.press("Enter")
    assert focused(page).startswith("run")


def test_removed_digits_leave_the_focus_nearby(open_page, tmp_path) -> None:
    own = OwnDigits(tmp_path / "own")
    for label in (3, 3, 5):
        own.add("mine", label, base64.b64encode(np.full(784, 99, np.uint8).tobytes()).decode())
    server = serving(Play(mlp([784, 10]), "small", None, tmp_path / "runs", tmp_path / "own"))
    page = open_page("/digits", server=server)
    try:
        for left, then in ((2, "Remove this 3"), (1, "Remove this 5"), (0, "Documentation: Your digits")):
            page.locator(".own .remove").first.press("Enter")
            until(page, f"document.querySelectorAll('.own .remove').length === {left}")
            assert focused(page) == then
    finally:
        page.context.close()
        server.end()


def test_images_are_covered_and_neurons_switched_without_a_mouse(open_page) -> None:
    page = open_page("/open")
    page.get_by_role("radio", name="Brush").check()
    brush = page.get_by_role("application", name="Which pixels the answer depends on")
    brush.focus()
    picture = "document.querySelector('.half canvas.pick').toDataURL()"
    before = page.evaluate(picture)
    for key in ("ArrowUp", "ArrowLeft", "Space"):
        assert page.evaluate(picture) == before
        page.keyboard.press(key)
    assert page.evaluate(picture) != before
    assert page.locator(".half .cursor").bounding_box()["width"] > 20
    page = open_page("/break")
    page.get_by_role("application", name="The neurons of the layer").focus()
    for key in ("ArrowRight", "Space"):
        page.keyboard.press(key)
    page.wait_for_timeout(60)
    assert page.locator("main .cursor:visible").count() == 1, "the place stays visible"


def test_keys_of_one_character_can_be_switched_off(open_page) -> None:
    page = open_page("/draw")
    page.get_by_role("button", name="Keyboard (?)").press("Enter")
    assert focused(page) == "Close" and "Open up" in page.locator("dialog dd").all_text_contents()
    page.get_by_role("checkbox", name="Use these keys").press("Space")
    page.keyboard.press("Escape")
    assert focused(page) == "Keyboard (?)"
    for _ in range(2):
        for key in ("4", "t", "p", "?"):
            page.keyboard.press(key)
        root = page.locator("html")
        assert root.get_attribute("data-screen") == "draw" and root.get_attribute("data-theme") is None
        assert not page.locator("dialog").is_visible() and not page.locator("nav .key").first.is_visible()
        page.reload()
        page.wait_for_selector("html[data-ready]")
    page.get_by_role("button", name="Keyboard (?)").press("Enter")
    page.get_by_role("checkbox", name="Use these keys").press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("4")
    page.wait_for_selector("html[data-screen=train]")
