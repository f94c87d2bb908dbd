"""Text tables of numbers: CSV with commas, semicolons, tabs or spaces, with or without a heading, plain or gzip.

Plain whole numbers, which is how images are written, are parsed a block of lines at a time with array operations, in
a third of the time of `numpy.loadtxt`. That reads blocks with anything else in them (signs, fractions, quotes, words),
and what it refuses is read line by line, which finds the line and column of the fault.
"""

import csv
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.shared.safe_gzip import SafeReader
from digitlab.errors import DataError

MAX_TEXT = 4 << 30  # bytes to read
MAX_LINE_BYTES = 1 << 20  # a line of 28×28 pixels has about 3 KiB; a bomb may have no line end at all
BLOCK = 1 << 18  # bytes parsed at once: what an array operation reads and writes stays in the processor's cache
DELIMITERS = (";", "\t", ",")  # in this order: with ";" between fields, "," may be the decimal point
_DIGITS_IN = {np.uint8: 2, np.uint16: 4, np.uint32: 9}  # how many digits each type is sure to hold


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """The numbers of a text file.

    values      (rows, columns): uint8 if all are whole and 0–255, int64 if all are whole, else float64
    words       the fields of each column that holds words, by its position; its values are 0
    heading     the names in the first line, one per column; None if the first line holds numbers
    delimiter   between fields: ",", ";", "\\t", or " " for any white space
    first_line  the number of the first row's line in the file, counted from 1, for messages
    blank       the numbers of the blank lines after it
    """

    values: NDArray[Any]
    words: dict[int, list[str]]
    heading: tuple[str, ...] | None
    delimiter: str
    first_line: int
    blank: tuple[int, ...] = ()

    def line(self, row: int) -> int:
        """The number of a row's line in the file."""
        number = self.first_line + row
        for blank in self.blank:
            number += blank <= number
        return number


Words = Callable[[tuple[str, ...] | None, int], Collection[int]]  # heading, columns -> those that may hold words


def read_table(path: str | os.PathLike[str], *, words: Words = lambda *_: ()) -> Table:
    """All numbers in a text file, and the words in the columns that `words` allows to hold some.

    Blank lines are skipped.
    Raises DataError naming the file, the line, what was found and what was expected.
    """
    with SafeReader(path, limit=MAX_TEXT) as file:
        first, number = _first_line(file)
        delimiter = next((mark for mark in DELIMITERS if mark.encode() in first), " ")
        fields = _fields(first, delimiter)
        ended = delimiter != " " and len(fields) > 1 and not fields[-1]  # every line ends in a delimiter
        fields = fields[:-1] if ended else fields
        heading = tuple(fields) if is_heading(fields) else None
        number += heading is not None
        reader = _Blocks(file.path, delimiter, len(fields), words(heading, len(fields)), number)
        end = f"{delimiter}\n".encode()
        blocks = _blocks(file, b"" if heading else first)
        parts = [reader.parse(block.replace(end, b"\n") if ended else block) for block in blocks]
    if not sum(map(len, parts)):
        raise DataError(f"{path}: holds no images, only a heading; expected a line of numbers for each.")
    values = _smallest(np.concatenate([part for part in parts if len(part)]))
    return Table(values, reader.said(), heading, delimiter, number, tuple(reader.blank))


