"""Characters in many hands, their ink, and the images and pictures made of them."""

import importlib

import numpy as np
import pytest
from scipy import ndimage

from digitlab.data.synthetic.captures import captured
from digitlab.data.synthetic.clutter import draw_clutter
from digitlab.data.synthetic.hand_digits import hand_digits
from digitlab.data.synthetic.hands import forms, write_digit, write_form, write_text, write_word
from digitlab.data.synthetic.other_marks import KINDS as OTHER_KINDS
from digitlab.data.synthetic.other_marks import other_marks
from digitlab.data.synthetic.pens import PENS, ink_of
from digitlab.data.synthetic.snapshots import KINDS, draw_snapshot
from digitlab.errors import ConfigError

marks = importlib.import_module("digitlab.data.synthetic.other_marks")  # its name is that of a function, too


def rng(seed=0):
    return np.random.default_rng(seed)


def test_every_digit_has_several_forms():
    assert sorted(forms()["digits"]) == list("0123456789")
    assert all(len(of) >= 6 for of in forms()["digits"].values())
    assert not set("OSIZ") & set(forms()["letters"])  # which a network should not learn as "no digit"


@pytest.mark.parametrize("label", range(10))
def test_a_written_digit_has_the_size_of_its_box_and_is_never_the_same(label):
    written = [np.concatenate(write_digit(label, rng(seed))) for seed in range(8)]
    assert all(0.9 < np.ptp(points[:, 1]) < 2.2 for points in written)
    assert len({len(points) for points in written} | {round(float(p[0, 0]), 6) for p in written}) > 8


@pytest.mark.parametrize("pen", PENS)
def test_a_pen_leaves_ink_of_the_height_asked_for(pen):
    line = [np.stack([np.linspace(0, 0.3, 40), np.linspace(0, 1.4, 40)], axis=1)]
    ink = ink_of(line, rng(1), pen, 40)
    rows = np.flatnonzero(ink.max(axis=1) > 0.2)
    assert ink.dtype == np.float32 and ink.min() >= 0 and ink.max() <= 1
    assert 34 <= rows[-1] - rows[0] <= 40 * (1 + PENS[pen].width[1]) + 4
    assert not (ink[[0, -1]].any() or ink[:, [0, -1]].any())  # the margin


def test_images_have_mnists_form_and_come_again_with_the_seed():
    labels = np.arange(10)
    images = hand_digits(labels, rng(2))
    assert images.shape == (10, 28, 28) and images.dtype == np.uint8
    np.testing.assert_array_equal(images, hand_digits(labels, rng(2)))
    y = (images.sum(axis=2) * np.arange(28)).sum(axis=1) / images.sum(axis=(1, 2))
    assert np.all(np.abs(y - 14) < 1.5)  # the centre of mass
    assert images.max(axis=(1, 2)).min() > 200


@pytest.mark.parametrize("kind", sorted(set(OTHER_KINDS), key=lambda kind: kind.__name__), ids=lambda k: k.__name__)
def test_other_marks_of_every_kind_leave_ink(kind):
    digits = np.zeros((1, 28, 28), np.uint8)  # a broad 2 of straight pieces
    digits[0, [4, 14, 23], 4:24] = digits[0, 4:14, 23] = digits[0, 14:24, 4] = 255
    made = [kind(digits, rng(seed)) for seed in range(4)]
    assert any((ink > 0.3).sum() >= 12 for ink in made)
    assert all(ink.ndim == 2 and ink.max() <= 1.01 for ink in made)


def test_other_marks_and_words():
    marks = other_marks(6, hand_digits(np.array([0, 2]), rng(4)), rng(5))
    assert marks.shape == (6, 28, 28)
    assert len(write_text(5, rng(6))) == 5 and write_word(rng(7))
    assert all(draw_clutter(rng(seed)).max() > 0.3 for seed in range(12))


def test_nothing_is_left_of_blank_paper():
    assert captured(np.zeros((30, 30), np.float32), rng()) is None


@pytest.mark.parametrize("kind", KINDS)
def test_snapshots_know_where_their_digits_are(kind):
    picture = draw_snapshot(kind, rng(8))
    h, w = picture.image.shape[:2]
    assert picture.image.dtype == np.uint8 and picture.image.shape == (h, w, 3)
    assert bool(picture.truth) == (kind not in ("words", "print", "figure"))
    for digit in picture.truth:
        left, top, right, bottom = digit.box
        assert 0 <= left < right <= w and 0 <= top < bottom <= h
    np.testing.assert_array_equal(picture.image, draw_snapshot(kind, rng(8)).image)


@pytest.mark.parametrize("kind", ["paint", "canvas", "several-drawn"])
def test_the_boxes_of_a_drawing_hold_all_of_its_ink(kind):
    picture = draw_snapshot(kind, rng(9))
    paper = picture.image[0, 0].astype(int)
    inked = np.abs(picture.image - paper).max(axis=2) > 120
    for digit in picture.truth:
        left, top, right, bottom = digit.box
        assert inked[top:bottom, left:right].any()
        inked[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = False
    assert not inked.any()


def test_an_unknown_kind_of_snapshot():
    with pytest.raises(ConfigError, match="kind: got"):
        draw_snapshot("photos", rng())


def test_pictures_of_few_pixels_and_thick_pens_widen_strokes():
    ones = hand_digits(np.ones(150, np.int64), rng(5)) > 127
    width = ones.sum(axis=(1, 2)) / 20  # of a stroke 20 pixels high
    assert (width > 5).sum() > 5 and (width < 3).sum() > 40


def test_tiny_pictures_widen_strokes_and_noise_does_not_cover_a_thin_pen():
    labels = np.arange(60) % 10
    tiny, usual = hand_digits(labels, rng(6), tiny=True), hand_digits(labels, rng(6))
    assert (tiny > 127).sum() > 1.1 * (usual > 127).sum()
    thin = [
        captured(ink_of(write_digit(int(label), rng(n)), rng(n), "ball"), rng(n), tiny=True)
        for n, label in enumerate(labels)
    ]
    pieces = [ndimage.label(image > 60, np.ones((3, 3)))[1] for image in thin if image is not None]
    assert np.mean(np.array(pieces) > 3) < 0.04


def test_a_form_is_written_with_its_corners_and_strokes_apart():
    stroke, bar = write_form("0,0 9,0! 4,14; 2,7 8,7", rng(3))
    assert np.ptp(stroke[:, 1]) > 1.1 and np.ptp(bar[:, 1]) < 0.4
    assert bar[:, 0].min() > stroke[:, 0].min() and bar[:, 1].mean() < stroke[:, 1].max()


def test_other_marks_are_no_upright_strokes(monkeypatch):
    bar, cross = np.zeros((2, 72, 72), np.float32)
    bar[8:64, 30:48] = cross[8:64, 33:39] = cross[33:39, 8:64] = 1
    drawn = iter([bar, cross] * 3)
    monkeypatch.setattr(marks, "draw_clutter", lambda rng: next(drawn))
    monkeypatch.setattr(marks, "KINDS", (marks._clutter,))
    found = marks.other_marks(3, np.zeros((1, 28, 28), np.uint8), rng(8))
    assert np.all((found > 127).any(axis=1).sum(axis=1) > 15)  # as wide as the cross
