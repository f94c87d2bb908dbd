"""The slashes of dates, and the 1s that are none."""

import numpy as np
import pytest

from digitlab.data.photos.mark import mark_of
from digitlab.reading.dates import without_slashes
from digitlab.reading.partition import Answer


def written(text: str, *, longer: int = 8, gap: int = 15) -> list[Answer]:
    """Digits 60 pixels high in a row; a slash is a 1 that leans and reaches `longer` pixels below them."""
    answers, left = [], 20
    for character in text:
        stroke = character in "1/"
        height = 60 + (longer if character == "/" else 0)
        mask = np.ones((height, 12 if stroke else 36), bool)
        if stroke:
            mask = np.abs(np.arange(30)[None] - (25 - 20 * np.arange(height)[:, None] / height)) < 3
        else:
            mask[6:-6, 6:-6] = False
        label = 1 if stroke else int(character)
        answers.append(Answer(mark_of(mask, left, 100), np.zeros((28, 28), np.uint8), np.eye(10)[label], 0.0))
        left += mask.shape[1] + gap
    return answers


def read(answers: list[Answer]) -> str:
    why = without_slashes(answers, [""] * len(answers))
    return "".join(str(answer.label) for answer, reason in zip(answers, why) if not reason)


@pytest.mark.parametrize("text", ["24/11/2026", "2026/11/24", "3/4/25", "1/2/2026", "12/1/26"])
def test_the_slashes_of_a_date_are_no_1s(text: str) -> None:
    assert read(written(text)) == text.replace("/", "")


@pytest.mark.parametrize("text", ["247/1/2", "1/2345", "24/1/2/26"])
def test_where_the_groups_are_no_date_strokes_stay_1s(text: str) -> None:
    assert read(written(text)) == text.replace("/", "1")


def test_1s_of_a_number_grouped_like_a_date_stay() -> None:
    assert read(written("24/56/2026", longer=0)) == "2415612026"
    assert read(written("24/56/2026", gap=100)) == "2415612026", "these are ten numbers"


@pytest.mark.parametrize(
    "height, top, bend",
    [(68, 100, 10), (60, 108, 0), (68, 92, 0)],
    ids=["bent", "as high as the digits", "not below them"],
)
def test_other_strokes_between_the_groups_of_a_date_stay_1s(height: int, top: int, bend: int) -> None:
    answers = written("24/56/2026")
    y = np.arange(height)[:, None] / height
    middle = 25 - 20 * y + bend * np.sin(np.pi * y)
    mask = np.abs(np.arange(40)[None] - middle) < 3
    for at in (2, 5):
        old = answers[at]
        answers[at] = Answer(mark_of(mask, old.mark.box[0], top), old.image, old.probabilities, 0.0)
    assert read(answers) == "2415612026"
