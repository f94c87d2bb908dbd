"""What is wrong, what was forgotten, what may be mislabelled; and pages that stand by themselves."""

import base64
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from digitlab.errors import ShapeError
from digitlab.train.evaluation import class_shares
from digitlab.viz.failures import failures_figure, find_failures, find_mislabelled, suspects_figure
from digitlab.viz.failures_page import failures_page
from digitlab.viz.learning import follow, learning_figure, learning_images_figure
from digitlab.viz.pages import as_bytes, png_bytes, render

NAMES = ("zero", "one", "<two>")
PROBABILITIES = np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7], [0.6, 0.2, 0.2]])
LABELS = np.array([0, 2, 0, 2, 1])
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 4)).astype(np.uint8)


def test_failures_are_the_wrong_ones_surest_first():
    found = find_failures(PROBABILITIES, LABELS)
    assert_array_equal(found.positions, [2, 4, 1])
    assert_array_equal(found.labels, [0, 1, 2])
    assert_array_equal(found.guesses, [1, 0, 1])
    assert_allclose(found.confidences, [0.8, 0.6, 0.5])
    with pytest.raises(ShapeError, match=r"expected \(4, classes\)"):
        find_failures(PROBABILITIES, LABELS[:4])


def test_probabilities_sum_to_1():
    softmax = np.array([[0.25, 0.75]])
    assert_allclose(class_shares(softmax), softmax)
    assert_allclose(class_shares(np.array([[0.2, 0.6], [0, 0], [-1, 3]])), [[0.25, 0.75], [0.5, 0.5], [0, 1]])


def test_mislabelled_is_what_all_contradict_alike():
    sure = np.eye(3)[[1, 1, 0, 2]]
    labels = np.array([1, 0, 0, 1])
    dissent = np.eye(3)[[1, 1, 0, 0]]
    assert_array_equal(find_mislabelled([sure, sure], labels).positions, [1, 3])
    found = find_mislabelled([sure, sure, dissent], labels, least_agreement=0.8)
    assert_array_equal(found.positions, [1])
    assert (found.guesses[0], found.agreement[0], found.doubt[0]) == (1, 1.0, 1.0)
    two_thirds = find_mislabelled([sure, sure, dissent], labels, least_agreement=2 / 3)
    assert_array_equal(two_thirds.positions, [1, 3], "doubt 1, then ⅔")
    assert_allclose(two_thirds.doubt, [1, 2 / 3])


def test_a_planted_wrong_label_comes_first():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 50)
    several = [0.8 * np.eye(3)[labels] + 0.2 * rng.dirichlet(np.ones(3), 50) for _ in range(4)]
    labels[17] = (labels[17] + 1) % 3
    assert find_mislabelled(several, labels).positions.tolist() == [17]


@pytest.mark.slow
def test_pictures_of_failures():
    found = find_failures(PROBABILITIES, LABELS)
    figure = failures_figure(IMAGES, found, NAMES, total=5, limit=2)
    assert [axes.get_title() for axes in figure.axes] == [
        f"no. {at}\n{text}" for at, text in zip(found.positions, ("zero → one\n80 %", "one → zero\n60 %"))
    ]
    assert_array_equal(figure.axes[0].get_images()[0].get_array(), IMAGES[2])
    assert "3 of 5 misclassified" in figure.get_suptitle()
    assert "1 more not shown" in figure.get_suptitle()
    assert failures_figure(IMAGES, find_failures(PROBABILITIES, PROBABILITIES.argmax(1)), NAMES, total=5).axes == []
    suspects = suspects_figure(IMAGES, find_mislabelled([PROBABILITIES], LABELS), NAMES)
    assert len(suspects.axes) == 3


# The page


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_has_a_card_per_failure_with_its_data_and_image():
    text = failures_page(IMAGES, find_failures(PROBABILITIES, LABELS), NAMES, total=5, title="Wrong & <sure>")
    tags = Tags(text)
    assert tags.open == [], "every element is closed"
    cards = tags.all("li")
    assert [card["data-position"] for card in cards] == ["2", "4", "1"]
    assert [(card["data-true"], card["data-guessed"]) for card in cards] == [("0", "1"), ("1", "0"), ("2", "1")]
    assert [float(card["data-confidence"]) for card in cards] == [0.8, 0.6, 0.5]
    assert "3 of 5 images are misclassified (60.00 %)" in text
    assert "Wrong &amp; &lt;sure&gt;" in text
    assert "&lt;two&gt;" in text
    assert "<two>" not in text
    picture = tags.all("img")[0]
    assert picture["alt"] == "image 2, a zero read as one"
    png = base64.b64decode(picture["src"].removeprefix("data:image/png;base64,"))
    assert_array_equal(255 - np.asarray(Image.open(io.BytesIO(png))), IMAGES[2])
    assert tags.all("html") == [{"lang": "en"}]
    assert len(tags.all("select")) == 3
    assert [option["value"] for option in tags.all("option")[:4]] == ["", "0", "1", "2"]


