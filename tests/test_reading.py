"""Reading photos: the test sheets, whose truth is known; what is no digit; networks of every kind."""

from functools import cache

import numpy as np
import pytest

from digitlab.data import Digits, Splits, find_mnist, load
from digitlab.data.photos.scoring import Score, overlap, score_reading
from digitlab.data.synthetic.pages import FACES, STYLES, draw_page, print_digit
from digitlab.data.synthetic.strokes import draw_digit, draw_path, smooth
from digitlab.errors import ShapeError
from digitlab.nn import Dense, Network, mlp
from digitlab.nn.zoo import build_named
from digitlab.reading import Reading, read_photo
from digitlab.shipped import PATH, shipped_network


@cache
def shipped() -> Network:
    return shipped_network()


@cache
def real_digits() -> Digits | None:
    """MNIST's test images, which the shipped network never saw, where they are at hand."""
    return load("mnist", part="test") if find_mnist() is not None else None


def page_with(*marks: np.ndarray, height: int = 160) -> np.ndarray:
    """Marks side by side on white paper, (H, W, 3)."""
    width = sum(mark.shape[1] + 50 for mark in marks) + 50
    page = np.full((height, width), 245, np.uint8)
    left = 50
    for mark in marks:
        top = (height - mark.shape[0]) // 2
        page[top : top + mark.shape[0], left : left + mark.shape[1]] -= (mark * 0.85).astype(np.uint8)
        left += mark.shape[1] + 50
    return np.repeat(page[..., None], 3, axis=2)


def read_sheet(style: str, seed: int) -> tuple[Score, Reading]:
    sheet = draw_page(style, np.random.default_rng(seed), digits=real_digits())
    reading = read_photo(shipped(), sheet.image)
    return score_reading(sheet.truth, [(d.label, d.box) for d in reading.digits], name=style), reading


# The promise: of all digits on the sheets 97 % are found, and 95 % of those found are right


@pytest.mark.slow
def test_the_test_sheets():
    total = Score()
    for seed, style in enumerate(STYLES):
        score, _ = read_sheet(style, 1000 + seed)
        total += score
        least = 0.7 if style == "tight" else 0.93
        assert score.found >= least * score.there, f"{style}: {score}\n" + "\n".join(score.failures)
    listing = f"{total}\n" + "\n".join(total.failures)
    assert total.there == 32 * len(STYLES)
    assert total.found >= 0.97 * total.there, listing
    assert total.right >= 0.95 * total.found, listing
    assert total.extra <= 0.02 * total.there, listing


