"""CSV digits: usual variants are read alike, and a wrong line is told with its number."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from digitlab.data import Digits, read_csv, write_csv
from digitlab.errors import DataError

LINES = "5,0,1,2,255\n0,9,99,100,7\n"


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        LINES.replace("\n", "\r\n"),
        LINES.rstrip("\n"),
        "label,1x1,1x2,2x1,2x2\n" + LINES,
        '"label","1","2","3","4"\n' + LINES,
        "\ufeff" + LINES,
        LINES.replace(",", ", "),
        LINES.replace("99", '"99"'),
        LINES.replace(",9,", ",009,"),
        LINES + "\n\n",
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_usual_variants_are_read_alike(tmp_path: Path, text: str, packed: bool) -> None:
    content = text.encode()
    (tmp_path / "digits.csv").write_bytes(gzip.compress(content) if packed else content)
    digits = read_csv(tmp_path / "digits.csv", name="mine")
    assert digits.images.tolist() == [[[0, 1], [2, 255]], [[9, 99], [100, 7]]]
    assert digits.labels.tolist() == [5, 0]
    assert digits.name == "mine" and digits.images.flags.writeable


def test_what_is_written_is_read(tmp_path: Path, digits: Digits) -> None:
    write_csv(tmp_path / "digits.csv", digits)
    assert (tmp_path / "digits.csv").read_text().count("\n") == 60
    back = read_csv(tmp_path / "digits.csv")
    assert np.array_equal(back.images, digits.images) and np.array_equal(back.labels, digits.labels)


def test_colour_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="grey"):
        write_csv(tmp_path / "c.csv", Digits(np.zeros((1, 2, 2, 3), np.uint8), [0]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5,0,1,2\n", "line 1 has 4 numbers, expected a label and a square image"),
        (LINES + "3,0,0,0\n", "line 3 has 4 numbers, expected 5"),
        (LINES + "3,0,0,0,0,0\n", "line 3 has 6 numbers, expected 5"),
        (LINES + "3,0,x,0,0\n", "line 3, column 3: found 'x', expected a whole number 0–255"),
        (LINES + "3,0,256,0,0\n", "line 3, column 3: found '256'"),
        (LINES + "3,0,-1,0,0\n", "line 3, column 3: found '-1'"),
        (LINES + "3,0,0.5,0,0\n", r"line 3, column 3: found '0\.5'"),
        (LINES + "3,0,,0,0\n", "line 3, column 3: found ''"),
        (LINES + "3,0,1_0,0,0\n", "line 3, column 3: found '1_0'"),
        (LINES + "3,0,\N{ARABIC-INDIC DIGIT FIVE},0,0\n", "line 3, column 3"),
        (LINES + "label,1,2,3,4\n", "line 3, column 1: found 'label'"),
        (LINES + "10,0,0,0,0\n", "line 3 has the label 10, expected 0–9"),
        ("label,1,2,3,4\n", "holds no images"),
        ("\n\n", "holds no images"),
        ("<html><body>sorry</body></html>", "web page"),
        ("5;0;1;2;255\n1;2;3;4;5", "line 1 has 1 numbers|line 2 has 1 numbers"),
    ],
)
def test_a_wrong_line_is_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"bad\.csv: .*({words})"):
        read_csv(tmp_path / "bad.csv")


def test_a_line_without_end_is_stopped(tmp_path: Path, memory_below) -> None:
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"1,2,") + gzip.compress(bytes(1 << 26), 1))
    with memory_below(8), pytest.raises(DataError, match=r"bomb\.csv\.gz: line 1 is longer than"):
        read_csv(tmp_path / "bomb.csv.gz")
