"""Synthetic digits: other handwriting styles, colours, scenes, pages, and marks that are not digits."""

import numpy as np
import pytest

from digitlab.data import Digits, load, write_npz
from digitlab.data.photos.mnist_form import mnist_form
from digitlab.data.splits import Splits
from digitlab.data.synthetic import (
    APPEARANCES,
    BACKGROUNDS,
    coloured,
    draw_scene,
    make_appearance,
    other_handwriting,
    other_marks,
)
from digitlab.data.synthetic.colours import MIN_CONTRAST, background, inked
from digitlab.data.synthetic.pages import STYLES, draw_page, read_truth, write_pages
from digitlab.data.synthetic.strokes import draw_digit
from digitlab.errors import ConfigError, DataError, ShapeError


@pytest.fixture(scope="module")
def drawn() -> Digits:
    """Sixty digits of a pen in MNIST's form."""
    rng = np.random.default_rng(6)
    labels = np.arange(60) % 10
    images = [mnist_form(draw_digit(int(d), 60, rng, width=0.1).astype(np.float32) / 255) for d in labels]
    return Digits(np.stack(images), labels, name="drawn")


def test_other_hands_differ_and_keep_the_form(drawn: Digits) -> None:
    made = other_handwriting(drawn.images, np.random.default_rng(1))
    assert made.shape == drawn.images.shape and made.dtype == np.uint8
    assert np.array_equal(made, other_handwriting(drawn.images, np.random.default_rng(1)))
    assert (made != drawn.images).any(axis=(1, 2)).all()
    box = [np.ptp(np.flatnonzero((image > 60).any(axis=1))) + 1 for image in made]
    assert np.mean(box) == pytest.approx(19, abs=1.5)
    thickness = made.astype(float).sum(axis=(1, 2)) / drawn.images.astype(float).sum(axis=(1, 2))
    assert thickness.min() < 0.9 and thickness.max() > 1.2  # thin and thick
    still = other_handwriting(drawn.images, np.random.default_rng(1), turn=0, slant=0, stretch=0, pen=False, shift=0)
    changes = [np.abs(other.astype(float) - drawn.images).mean() for other in (still, made)]
    assert changes[0] < 0.65 * changes[1]  # brought to the form again, and nothing else
    with pytest.raises(ShapeError, match=r"expected uint8 \(N, 28, 28\)"):
        other_handwriting(drawn.images[0], np.random.default_rng(1))


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_colours_can_be_told_apart(drawn: Digits, kind: str) -> None:
    """The ink differs from the paper by the promised distance, and both polarities occur."""
    made = coloured(drawn.images, np.random.default_rng(2), backgrounds=(kind,)).astype(float)
    assert made.shape == (60, 28, 28, 3)
    lighter = 0
    for image, ink in zip(made, drawn.images, strict=True):
        pen, paper = image[ink > 240].mean(axis=0), image[ink == 0].mean(axis=0)
        assert np.linalg.norm(pen - paper) > MIN_CONTRAST - 15
        lighter += pen.sum() > paper.sum()
    assert 10 < lighter < 50
    assert len({tuple(image[0, 0]) for image in made}) > 50


def test_ink_and_paper_by_hand() -> None:
    paper = np.full((2, 2, 3), 200.0, np.float32)
    made = inked(paper, np.array([[0, 255], [128, 0]], np.uint8), np.random.default_rng(0)).astype(float)
    assert made[0, 0].tolist() == made[1, 1].tolist() == [200, 200, 200]
    assert np.allclose(made[1, 0], 200 + (made[0, 1] - 200) * 128 / 255, atol=1.5)


def test_backgrounds_are_what_they_are_called() -> None:
    rng = np.random.default_rng(3)
    assert background("plain", 40, 40, rng).std(axis=(0, 1)).max() < 1e-3
    rough = background("noise", 40, 40, rng)
    smooth = background("gradient", 40, 40, rng)
    assert np.abs(np.diff(rough, axis=0)).mean() > 3 * np.abs(np.diff(smooth, axis=0)).mean()
    with pytest.raises(ConfigError, match=r"got \['marble'\], expected some of plain"):
        coloured(np.zeros((1, 28, 28), np.uint8), rng, backgrounds=("marble",))


def test_other_marks_have_the_form(drawn: Digits) -> None:
    marks = other_marks(80, drawn.images, np.random.default_rng(4))
    assert marks.shape == (80, 28, 28) and (marks.max(axis=(1, 2)) > 150).all()
    assert np.array_equal(marks, other_marks(80, drawn.images, np.random.default_rng(4)))


