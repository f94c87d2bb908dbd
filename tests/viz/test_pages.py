"""The templates of the pages of HTML."""

from pathlib import Path

import numpy as np
import pytest
from jinja2 import UndefinedError
from PIL import Image

import digitlab.viz
from digitlab.viz.pages import data_uri, render, write_picture

TEMPLATES = Path(digitlab.viz.__file__).parent / "templates"


def test_every_value_is_escaped():
    text = render("look.html", "a < b", summary="<script>", pictures=[{"name": "&", "caption": '"', "file": "x"}])
    assert "<title>a &lt; b</title>" in text and "<h1>a &lt; b</h1>" in text
    assert "&lt;script&gt;" in text and "<h2>&amp;</h2>" in text and 'alt="&#34;"' in text


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError):
        render("look.html", "x")


def test_local_pictures_are_allowed_only_where_asked_for():
    assert "'self'" not in render("page.html", "x")
    assert "img-src data: 'self' file:;" in render("page.html", "x", local_pictures=True)


def test_there_is_one_stylesheet():
    assert [path.name for path in TEMPLATES.glob("*.css") if "{ color-scheme" in path.read_text()] == ["style.css"]
    with_rules = {path.name for path in TEMPLATES.glob("*.html") if "<style" in path.read_text()}
    assert with_rules == {"page.html", "worksheet.html"}  # a worksheet is for paper


def test_rules_for_notebooks_touch_nothing_else_on_the_page():
    rules = (TEMPLATES / "notebook/notebook.css").read_text().split("}")[:-1]
    selectors = [selector.strip() for rule in rules for selector in rule.split("{")[0].split(",")]
    assert len(selectors) > 5 and all(selector.startswith(".digitlab") for selector in selectors)


def test_a_picture_with_numbers_below_0_is_red_and_blue(tmp_path):
    write_picture(tmp_path / "signed.png", np.array([[-1.0, 1.0]]), scale=1)
    write_picture(tmp_path / "grey.png", np.array([[0.5, 1.0]]), scale=1)
    with Image.open(tmp_path / "signed.png") as signed, Image.open(tmp_path / "grey.png") as grey:
        (blue, red), (white, black) = [np.asarray(image.convert("RGB"))[0].tolist() for image in (signed, grey)]
    assert blue[2] > blue[0] and red[0] > red[2] and (white, black) == ([255] * 3, [0] * 3)


def test_a_picture_as_an_address():
    assert data_uri(b"abc", "image/gif") == "data:image/gif;base64,YWJj"
