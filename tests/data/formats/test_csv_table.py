"""Text tables: every usual spelling of the same numbers gives the same array; headings are told by the whole line."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from digitlab.data.formats.shared.csv_table import BLOCK, is_heading, read_table
from digitlab.errors import DataError

PIXELS = ",".join(["0"] * 700 + ["12", "255"] * 42)


def table(folder: Path, content: str | bytes):
    (folder / "table.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(folder / "table.csv")


@pytest.mark.parametrize(
    "text",
    [
        "5,0,255\n12,100,7\n",
        "5,0,255\r\n12,100,7\r\n",
        "5,0,255\n\n12,100,7",
        "\n\n5,0,255\n12,100,7\n\n",
        "5, 0, 255\n12, 100, 7\n",
        "5;0;255\n12;100;7\n",
        "5\t0\t255\n12\t100\t7\n",
        "  5   0 255 \n 12 100   7\n",
        "5.0,0.0,255.0\n12.0,100.0,7.0\n",
        "5,0;0,0;255,0\n12,0;100,0;7,0\n",
        "5.000e+00,0.000e+00,2.550e+02\n1.2e+01,1e2,7e0\n",
        '"5","0","255"\n12,"100",7\n',
        "005,0,255\n+12,100,007\n",
        "\ufeff5,0,255\n12,100,7\n",
        "label,a,b\n5,0,255\n12,100,7\n",
        "# label,a,b\n5,0,255\n12,100,7\n",
        '"label","0","1"\n5,0,255\n12,100,7\n',
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_spellings_are_read_alike(tmp_path: Path, text: str, packed: bool) -> None:
    got = table(tmp_path, gzip.compress(text.encode()) if packed else text)
    assert got.values.dtype == np.uint8
    assert got.values.tolist() == [[5, 0, 255], [12, 100, 7]]


def test_numbers_of_every_length(tmp_path: Path) -> None:
    values = [[int(str(12345678901234567890)[:n]) for n in range(1, 10)], [0] * 9]
    got = table(tmp_path, "\n".join(",".join(map(str, row)) for row in values))
    assert got.values.dtype == np.int64 and got.values.tolist() == values
    assert table(tmp_path, "1234567890,0,1\n").values.tolist() == [[1234567890, 0, 1]]


def test_signs_and_fractions(tmp_path: Path) -> None:
    assert table(tmp_path, "-1,0,300\n").values.tolist() == [[-1, 0, 300]]
    got = table(tmp_path, "0.25;0,5;-1e-3\n")
    assert got.values.dtype == np.float64 and got.values.tolist() == [[0.25, 0.5, -0.001]]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_blocks_join_where_lines_are_cut(tmp_path: Path, line_end: str) -> None:
    values = np.random.default_rng(1).integers(0, 256, (2 * BLOCK // 500, 300))
    values[:, 0] = np.arange(len(values))  # a column of positions, longer than three digits in the second block
    text = line_end.join(",".join(map(str, row)) for row in values.tolist())
    assert len(text) > 2 * BLOCK
    assert np.array_equal(table(tmp_path, text).values, values)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("label," + ",".join(f"pixel{i}" for i in range(784)), True),
        (",".join(f"pixel{i}" for i in range(1, 785)) + ",class", True),
        ("label," + ",".join(f"{r}x{c}" for r in range(28) for c in range(28)), True),
        ("label," + ",".join(map(str, range(784))), True),
        (",label," + ",".join(map(str, range(784))), True),
        (",".join(map(str, range(785))), True),  # pandas, columns without names
        ("7,0," + ",".join(f"0.{i}" for i in range(1, 784)), True),  # pandas, a first line taken for names
        ("5," + PIXELS, False),
        ("A," + PIXELS, False),
        (PIXELS, False),
        (",".join(["0"] * 785), False),
        ("0,1,2,3,4", False),
        ("x," + PIXELS, False),
    ],
)
def test_a_heading_is_told_by_its_whole_line(line: str, answer: bool) -> None:
    assert is_heading(line.split(",")) is answer


def test_heading_and_place_are_kept(tmp_path: Path) -> None:
    got = table(tmp_path, "\n pixel0 ; pixel1\n\n3;4\n")
    assert (got.heading, got.delimiter, got.first_line) == (("pixel0", "pixel1"), ";", 3)
    assert table(tmp_path, "3 4\n").heading is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,3\n4,5\n", "line 2 has 2 numbers, expected 3"),
        ("1,2,3\n4,5,6,\n", "line 2 has 4 numbers, expected 3"),
        ("h,i,j\n\n1,2,3\n4,x,6\n", "line 4, column 2: found 'x', expected a number"),
        ("1,2,3\n4,,6\n", "line 2, column 2: found '', expected a number"),
        ("1,2,3\n4,nan,6\n", "line 2, column 2: found 'nan', expected a number"),
        ("1,2,3\n4,1_0,6\n", "line 2, column 2: found '1_0', expected a number"),
        ("1,2,3\n4,5 5,6\n", "line 2, column 2: found '5 5', expected a number"),
        ("h,i,j\n", "holds no images, only a heading"),
        ("\n \n", "holds no images"),
        ("1,2\n".encode("utf-16"), "UTF-16"),
        (b"1,2\0\n", "zero bytes"),
        ("1," * 600_000, "longer than"),
        ("1,2\n" + "1," * 600_000, "longer than"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(DataError, match=r"table\.csv") as caught:
        table(tmp_path, text)
    assert words in str(caught.value)
