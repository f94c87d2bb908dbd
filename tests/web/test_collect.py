"""The screens My digits and Runs, as a person uses them, and what the server refuses."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from digitlab import Trainer, load
from digitlab.errors import ConfigError
from digitlab.nn.chains import mlp
from digitlab.nn.io.description import describe_network
from digitlab.train import RunConfig, start_run
from digitlab.web.own_digits import OwnDigits
from digitlab.web.runs import Runs
from digitlab.web.server import Play
from web.serving import ask, serving

INK = base64.b64encode(bytes(range(256)) * 3 + bytes(16)).decode()


def trained(folder: Path, hidden: int, epochs: int = 2) -> Trainer:
    network = describe_network(mlp([64, hidden, 10], seed=0))
    config = RunConfig(network=network, data={"source": "digits"}, epochs=epochs, engine="reference")
    trainer = start_run(config, folder)
    train, valid, _ = load("digits")
    trainer.fit(train.first(200), valid.first(100), epochs=epochs)
    return trainer


def test_own_digits_are_a_folder_that_load_reads(tmp_path: Path) -> None:
    own = OwnDigits(tmp_path)
    rng = np.random.default_rng(0)
    for label in range(10):
        image = np.zeros((28, 28), np.uint8)
        image[6:22, 8 + rng.integers(3) : 14] = 255
        own.add("mine", label, base64.b64encode(image.tobytes()).decode())
    assert own.sets() == [{"name": "mine", "count": 10}]
    digits = load(tmp_path / "mine", part="all")
    assert sorted(digits.labels) == list(range(10)) and digits.images.shape == (10, 28, 28)
    first = own.images("mine")[0]
    assert first["label"] == 0 and len(base64.b64decode(first["pixels"])) == 784
    own.remove("mine", first["file"])
    assert own.sets() == [{"name": "mine", "count": 9}]


def test_saved_bytes_come_back(tmp_path: Path) -> None:
    own = OwnDigits(tmp_path)
    assert own.add("mine", 3, INK) == {"file": "3/000.png", "label": 3}
    assert own.add("mine", 3, INK)["file"] == "3/001.png"
    assert own.images("mine")[0]["pixels"] == INK


@pytest.mark.parametrize("name", ["", "..", "a/b", "../runs", "a" * 41, ".hidden", None, 3, "C:x", "a\x00"])
def test_names_stay_in_the_folder(tmp_path: Path, name: object) -> None:
    with pytest.raises(ConfigError, match="letters, digits"):
        OwnDigits(tmp_path).add(name, 3, INK)


@pytest.mark.parametrize("file", ["../x.png", "3/../../x.png", "3/000.png/..", "33/0.png", "3/x.png", None])
def test_files_stay_in_the_set(tmp_path: Path, file: object) -> None:
    own = OwnDigits(tmp_path)
    own.add("mine", 3, INK)
    with pytest.raises(ConfigError, match="expected a name such as"):
        own.remove("mine", file)


@pytest.mark.parametrize(("label", "pixels"), [(10, INK), (-1, INK), (True, INK), (3, "x"), (3, None), (3, INK * 2)])
def test_images_that_are_none(tmp_path: Path, label: object, pixels: object) -> None:
    with pytest.raises(ConfigError, match="expected"):
        OwnDigits(tmp_path).add("mine", label, pixels)


def test_runs_with_their_differences(tmp_path: Path) -> None:
    trained(tmp_path / "1-small", 5)
    trainer = trained(tmp_path / "2-large", 20, epochs=3)
    (tmp_path / "3-broken").mkdir()
    (tmp_path / "3-broken" / "config.toml").write_text("epochs = [")
    table = Runs(tmp_path).table()
    rows = {row["name"]: row for row in table["runs"]}
    assert set(rows) == {"1-small", "2-large"} and [b["name"] for b in table["broken"]] == ["3-broken"]
    assert rows["2-large"]["best"] == max(trainer.history.column("valid_accuracy"))
    assert rows["1-small"]["settings"]["net"] != rows["2-large"]["settings"]["net"]
    assert rows["2-large"]["settings"]["epochs"] == "3" and "batch_size" not in rows["2-large"]["settings"]
    run = Runs(tmp_path).run("2-large")
    assert run["rows"] == trainer.history.rows and run["command"].endswith("2-large/config.toml")


def test_confusion_and_its_images(tmp_path: Path) -> None:
    trained(tmp_path / "one", 10, epochs=1)
    runs = Runs(tmp_path)
    found = runs.confusion("one")
    _, valid, _ = load("digits")
    assert np.sum(found["confusion"], axis=1).tolist() == np.bincount(valid.labels).tolist()
    counts = np.array(found["confusion"])
    true, answer = divmod(int((counts - np.diag(np.diag(counts))).argmax()), 10)
    images = runs.cell("one", true, answer)["images"]
    assert len(images) == min(60, counts[true, answer])
    assert all(valid.labels[image["index"]] == true for image in images)
    assert runs.network("one").predict(valid.images[images[0]["index"]][None]).argmax() == answer


@pytest.mark.parametrize("name", ["", "..", "../..", "/etc", "one/../one", None])
def test_runs_are_named_as_listed(tmp_path: Path, name: object) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "config.toml").write_text("")
    with pytest.raises(ConfigError, match="there is no run"):
        Runs(tmp_path).folder(name)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/own", {"do": "add", "name": "../x", "label": 3, "pixels": INK}),
        ("/api/own", {"do": "remove", "name": "mine", "file": "../../x"}),
        ("/api/own", {"do": "wipe"}),
        ("/api/own?name=../runs", None),
        ("/api/own.zip?name=..%2Fruns", None),
        ("/api/run?name=../../etc&what=network", None),
        ("/api/run?name=..", None),
    ],
)
def test_requests_that_would_leave_the_folders(served, path: str, body: object) -> None:
    options = {"method": "POST", "body": json.dumps(body).encode()} if body else {}
    assert ask(served, path, **options)[0] == 400


@pytest.mark.web
@pytest.mark.slow
def test_digits_are_collected_and_downloaded(open_page, served, tmp_path) -> None:
    page = open_page("/digits?set=test")
    box = page.locator("canvas.drawing").bounding_box()
    for label in ("0", "1"):
        page.mouse.move(box["x"] + 150, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 160, box["y"] + 250, steps=8)
        page.mouse.up()
        page.keyboard.press("Enter")
        page.wait_for_selector(f".own-row .digit:text-is('{label}')")
    assert [p.parent.name for p in sorted((served.play.own / "test").glob("*/*.png"))] == ["0", "1"]
    page.wait_for_selector("text=reads")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as ZIP").click()
    import zipfile

    assert zipfile.ZipFile(download.value.path()).namelist() == ["test/0/000.png", "test/1/000.png"]
    page.locator(".own-image.wrong .remove, .own-image .remove").first.click(force=True)
    page.wait_for_selector(".own-row .digit:text-is('0')", state="detached")
    page.get_by_role("button", name="Train on these").click()
    page.wait_for_selector("html[data-screen=train]")
    assert page.get_by_role("combobox", name="Images").input_value() == "own/test"


@pytest.mark.web
@pytest.mark.slow
def test_page_of_a_run_follows_it(open_page, served) -> None:
    folder = served.play.runs / "7-live"
    trainer = trained(folder, 6, epochs=2)
    (folder / "config.toml").write_text((folder / "config.toml").read_text().replace("epochs = 2", "epochs = 9"))
    page = open_page("/runs?run=7-live")
    page.wait_for_selector("text=2 of 9 epochs")
    trainer.history.rows.append({**trainer.history.rows[-1], "epoch": 3})
    trainer.history.save(folder / "history.jsonl")
    page.wait_for_selector("text=3 of 9 epochs")


@pytest.mark.web
@pytest.mark.slow
def test_runs_are_listed_compared_and_opened(open_page, served) -> None:
    for name, hidden in (("8-small", 5), ("9-large", 20)):
        trained(served.play.runs / name, hidden)
    page = open_page("/runs")
    page.wait_for_selector("a:text-is('9-large')")
    page.get_by_role("searchbox").fill("large")
    page.wait_for_selector("a:text-is('8-small')", state="detached")
    page.get_by_label("Show the curve of 9-large").check()
    page.wait_for_selector(".legend li:has-text('9-large')")
    assert "filter=large" in page.url
    page.get_by_role("link", name="9-large").click()
    page.wait_for_selector(".result:has-text('%')")
    assert "--from-file" in page.locator(".command code").first.inner_text()
    page.locator(".confusion td button").first.click()
    page.wait_for_selector("text=taken for")
    page.locator(".failures button").first.click()
    page.wait_for_selector("html[data-screen=open]")
    assert "9-large" in page.locator("#network-name").inner_text()


@pytest.mark.web
@pytest.mark.slow
def test_list_of_runs_keeps_the_focus_and_follows_the_folder(open_page, served) -> None:
    trained(served.play.runs / "10-first", 5)
    page = open_page("/runs")
    box = page.get_by_label("Show the curve of 10-first")
    box.focus()
    for _ in range(2):
        page.wait_for_event("response", lambda response: "runs" in response.url, timeout=10_000)
    page.wait_for_timeout(100)
    assert page.evaluate("document.activeElement.ariaLabel") == "Show the curve of 10-first"
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.wait_for_timeout(3500)
    trained(served.play.runs / "11-second", 5)
    page.evaluate("delete document.hidden")
    page.wait_for_selector("a:text-is('11-second')", timeout=10_000)


@pytest.mark.web
@pytest.mark.slow
def test_choices_of_the_list_of_runs_last(open_page, served) -> None:
    names = ["12 with~a tilde", "13-" + "a-long-name-" * 12, "14-short"]
    for name in names:
        trained(served.play.runs / name, 5, epochs=1)
    page = open_page("/runs")
    page.wait_for_selector("table.runs")
    page.wait_for_selector(".legend li")
    best = page.locator("table.runs tbody tr", has_text="14-short").locator("td.number").first
    assert best.bounding_box()["x"] < 900, "a long name pushes no column out of sight"
    while (boxes := page.locator("table.runs input:checked")).count():
        boxes.first.uncheck()
    page.wait_for_event("response", lambda response: "runs" in response.url, timeout=10_000)
    page.wait_for_timeout(100)
    assert page.locator(".legend li").count() == 0, "what was taken away stays away"
    page.get_by_role("searchbox").fill("12 with")
    page.get_by_label(f"Show the curve of {names[0]}").check()
    page.reload()
    page.wait_for_selector(f".legend li:has-text('{names[0]}')")
    chosen = page.url
    page.get_by_role("link", name=names[0]).click()
    page.wait_for_selector(".result")
    page.get_by_role("button", name="All runs").click()
    page.wait_for_selector("table.runs")
    assert page.url == chosen and page.get_by_role("searchbox").input_value() == "12 with"
    page.go_back()
    page.wait_for_selector(".result")


@pytest.mark.web
@pytest.mark.slow
def test_screens_say_so_when_the_server_has_stopped(browser, tmp_path) -> None:
    server = serving(Play(mlp([64, 5, 10]), "small", None, tmp_path / "runs", tmp_path / "own"))
    trained(tmp_path / "runs" / "1-live", 6, epochs=2)
    page = browser.new_context().new_page()
    page.goto(server.at("/runs?run=1-live").address)
    page.wait_for_selector(".result")
    page.goto(page.url.split("#")[0] + "#/runs")
    page.wait_for_selector("table.runs")
    server.end()
    page.wait_for_timeout(6500)  # two requests
    assert page.locator("#status p").all_text_contents() == ["The server does not answer; start digitlab play again."]
    page.goto(page.url.split("#")[0] + "#/runs?run=1-live")
    page.wait_for_selector("main p:has-text('The server does not answer')")
    page.keyboard.press("7")
    page.get_by_role("button", name="All runs").click()
    page.wait_for_selector("text=The list of runs is unavailable.")
    page.keyboard.press("4")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("#status p:has-text('The server did not take the training')")
    assert page.locator(".training-status").inner_text().startswith("Ready")
    page.keyboard.press("6")
    page.wait_for_selector("section[aria-label='Your digits'] p:has-text('The server does not answer')")
    assert "Nothing is collected" not in page.locator("main").inner_text()
    assert "You have no" not in page.locator("main").inner_text()
    page.keyboard.press("1")
    page.get_by_role("button", name="Worst failures").click()
    page.wait_for_selector("#status p:has-text('The server does not answer')")
    assert "Looking for failures" not in page.locator("main").inner_text()
    page.context.close()