def _first_line(file: SafeReader) -> tuple[bytes, int]:
    """The first line that is not blank, ending in \\n, and its number in the file."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{file.path}: is text in UTF-16, expected UTF-8. Save it as CSV in UTF-8.")
        if b"\0" in line:
            raise DataError(f"{file.path}: is no text: line {number} holds zero bytes. It is another kind of file.")
        line = line.removeprefix(b"\xef\xbb\xbf")  # spreadsheets begin with a byte order mark
        if line.strip():
            _check_length(line, file)
            return line.rstrip(b"\r\n") + b"\n", number
    raise DataError(f"{file.path}: holds no images, expected a line of numbers for each.")


def _blocks(file: SafeReader, left: bytes) -> Iterator[bytes]:
    """The text in blocks of whole lines, each line ending in a single \\n; `left` was read before."""
    while data := file.read(BLOCK):
        lines, newline, rest = data.rpartition(b"\n")
        if newline:
            block = left + lines + newline
            yield block.replace(b"\r\n", b"\n") if b"\r" in block else block
            left = rest
        else:
            left += rest
        _check_length(left, file)
    if left.strip():
        yield left.rstrip(b"\r\n") + b"\n"


def _check_length(line: bytes, file: SafeReader) -> None:
    if len(line) >= MAX_LINE_BYTES:
        raise DataError(
            f"{file.path}: holds a line longer than {MAX_LINE_BYTES:,} bytes, expected a line of numbers for each "
            "image. It is not a CSV file of small images."
        )


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")  # what older spreadsheets write


def _fields(line: bytes | str, delimiter: str) -> list[str]:
    text = (_decoded(line) if isinstance(line, bytes) else line).strip("\r\n").removeprefix("#")
    if delimiter == " ":
        fields = text.split()
    elif '"' in text:  # a delimiter may be inside quotes
        fields = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True))
    else:
        fields = text.split(delimiter)
    return [field.strip(" \"'") for field in fields]


def is_heading(fields: Sequence[str]) -> bool:
    """Whether the fields of a first line are names of columns, judged by all of them together.

    No two names are alike, while pixels repeat. Names are words ("label,pixel0,…"), words and positions
    ("label,0,1,…"), positions alone ("0,1,2,…"), or what pandas makes of a first line of numbers ("7,0,0.1,0.2,…").
    """
    words = sum(_number(field) is None for field in fields)
    if 2 * words > len(fields):
        return True
    if len(set(fields)) < len(fields) or (not words and len(fields) < 10):
        return False
    whole = [int(field) for field in fields if field.isascii() and field.isdigit()]
    positions = len(whole) + words == len(fields) and all(b == a + 1 for a, b in pairwise(whole))
    return positions or {"0", "0.1", "0.2"} <= set(fields)


def _number(text: str) -> float | None:
    """The number that a field holds, its decimal point a point or a comma; None if it is no finite number."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if np.isfinite(value) and text.isascii() and "_" not in text else None


def _parse_block(block: bytes, delimiter: str, columns: int) -> NDArray[Any] | None:
    """Lines of plain whole numbers as an array (rows, columns); None if a line is anything else.

    Every byte is a digit or ends a number. At each byte, `value` is the number made of the digits up to it:
    the digit, plus ten times the digit before it if that is part of the same number, and so on.
    """
    text = np.frombuffer(block, dtype=np.uint8)
    digit = text - np.uint8(ord("0"))  # wraps round for everything below "0"
    is_digit = digit < 10
    ends = np.flatnonzero(~is_digit)  # positions: taking by them is ten times as fast as by a mask
    if ends.size % columns or ends[0] == 0 or (ends[1:] - ends[:-1] == 1).any():
        return None
    marks = text.take(ends).reshape(-1, columns)
    if not ((marks[:, :-1] == ord(delimiter)).all() and (marks[:, -1] == ord("\n")).all()):
        return None
    digit *= is_digit
    value: NDArray[Any] = digit
    inside, power = is_digit, 1  # inside[i]: the bytes from i - power to i are digits of one number
    while True:
        inside = inside[1:] & is_digit[: is_digit.size - power]  # at byte i + power: all digits since byte i
        if not inside.any():
            break
        kind = next((kind for kind, most in _DIGITS_IN.items() if power < most), None)
        if kind is None:
            return None
        value = value.astype(kind, copy=power == 1)
        value[power:] += (digit[:-power] * inside).astype(kind) * kind(10**power)
        power += 1
    return value.take(ends - 1).reshape(-1, columns)  # a number is complete at the byte before its end