def test_the_page_needs_nothing_from_elsewhere():
    text = failures_page(IMAGES, find_failures(PROBABILITIES, LABELS), NAMES, total=5, title="x")
    tags = Tags(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"base64,[^\"]*", "", text))
    for tag, attributes in tags.found:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:"), tag
    (policy,) = [meta["content"] for meta in tags.all("meta") if meta.get("http-equiv")]
    assert policy.startswith("default-src 'none'")


def test_a_long_page_says_what_it_leaves_out_and_an_empty_one_is_whole():
    text = failures_page(IMAGES, find_failures(PROBABILITIES, LABELS), NAMES, total=5, title="x", limit=2)
    assert len(Tags(text).all("li")) == 2
    assert "The 1 images with the lowest confidence are not shown" in text
    empty = failures_page(IMAGES, find_failures(PROBABILITIES, PROBABILITIES.argmax(1)), NAMES, total=5, title="x")
    assert "0 of 5 images" in empty


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here to run the page's script")
def test_the_script_sorts_and_filters(tmp_path):
    stub = """
const make = (position, truth, guessed, confidence) => ({hidden: false, dataset:
  {position: String(position), true: String(truth), guessed: String(guessed), confidence: String(confidence)}});
const cardList = {children: [make(2, 0, 1, .8), make(4, 1, 0, .6), make(1, 2, 1, .5)], order: [],
              append(card) { this.order.push(card); }};
const chosen = {true: "", guessed: "", least: "0", order: "surest"};
const handlers = {}, status = {}, output = {};
const controls = {addEventListener: (name, f) => handlers[name] = f};
globalThis.FormData = class { get(key) { return chosen[key]; } };
const page = {form: controls, "#cards": cardList, "#count": status, "#level": output};
globalThis.document = {querySelector: selector => page[selector]};
const tell = () => { console.log(cardList.order.filter(c => !c.hidden).map(c => c.dataset.position).join(),
                                 status.textContent); cardList.order = []; };
"""
    checks = """
tell();
Object.assign(chosen, {order: "position"}); handlers.input(); tell();
Object.assign(chosen, {order: "unsurest", guessed: "1"}); handlers.input(); tell();
Object.assign(chosen, {least: "60"}); handlers.input(); tell();
Object.assign(chosen, {guessed: "", true: "1"}); handlers.input(); tell();
"""
    script = (files("digitlab.viz") / "templates" / "failures.js").read_text(encoding="utf-8")
    path = tmp_path / "page.mjs"
    path.write_text(stub + "{" + script + checks + "}", encoding="utf-8")
    done = subprocess.run(["node", str(path)], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "2,4,1 3 of 3 shown",
        "1,2,4 3 of 3 shown",
        "1,2 2 of 3 shown",
        "2 1 of 3 shown",
        "4 1 of 3 shown",
    ]


def test_pages_and_their_pictures():
    assert "<title>a &lt; b</title>" in render("page.html", "a < b")
    assert_array_equal(as_bytes(np.array([[-1.0, 0.0, 1.0]])), [[0, 128, 255]])
    assert_array_equal(as_bytes(np.full((2, 2), 3.0)), np.zeros((2, 2)))
    image = Image.open(io.BytesIO(png_bytes(np.array([[0, 255]], np.uint8), scale=3)))
    assert image.size == (6, 3)
    assert_array_equal(np.asarray(image)[0], [255, 255, 255, 0, 0, 0])


# Over the epochs


def test_learned_forgotten_and_never_learned():
    labels = np.array([0, 1, 2, 0, 1], np.uint8)
    predictions = np.array([[0, 0, 2, 1, 0], [0, 1, 0, 1, 1], [0, 0, 2, 1, 2], [0, 1, 0, 2, 2]], np.uint8)
    found = follow(predictions, labels)
    assert found.counts() == {"always right": 1, "learned": 1, "forgotten": 2, "never learned": 1}
    assert_array_equal(found.kind, [0, 1, 2, 3, 2])
    assert_array_equal(found.first_right, [0, 1, 0, -1, 1])
    assert_array_equal(found.forgettings, [0, 1, 2, 0, 1])
    with pytest.raises(ShapeError):
        follow(predictions, labels[:3])

    figure = learning_figure([1, 2, 3, 4], found)
    left, right = figure.axes
    assert_array_equal(left.get_lines()[0].get_ydata(), [3, 2, 3, 3])
    assert_array_equal(left.get_lines()[1].get_ydata(), [3, 1, 1, 1], "never right so far")
    heights = [bar.get_height() for bar in right.patches]
    assert heights == [2, 1, 1, -1, -2, -1], "learned, then forgotten, since the epoch before"
    assert (left.get_xlabel(), left.get_ylabel()) == ("epoch", "images")

    grid = learning_images_figure(IMAGES, labels, predictions[-1], found, NAMES)
    assert [part.get_suptitle() for part in grid.subfigs] == [
        "learned: 1 images",
        "forgotten: 2 images",
        "never learned: 1 images",
    ]
    assert grid.subfigs[1].axes[0].get_title() == "<two> → zero\nforgotten 2×", "the most often forgotten comes first"
