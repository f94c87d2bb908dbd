"""Tables, alone and in folders, as docs/data.md lists them."""

import gzip
from pathlib import Path

import numpy as np

from data.formats.forms import (
    DIVIDED,
    LETTERS,
    ONE,
    TEST,
    TRAIN,
    WHOLE,
    Case,
    flat,
    lines,
    pair,
    parquet,
    png,
    row,
    write,
)
from digitlab.data import Digits, write_npz


@row(ONE, "`label,pixel0,…,pixel783`")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", lines(WHOLE, heading=True))


@row(ONE, "`pixel0,…,pixel783,class`")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", lines(WHOLE, heading=True, label_at=-1))


@row(ONE, "no header, label first")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", lines(WHOLE))


@row(ONE, "no header, label last")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", lines(WHOLE, label_at=-1))


@row(ONE, "`;`, tabs or spaces between the numbers")
def _(folder: Path) -> list[Case]:
    return [
        (write(folder / f"{i}.csv", lines(WHOLE, delimiter=delimiter, heading=headed)),)
        for i, (delimiter, headed) in enumerate([(";", True), (";", False), ("\t", True), ("\t", False), (" ", False)])
    ]


@row(ONE, '`255.0`, `"255"`, `2.55e+02`')
def _(folder: Path) -> list[Case]:
    spellings = ("{}.0", '"{}"', "{:.2e}")
    return [(write(folder / f"{i}.csv", lines(WHOLE, spell=s.format)),) for i, s in enumerate(spellings)]


@row(ONE, "fractions from 0 to 1")
def _(folder: Path) -> list[Case]:
    rows = [[label, *(image / scale).ravel()] for scale in (255, 256) for image, label in WHOLE]
    texts = ["\n".join(",".join(map(str, cells)) for cells in some) for some in (rows[:30], rows[30:])]
    return [(write(folder / f"{i}.csv", text),) for i, text in enumerate(texts)]


@row(ONE, "an index before the label")
def _(folder: Path) -> list[Case]:
    plain, headed = lines(WHOLE).splitlines(), lines(WHOLE, heading=True).splitlines()
    counted = "\n".join(f"{i},{line}" for i, line in enumerate(plain))
    named = "\n".join(f"{i - 1 if i else 'id'},{line}" for i, line in enumerate(headed))
    unnamed = "\n".join(f"{i - 1 if i else ''},{line}" for i, line in enumerate(headed))
    return [(write(folder / f"{i}.csv", text),) for i, text in enumerate((counted, named, unnamed))]


@row(ONE, "compressed, any file name")
def _(folder: Path) -> list[Case]:
    packed = gzip.compress(lines(WHOLE).encode())
    return [(write(folder / name, packed),) for name in ("a.csv.gz", "a.csv", "data")]


@row(ONE, "a label under another name")
def _(folder: Path) -> list[Case]:
    odd = write(folder / "odd.csv", lines(WHOLE, heading=True, label_at=-1).replace("class", "what", 1))
    middle = write(folder / "middle.csv", lines(WHOLE, label_at=100))
    return [(odd,), (odd, {"label_column": "what"}), (odd, {"label_column": -1}), (middle, {"label_column": 100})]


@row(ONE, "words for labels")
def _(folder: Path) -> Case:
    text = lines(WHOLE).splitlines()
    words = "\n".join("abcdefghij"[label] + line[1:] for label, line in zip(WHOLE.labels, text))
    return write(folder / "a.csv", words), {"class_names": tuple("abcdefghij")}


@row(ONE, "images that are not square, or in colour")
def _(folder: Path) -> list[Case]:
    wide, colour = WHOLE.images.reshape(30, 14, 56), np.repeat(WHOLE.images[..., None], 3, axis=3)  # (N, 28, 28, 3)
    rows = [",".join(map(str, [label, *image.ravel()])) for image, label in zip(colour, WHOLE.labels)]
    planes = [",".join(map(str, [y, *x.transpose(2, 0, 1).ravel()])) for x, y in zip(colour, WHOLE.labels)]
    return [
        (write(folder / "wide.csv", lines(WHOLE)), {"image_shape": (14, 56)}, wide),
        (write(folder / "colour.csv", "\n".join(rows)), {"image_shape": (28, 28, 3)}, colour),
        (write(folder / "planes.csv", "\n".join(planes)), {"image_shape": (3, 28, 28)}, colour),
    ]


@row(ONE, "`emnist-letters-train.csv` and similar")
def _(folder: Path) -> list[Case]:
    letters = Digits(WHOLE.images.swapaxes(1, 2), WHOLE.labels + 1, range(27))
    digits = Digits(WHOLE.images.swapaxes(1, 2), WHOLE.labels)
    return [
        (write(folder / "emnist-letters-train.csv", lines(letters)), {}, WHOLE.images, LETTERS),
        (write(folder / "emnist-digits-test.csv", lines(digits)),),
        (f"emnist-letters:{write(folder / 'other.csv', lines(letters))}", {}, WHOLE.images, LETTERS),
    ]


@row(ONE, "Hugging Face's Parquet")
def _(folder: Path) -> list[Case]:
    content = [{"bytes": png(image), "path": None} for image in WHOLE.images]
    named = '{"info": {"features": {"label": {"names": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]}}}}'
    columns = {"image": content, "label": WHOLE.labels}
    return [
        (parquet(folder / "a.parquet", columns),),
        (parquet(folder / "data", columns, {"huggingface": named}), {}, WHOLE.images, tuple("abcdefghij")),
    ]


@row(ONE, "one column per pixel, in Parquet")
def _(folder: Path) -> Path:
    return parquet(folder / "a", {f"p{i}": c for i, c in enumerate(flat(WHOLE).T)} | {"class": WHOLE.labels})


@row(DIVIDED, "`mnist_train.csv` and `mnist_test.csv`")
def _(folder: Path) -> list[Case]:
    names = [
        ("mnist_train.csv", "mnist_test.csv"),
        ("fashion-mnist_train.csv", "fashion-mnist_test.csv"),
        ("mnist_train_100.csv", "mnist_test_10.csv"),
        ("train.csv", "test.csv"),
        ("Training.txt", "Testing.txt"),
        ("digits.tra", "digits.tes"),
    ]
    cases = [(pair(folder / str(i), *two),) for i, two in enumerate(names)]
    write(folder / "0" / "mnist_train_100.csv", lines(TEST))  # Rashid's folder holds both
    write(folder / "0" / "mnist_test_10.csv", lines(TEST))
    return cases


@row(ONE, "Kaggle's `train.csv` and `test.csv`")
def _(folder: Path) -> Path:
    write(folder / "train.csv", lines(WHOLE, heading=True))
    text = lines(TEST, heading=True).splitlines()
    write(folder / "test.csv", "\n".join(line.partition(",")[2] for line in text))
    write(folder / "sample_submission.csv", "ImageId,Label\n1,0\n2,0\n")
    return folder


@row(DIVIDED, "`train-00000-of-00002.parquet` and so on")
def _(folder: Path) -> Path:
    for name, part in (
        ("train-00000-of-00002", TRAIN[:20]),
        ("train-00001-of-00002", TRAIN[20:]),
        ("test-00000-of-00001", TEST),
    ):
        content = [{"bytes": png(image), "path": None} for image in part.images]
        parquet(folder / "data" / f"{name}.parquet", {"image": content, "label": part.labels})
    return folder


@row(ONE, "a folder with one file")
def _(folder: Path) -> list[Case]:
    write_npz(folder / "a" / "mnist.npz", WHOLE)
    return [(folder / "a",), (write(folder / "b" / "train.csv", lines(WHOLE)).parent,)]
