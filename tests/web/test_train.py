"""The screen Train, as a person uses it."""

import base64
import re
from urllib.parse import parse_qs

import pytest

from digitlab import load
from digitlab.train import History, RunConfig, resume_run

pytestmark = [pytest.mark.web, pytest.mark.slow]
DENSE = "/train?source=digits&size=0&layers=dense40&activation=relu&loss=log-likelihood&epochs=400"


def status(page, pattern: str) -> None:
    """Wait until the line about the training matches; the page's policy allows no waiting by evaluated text."""
    from playwright.sync_api import expect

    expect(page.locator(".training-status")).to_have_text(re.compile(pattern), timeout=30_000)


def accuracy(page) -> float:
    found = re.findall(r"validation ([\d.]+) %", page.locator(".training-status").inner_text())
    return float(found[-1]) if found else 0.0


def test_network_trains_past_90_percent_and_pauses(open_page, served) -> None:
    page = open_page(DENSE)
    page.get_by_role("button", name="Train", exact=True).click()
    status(page, r"validation 9\d")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector(".training-status:has-text('paused')")
    text = page.locator(".training-status").inner_text()
    page.wait_for_timeout(300)
    assert page.locator(".training-status").inner_text() == text and accuracy(page) > 90
    assert page.locator(".weights canvas").count() == 32
    assert page.locator(".confusion td.right").count() == 10
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".training-status:has-text('saved as')")
    name = page.locator(".training-status").inner_text().split("saved as ")[1].strip()
    folder = served.play.runs / name
    history = History.load(folder / "history.jsonl")
    assert max(history.column("valid_accuracy")) > 0.9
    assert RunConfig.load(folder / "config.toml").data["source"] == "digits"
    page.get_by_role("button", name="Use this network").click()
    assert name in page.locator("#network-name").inner_text()


def test_single_steps_and_an_epoch(open_page) -> None:
    page = open_page("/train?source=digits&size=0&layers=dense20&epochs=5")
    page.get_by_role("button", name="Step", exact=True).click()
    page.wait_for_selector(".training-status:has-text('epoch 1, step 1 of')")
    page.get_by_role("button", name="Step", exact=True).click()
    page.wait_for_selector(".training-status:has-text('epoch 1, step 2 of')")
    page.get_by_role("button", name="One epoch").click()
    page.wait_for_selector(".training-status:has-text('paused, epoch 2, validation')")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".training-status:has-text('stopped')")


def test_link_carries_the_settings(open_page) -> None:
    page = open_page("/train")
    page.get_by_role("button", name="+ convolution").click()
    page.get_by_role("button", name="+ dense").click()
    page.get_by_label("Activation").select_option("relu")
    page.get_by_role("button", name="Compare two").click()
    page.get_by_label("Optimizer").select_option("adam")
    link = page.url.split("#")[1]
    again = open_page(link)
    assert again.url.split("#")[1] == link
    assert again.get_by_label("Optimizer").input_value() == "sgd"
    assert again.locator(".blocks .block").count() == 5
    again.locator(".choice label:has-text('B')").last.click()
    assert again.get_by_label("Optimizer").input_value() == "adam"
    assert again.get_by_label("Activation").input_value() == "relu"