def test_reading_order_is_that_of_the_sheet():
    sheet = draw_page("turned", np.random.default_rng(5), digits=None)
    reading = read_photo(shipped(), sheet.image)
    places = [max(range(32), key=lambda i: overlap(sheet.truth[i].box, digit.box)) for digit in reading.digits]
    assert len(places) >= 30 and places == sorted(places)
    assert [digit.line for digit in reading.digits] == [place // 8 for place in places]
    assert len(reading.text) == len(places) + 3  # four lines


# What is no digit


@pytest.mark.parametrize("mark", [*"AEFHKMRWX&#@=+?", "scribble", "blot", "dash"])
def test_what_is_no_digit_is_not_guessed(mark):
    if mark == "scribble":
        rng = np.random.default_rng(4)
        ink = draw_path([smooth(rng.uniform(0, 1.2, (9, 2)))], 80, 0.05)
    elif mark == "blot":
        y, x = np.mgrid[-40:41, -40:41]
        ink = ((x * x + y * y < 1500) * 255).astype(np.uint8)
    elif mark == "dash":
        ink = np.full((8, 90), 255, np.uint8)
    else:
        ink = print_digit(mark, 80, "DejaVuSans")
    reading = read_photo(shipped(), page_with(ink))
    assert not reading.digits, [(d.label, d.confidence) for d in reading.digits]
    assert len(reading.others) >= 1
    assert all(other.why_not.startswith("it ") and other.label == -1 for other in reading.others)


def test_digits_beside_something_else():
    seven, tree = print_digit("7", 80, "DejaVuSerif"), print_digit("@", 80, "DejaVuSans")
    reading = read_photo(shipped(), page_with(seven, tree, seven))
    assert reading.text == "77" and len(reading.others) == 1


def test_a_blank_page():
    reading = read_photo(shipped(), np.full((200, 300, 3), 240, np.uint8))
    assert (reading.digits, reading.others, reading.text, reading.lines) == ((), (), "", [])


def test_digits_that_touch_are_cut():
    two, three = (print_digit(text, 80, "DejaVuSans") for text in "23")
    both = np.zeros((90, two.shape[1] + three.shape[1] - 5), np.uint8)
    both[: two.shape[0], : two.shape[1]] = two
    spot = both[: three.shape[0], -three.shape[1] :]
    np.maximum(spot, three, out=spot)
    assert read_photo(shipped(), page_with(both)).text == "23"
    upper, lower = (page_with(mark) for mark in (print_digit("7", 80, "DejaVuSans"), both))
    width = max(upper.shape[1], lower.shape[1])
    lines = [np.pad(a, ((0, 0), (0, width - a.shape[1]), (0, 0)), mode="edge") for a in (upper, lower)]
    assert read_photo(shipped(), np.concatenate(lines)).text == "7\n23", "on their own line"


def test_every_face_and_pen():
    marks = [print_digit(str(d), 70, face) for d, face in zip(range(9), FACES)]
    assert read_photo(shipped(), page_with(*marks)).text == "012345678"
    rng = np.random.default_rng(8)
    pen = [draw_digit(d, 90, rng, width=0.06) for d in range(10)]
    right = sum(a == b for a, b in zip(read_photo(shipped(), page_with(*pen)).text, "0123456789"))
    assert right >= 9


# Networks


def test_the_shipped_network_is_small_and_good_and_its_confidence_means_something(mnist_splits):
    """Of the answers with confidence p, about p are right: the expected calibration error is below 1 %."""
    assert PATH.stat().st_size < 2_000_000
    labels = mnist_splits.test.labels[::4]
    p = shipped().predict(mnist_splits.test.images[::4])
    confidence, right = p.max(axis=1), np.argmax(p, axis=1) == labels
    assert right.mean() > 0.985
    bins = np.minimum((confidence * 10).astype(int), 9)
    error = sum(abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    assert error < 0.01


def test_networks_of_other_kinds():
    page = page_with(print_digit("3", 80, "DejaVuSans"))
    dense = read_photo(mlp([784, 10], seed=1), page, min_confidence=0)  # sigmoid outputs, which add up to no 1
    assert len(dense.digits) == 1 and dense.digits[0].probabilities.sum() == pytest.approx(1)
    colour = read_photo(build_named("colour-conv", seed=1), page, min_confidence=0)
    assert colour.digits[0].image.shape == (28, 28, 3)
    dash = np.full((8, 60), 255, np.uint8)
    others = read_photo(build_named("colour-conv", seed=1), page_with(dash), min_confidence=0).others
    assert [other.image.shape for other in others] == [(28, 28, 3)]
    for network, words in (
        (mlp([64, 10]), r"takes input of shape \(64,\)"),
        (mlp([784, 7]), r"outputs \(7,\), expected \(10,\)"),
        (Network([Dense(10)], 28), "photos are read as 28×28"),
    ):
        with pytest.raises(ShapeError, match=words):
            read_photo(network, page)


@pytest.mark.parametrize("face", ["DejaVuSans", "cmr10"])
def test_words_are_no_digits_and_a_number_beside_digits_is(face):
    words = [print_digit(text, 60, face) for text in ("GRAPES", "HONEY", "MILK")]
    assert read_photo(shipped(), page_with(*words)).text == ""
    numbers = [print_digit(text, 60, face) for text in ("352", "86")]
    assert read_photo(shipped(), page_with(*numbers)).text == "35286"


def test_a_bar_between_columns_is_no_1():
    bar = np.full((150, 5), 255, np.uint8)
    numbers = [print_digit(text, 40, "DejaVuSans") for text in ("36", "28")]
    reading = read_photo(shipped(), page_with(numbers[0], bar, numbers[1]))
    assert reading.text == "3628"


def test_the_network_sees_each_mark_once(monkeypatch):
    from digitlab.reading import photo

    seen, judge = [], photo.judge
    monkeypatch.setattr(photo, "judge", lambda network, images: seen.append(len(images)) or judge(network, images))
    page = page_with(*(print_digit(text, 80, "DejaVuSans") for text in "352"))
    assert read_photo(shipped(), page).text == "352" and seen == [3]


@pytest.mark.parametrize("dark", [True, False])
def test_a_triangle_in_the_corner_of_a_drawing_leaves_its_digit(dark):
    page = page_with(print_digit("3", 120, "DejaVuSans"), height=200)
    page[np.add(*np.mgrid[0 : page.shape[0], 0 : page.shape[1]]) < 45] = 20
    assert read_photo(shipped(), 255 - page if dark else page).text == "3"


def test_two_digits_that_touch_from_above_are_cut():
    three, eight = print_digit("3", 60, "DejaVuSans"), print_digit("8", 60, "DejaVuSans")
    width = max(three.shape[1], eight.shape[1])
    both = np.concatenate([np.pad(mark, ((0, 0), (0, width - mark.shape[1]))) for mark in (three, eight)])
    reading = read_photo(shipped(), page_with(print_digit("5", 60, "DejaVuSans"), both, height=240))
    assert sorted(digit.label for digit in reading.digits) == [3, 5, 8]


@pytest.mark.parametrize("left", [True, False])
def test_a_dark_table_beside_the_paper_is_no_1(left):
    page = np.full((420, 200, 3), 235, np.uint8)
    for row, text in enumerate("131"):
        mark = print_digit(text, 60, "DejaVuSans")
        h, w = mark.shape
        page[40 + 120 * row :][:h, 80 : 80 + w] -= (0.8 * mark[..., None]).astype(np.uint8)
    page[:, slice(0, 25) if left else slice(-25, None)] = (90, 60, 40)
    page = np.clip(page + np.random.default_rng(1).normal(0, 3, page.shape), 0, 255).astype(np.uint8)
    assert read_photo(shipped(), page).text == "1\n3\n1"


# Crops cut to their ink: neither the border nor the share of ink tells which colour is paper


def cut_to_ink(mark: np.ndarray) -> np.ndarray:
    return mark[np.ix_((mark > 128).any(axis=1), (mark > 128).any(axis=0))]


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_a_digit_cut_to_its_ink_is_read(light_on_dark: bool) -> None:
    rng = np.random.default_rng(5)
    for label in range(10):
        ink = cut_to_ink(draw_digit(label, 120, rng, width=0.2))
        photo = np.clip((60 if light_on_dark else 200) + (1 if light_on_dark else -1) * (ink * 0.55), 0, 255)
        reading = read_photo(shipped(), photo.astype(np.uint8))
        assert reading.text == str(label)
        box = reading.page.in_photo(reading.digits[0].box)
        assert np.abs(np.subtract(box, (0, 0, ink.shape[1], ink.shape[0]))).max() <= 12


@pytest.mark.parametrize("label", ["17", "306", "852", "4096"])
def test_digits_of_several_heights_cut_to_their_ink_are_read(label: str) -> None:
    rng, heights = np.random.default_rng(6), (120, 80, 100)
    marks = [cut_to_ink(draw_digit(int(d), heights[at % 3], rng, width=0.12)) for at, d in enumerate(label)]
    height = max(mark.shape[0] for mark in marks)
    row = []
    for at, mark in enumerate(marks):
        above = (height - mark.shape[0]) * (at % 2)
        row.append(np.pad(mark, ((above, height - mark.shape[0] - above), (0, 12))))
    ink = np.hstack(row)[:, :-12]
    assert read_photo(shipped(), 255 - ink).text == label


# Sheets of many digits with little paper between them, as OpenCV's digits.png


@pytest.mark.slow
def test_a_sheet_of_more_than_a_thousand_digits_is_read_to_its_edges(mnist_splits: Splits) -> None:
    cells = mnist_splits.test.images.reshape(-1, 28, 28)[:1500, 2:26, 2:26]
    labels = mnist_splits.test.labels[:1500].reshape(25, 60)
    sheet = cells.reshape(25, 60, 24, 24).transpose(0, 2, 1, 3).reshape(600, 1440)[:-2, :-2]  # the last ones touch it
    found = np.full((25, 60), -1)
    for digit in read_photo(shipped(), sheet).digits:
        left, top, right, bottom = digit.box
        found[(top + bottom) // 48, (left + right) // 48] = digit.label
    assert (found == labels).mean() >= 0.98
    assert (found[-1] == labels[-1]).sum() >= 58 and (found[:, -1] == labels[:, -1]).sum() >= 22