class _Blocks:
    """Turns blocks of lines into arrays (rows, columns), and keeps the fields of the columns that may hold words."""

    def __init__(self, path: Path, delimiter: str, columns: int, words: Collection[int], number: int) -> None:
        self.path, self.delimiter, self.columns, self.number = path, delimiter, columns, number
        self.fields: dict[int, list[str]] = {column: [] for column in words}
        self.worded: set[int] = set()  # the columns in which a field is no number
        self.blank: list[int] = []

    def parse(self, block: bytes) -> NDArray[Any]:
        """One block; `number` is the line in the file that it begins with."""
        numbers = _parse_block(block, self.delimiter, self.columns)
        if numbers is None:
            numbers = self._load(block)
        else:
            for column, fields in self.fields.items():
                fields += map(str, numbers[:, column].tolist())
        self.number += block.count(b"\n")
        return numbers

    def said(self) -> dict[int, list[str]]:
        """The columns that hold words."""
        return {column: fields for column, fields in self.fields.items() if column in self.worded}

    def _load(self, block: bytes) -> NDArray[Any]:
        numbered = list(enumerate(_decoded(block).removesuffix("\n").split("\n")))
        self.blank += [self.number + at for at, line in numbered if not line.strip()]
        lines = [line for _, line in numbered if line.strip()]
        kept = {column: len(fields) for column, fields in self.fields.items()}
        if not lines:
            return np.zeros((0, self.columns), dtype=np.uint8)
        try:
            values = np.loadtxt(
                lines,
                np.float64,
                comments=None,
                delimiter=None if self.delimiter == " " else self.delimiter,
                converters={column: self._keeper(column) for column in self.fields},
                quotechar='"',
                ndmin=2,
            )
        except ValueError:
            values = np.full((1, 1), np.nan)
        if values.shape != (len(lines), self.columns) or not np.isfinite(values).all():
            for column, length in kept.items():
                del self.fields[column][length:]
            values = np.stack([self._line(line, at) for at, line in numbered if line.strip()])
        self.worded |= {c for c, fields in self.fields.items() if None in map(_number, fields[kept[c] :])}
        return _smallest(values)

    def _keeper(self, column: int) -> Callable[[str], float]:
        def keep(field: str) -> float:
            self.fields[column].append(field.strip(" \"'"))
            return _number(self.fields[column][-1]) or 0.0

        return keep

    def _line(self, line: str, at: int) -> NDArray[np.float64]:
        """One line, field by field; `at` is its place in the block."""
        where, fields = f"{self.path}: line {self.number + at}", _fields(line, self.delimiter)
        if len(fields) != self.columns:
            raise DataError(
                f"{where} has {len(fields)} numbers, expected {self.columns} as in the lines before. "
                "Is the file cut off there?"
            )
        for column, kept in self.fields.items():
            kept.append(fields[column])
            if _number(fields[column]) is None:
                fields[column] = "0"
        return _parse_fields(fields, where)


def _parse_fields(fields: list[str], where: str) -> NDArray[np.float64]:
    """A line with quotes or decimal commas; DataError for the first field that is no number."""
    values = [_number(field) for field in fields]
    for column, (field, value) in enumerate(zip(fields, values), start=1):
        if value is None:
            raise DataError(f"{where}, column {column}: found {field[:20]!r}, expected a number.")
    return np.array(values, dtype=np.float64)


def _smallest(values: NDArray[Any]) -> NDArray[Any]:
    """The numbers as uint8 or int64, where these hold them all exactly."""
    if values.dtype == np.uint8:
        return values
    low, high = values.min(), values.max()
    if values.dtype.kind == "f" and not (max(-low, high) < 2**53 and (values == np.trunc(values)).all()):
        return values
    return values.astype(np.uint8 if low >= 0 and high <= 255 else np.int64)