def test_points_are_told_apart_and_own_ones_are_added(open_page) -> None:
    page = open_page("/train?kind=points&set=xor&speed=0&epochs=60")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector(".training-status:has-text('all epochs are done')", timeout=30_000)
    assert page.locator(".map-row").count() == 2
    page.locator(".plane").click(position={"x": 20, "y": 20})
    assert "points=" in page.url
    one = page.url
    page.locator(".plane").focus()
    for key in ("ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert len(page.url) == len(one) + 5
    before = len(page.url)
    page.get_by_role("button", name="Remove the last point").click()
    assert len(page.url) == before - 5
    page.get_by_role("button", name="Forget own points").click()
    assert "points=" not in page.url
    rows = "\n".join(f"{i % 7},{i % 5},{'abc'[i % 3]}" for i in range(50))
    page.locator("input[type=file]").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.wait_for_selector("button:has-text('Forget own points')")
    assert len(parse_qs(page.url.split("?")[1])["points"][0]) == 50 * 5
    page.locator("input[type=file]").set_input_files({"name": "b.csv", "mimeType": "text/csv", "buffer": b"1,2\n3,4\n"})
    page.wait_for_selector("#status .bad:has-text('Row 1 is not x, y, class')")


def test_function_is_fitted_and_two_are_compared(open_page) -> None:
    page = open_page(
        "/train?kind=function&epochs=20&speed=0&layers=dense20&compare=1&b.kind=function&b.activation=relu"
    )
    page.get_by_role("button", name="Train", exact=True).click()
    status(page, r"A: all epochs are done, saved as \d+-fit-1-20-1\s+B: all epochs are done, saved as \d+-fit-1-20-1")
    assert page.locator(".legend li:has-text('A training')").count() == 1
    assert page.locator(".legend li:has-text('B training')").count() == 1


def test_training_goes_on_while_another_screen_is_shown(open_page) -> None:
    page = open_page("/train?source=digits&size=0&layers=dense20&epochs=3000")
    page.get_by_role("button", name="Train", exact=True).click()
    status(page, "epoch [1-9]")
    page.keyboard.press("1")
    page.wait_for_selector("html[data-screen=draw]")
    page.keyboard.press("4")
    page.wait_for_selector("html[data-screen=train]")
    assert page.get_by_role("spinbutton", name="neurons of layer 1").input_value() == "20"
    page.get_by_role("button", name="Pause").click()
    status(page, "paused, epoch")
    page.get_by_role("button", name="Stop").click()
    status(page, "stopped.*saved as")


def test_buttons_keep_clicks_and_the_focus_during_a_training(open_page) -> None:
    page = open_page("/train?source=digits&size=0&layers=dense20&epochs=3000")
    page.get_by_role("button", name="Train", exact=True).press("Enter")
    status(page, "epoch [1-9]")
    focused = "document.activeElement.textContent"
    assert page.evaluate(focused) == "Pause"
    button = page.get_by_role("button", name="Pause").element_handle()
    status(page, "epoch [1-9][0-9]")
    assert button.evaluate("button => button.isConnected"), "a click may take longer than a frame"
    page.keyboard.press("Enter")
    status(page, "paused, epoch")
    assert page.evaluate(focused) == "Go on"
    page.get_by_role("button", name="Stop").click()


def test_two_browsers_stay_apart(open_page, served) -> None:
    pages = [open_page(f"/train?source=digits&size=0&layers=dense{n}&epochs=8") for n in (10, 11)]
    for page in pages:
        page.get_by_role("button", name="Train", exact=True).click()
    for page, size in zip(pages, (10, 11)):
        status(page, f"all epochs are done.*64-{size}-10")
        assert page.locator(".weights canvas").count() == size


def test_network_of_the_page_is_fine_tuned_on_own_digits(open_page, served, mnist_splits) -> None:
    for i in range(40):
        image, label = mnist_splits.test[i]
        served.play.own_digits.add("tuned", int(label), base64.b64encode(image.tobytes()).decode())
    page = open_page("/train?source=own/tuned&size=0&start=1&optimizer=adam&rate=0.001&batch=16&epochs=2")
    page.get_by_role("button", name="Train", exact=True).click()
    status(page, "all epochs are done.*saved as")
    name = page.locator(".training-status").inner_text().split("saved as ")[1].strip()
    config = RunConfig.load(served.play.runs / name / "config.toml")
    assert config.start.endswith("digits.safetensors") and config.data["source"].endswith("tuned")


def test_closed_page_ends_its_training_which_is_saved(open_page, served) -> None:
    page = open_page("/train?source=digits&size=0&layers=dense12&epochs=5000")
    page.get_by_role("button", name="Train", exact=True).click()
    status(page, "epoch [2-9]")
    page.context.close()
    for thread in served.play.trainings.threads:
        thread.join(20)
        assert not thread.is_alive()
    (folder,) = served.play.runs.glob("*-64-12-10")
    rows = History.load(folder / "history.jsonl").rows
    config, trainer = resume_run(folder, epochs=len(rows) + 1)
    trainer.fit(*load("digits")[:2], epochs=config.epochs)
    assert len(trainer.history) == len(rows) + 1 and trainer.history.rows[: len(rows)] == rows


def test_divergence_is_explained(open_page) -> None:
    settings = "source=digits&size=0&layers=dense20&activation=relu&loss=log-likelihood&rate=20&epochs=50"
    page = open_page(f"/train?{settings}")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("#status .bad, .note.bad", timeout=30_000)
    text = page.locator("#status .bad, .note.bad").first.inner_text()
    assert "likely cause" in text


def test_mistake_is_explained(open_page) -> None:
    page = open_page("/train?kind=function&function=sin(y)")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("#status .bad")
    assert page.get_by_role("button", name="Train", exact=True).is_enabled()


def test_settings_that_do_not_exist_are_the_usual_ones(open_page) -> None:
    page = open_page("/train?activation=foo&loss=foo&optimizer=foo&epochs=many")
    for label, usual in (("Activation", "sigmoid"), ("Loss", "quadratic"), ("Optimizer", "sgd")):
        assert page.get_by_role("combobox", name=label).input_value() == usual
    page.locator("summary", has_text="Regularization").click()
    assert page.get_by_label("Epochs").input_value() == "20"


def test_numbers_are_moved_to_the_nearest_one_allowed(open_page) -> None:
    page = open_page("/train?size=1000")
    for typed, taken in (("99999999", "60000"), ("-5", "0"), ("12.7", "13"), ("", "13")):
        field = page.get_by_label("Number of images (0 = all)")
        field.fill(typed)
        field.press("Tab")
        assert page.get_by_label("Number of images (0 = all)").input_value() == taken
    page = open_page("/train?kind=function")
    page.get_by_label("From").fill("-1.5")
    page.get_by_label("From").press("Tab")
    assert page.get_by_label("From").input_value() == "-1.5" and "low=-1.5" in page.url


def test_panels_without_a_training_say_so(open_page) -> None:
    page = open_page("/train?source=digits&size=0&layers=dense12&epochs=2")
    assert page.locator("text=Nothing yet: press Train.").count() == 3
    page.get_by_role("button", name="Train", exact=True).click()
    status(page, "all epochs are done")
    assert page.locator("text=Nothing yet").count() == 0 and page.locator(".confusion td.right").count() == 10
    table = page.locator(".confusion").bounding_box()["width"]
    assert table <= page.locator(".scroll:has(> .confusion)").bounding_box()["width"], "every column is in sight"
