"""Digits beside words: marks are compared with those of their size."""

import numpy as np
import pytest

from digitlab.data.photos.mark import mark_of
from digitlab.reading.partition import Answer
from digitlab.reading.words import among_letters

from .marks import answer, ring

LETTERS = "is among letters"
PAGE = (600, 800)  # pixels: none of the lines below is cut by its edge


def line(text: str, top: int, height: int, left: int = 20) -> list[Answer]:
    """A line of digits, and letters that are none: x; a space is a gap."""
    mask = np.ones((height, height // 2), bool)
    mask[3:-3, 3:-3] = False
    image = np.zeros((28, 28), np.uint8)
    return [
        Answer(mark_of(mask, left + 3 * height * at // 4, top), image, np.eye(10)[int(c) if c != "x" else 0], c == "x")
        for at, c in enumerate(text)
        if c != " "
    ]


@pytest.mark.parametrize("usual", [16, 60])
def test_print_beside_a_number_does_not_hide_it_and_is_no_number(usual: int) -> None:
    answers = [*line("xx0xx x0 xxx", 20, 16), *line("352", 100, 60)]
    why = ["looks like no digit" * (answer.not_digit == 1) for answer in answers]
    reasons = among_letters(answers, why, usual, PAGE)
    assert reasons[-3:] == ["", "", ""] and all(reasons[:-3])


def test_dust_around_small_zeros_beside_large_digits_is_no_word() -> None:
    answers = [*line("71", 100, 60), *line("           00", 130, 20), *line("x x x x x x", 400, 20)]
    why = ["looks like no digit" * (answer.not_digit == 1) for answer in answers]
    assert among_letters(answers, why, 60, PAGE)[:4] == [""] * 4


def test_on_a_page_of_words_a_lone_mark_of_another_size_is_no_digit() -> None:
    answers = [*line("xxxxx xxxx", 20, 16), *line("3", 100, 60)]
    why = ["looks like no digit" * (answer.not_digit == 1) for answer in answers]
    assert among_letters(answers, why, 16, PAGE)[-1] == LETTERS


def test_what_the_edge_of_the_picture_cuts_is_no_text() -> None:
    streaks = line("x     x     x     x     x", 540, 60)  # of a table below the paper
    answers = [*streaks, *line("71", 100, 60), *line("35", 300, 60)]
    why = ["looks like no digit" * (answer.not_digit == 1) for answer in answers]
    assert among_letters(answers, why, 60, PAGE)[-4:] == [""] * 4
    assert among_letters(answers, why, 60, (1200, 1600))[-4:] == [LETTERS] * 4  # inside the picture, they are a text


@pytest.mark.parametrize("text, word", [("130xx", False), ("13xx", True), ("130xxx", True)])
def test_a_line_with_up_to_two_letters_in_five_is_no_word(text: str, word: bool) -> None:
    """Two chains of touching digits that cannot be divided leave the digits beside them as they are."""
    answers = line(text, 100, 60)
    why = ["looks like no digit" * (answer.not_digit == 1) for answer in answers]
    found = among_letters(answers, why, 60, PAGE)
    assert [reason == LETTERS for reason in found] == [word and not reason for reason in why]


@pytest.mark.parametrize("gap, number", [(40, True), (20, False)])
def test_a_number_between_words_is_one_where_the_pen_left_a_space(gap: int, number: bool) -> None:
    """Two thirds of a letter's height are a space; a third is not."""
    words, digits = [*line("xxxx", 100, 60), *line("xxxxx", 220, 60)], line("352", 100, 60, left=20 + 165 + gap)
    answers = [*words, *digits]
    why = ["looks like no digit" * (answer.not_digit == 1) for answer in answers]
    assert among_letters(answers, why, 60, PAGE)[-3:] == ["" if number else LETTERS] * 3


def small_line(*kinds: str, gap: int = 4) -> tuple[list[Answer], list[str]]:
    """Large digits, and below them a line of marks 20 pixels high: words of letters, "x", and of digits."""
    marks = [answer(ring(20 + 70 * n, 20, 40, 51), 2 + n) for n in range(4)]
    why, left = [""] * 4, 20
    for word in kinds:
        for character in word:
            letter = character == "x"
            marks.append(answer(ring(left, 200, 12, 20, pen=3), 5 if letter else int(character), float(letter)))
            why.append("looks like no digit" if letter else "")
            left += 12 + gap
        left += 15 - gap
    return marks, why


def test_a_small_printed_word_with_some_letters_like_digits_is_among_letters() -> None:
    marks, why = small_line("xx571xx65")
    assert all(among_letters(marks, why, 51.0, (300, 400))[4:])


def test_a_number_beside_a_small_word_is_a_word_of_its_own() -> None:
    marks, why = small_line("xxxx", "472")
    assert among_letters(marks, why, 51.0, (300, 400)) == why