def test_sets_keep_training_and_test_apart(drawn: Digits, tmp_path) -> None:
    parts = Splits(*drawn.split(40, 10, 10))
    train, test = make_appearance("mnist-rgb", parts, n=20, seed=1)
    assert len(train) == 24 and len(test) == 4
    assert np.array_equal(train.images[:20, ..., 1], parts.train.images[:20])
    assert np.array_equal(train.images[20:, ..., 0], parts.valid.images[:4])  # type: ignore[union-attr]
    assert np.array_equal(test.images[..., 2], parts.test.images[:4])
    write_npz(tmp_path / "made.npz", train, test)
    loaded = load(tmp_path / "made.npz")
    assert loaded.valid is not None and (len(loaded.train), len(loaded.valid), len(loaded.test)) == (20, 4, 4)
    assert np.array_equal(loaded.valid.images, train.images[20:])
    for kind in APPEARANCES:
        made, _ = make_appearance(kind, parts, n=5, seed=1)
        again, _ = make_appearance(kind, parts, n=5, seed=1)
        assert np.array_equal(made.images, again.images) and made.labels.tolist() == [*range(5), 0]


def test_sets_that_cannot_be_made(drawn: Digits) -> None:
    parts = Splits(*drawn.split(40, 10, 10))
    with pytest.raises(ConfigError, match="got 'sepia'; there are: colour-mnist"):
        make_appearance("sepia", parts)
    with pytest.raises(DataError, match="expected 5 to 40"):
        make_appearance("hands", parts, n=41)
    with pytest.raises(DataError, match="no validation images"):
        make_appearance("hands", parts._replace(valid=None))


def test_scenes_say_what_stands_where(drawn: Digits) -> None:
    scene = draw_scene(drawn, np.random.default_rng(7), size=(240, 360), background_kind="plain")
    assert scene.image.shape == (240, 360, 3) and 1 <= len(scene.truth) <= 8
    paper = scene.image[0, 0].astype(int)
    outside = np.abs(scene.image.astype(int) - paper).sum(axis=2) > 30
    for truth in scene.truth:
        left, top, right, bottom = truth.box
        box = outside[top:bottom, left:right]
        assert box.any(axis=1).mean() > 0.9 and box.any(axis=0).mean() > 0.9  # the box fits
        outside[top:bottom, left:right] = False
    assert not outside.any()  # and nothing stands outside of one


@pytest.mark.parametrize("style", STYLES)
def test_sheets_say_what_stands_where(style: str, drawn: Digits) -> None:
    sheet = draw_page(style, np.random.default_rng(1), lines=2, columns=3, digits=drawn)
    assert sheet.image.dtype == np.uint8 and sheet.image.shape[2] == 3 and len(sheet.truth) == 6
    again = draw_page(style, np.random.default_rng(1), lines=2, columns=3, digits=drawn)
    assert np.array_equal(again.image, sheet.image) and again.truth == sheet.truth
    for truth in sheet.truth:
        left, top, right, bottom = truth.box
        assert 0 <= left < right <= sheet.image.shape[1] and 0 <= top < bottom <= sheet.image.shape[0]
        spot = sheet.image[top:bottom, left:right].astype(float).mean(axis=2)
        assert np.ptp(spot) > 25  # something stands there


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1, 2]", r"got \[1, 2\], expected the digits of each picture by its name"),
        ('{"a.png": 7}', r"a\.png: got 7, expected a list of"),
        ('{"a.png": [{"label": "x", "box": [1, 2, 3, 4]}]}', r"a\.png: got {'label': 'x'"),
        ('{"a.png": [{"label": 7, "box": [1, 2, 3]}]}', r"expected a list of {\"label\": 7, \"box\": \[left"),
        ('{"a.png": [{"label": 7, "box": [1, 2, 3, Infinity]}]}', "inf"),
    ],
)
def test_a_file_that_holds_no_truth(text, message, tmp_path):
    path = tmp_path / "truth.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_truth(path)
    assert str(caught.value).startswith(str(path)) and "Error" not in str(caught.value)


def test_sheets_on_disk(tmp_path, drawn: Digits) -> None:
    sheets = [draw_page("clean", np.random.default_rng(i), lines=1, columns=2) for i in range(2)]
    path = write_pages(tmp_path, sheets)
    assert [f.name for f in sorted(tmp_path.iterdir())] == ["clean-000.png", "clean-001.png", "truth.json"]
    assert read_truth(path)["clean-001.png"] == sheets[1].truth
    with pytest.raises(ConfigError, match="got 'papyrus'; there are: clean"):
        draw_page("papyrus", np.random.default_rng(0))
