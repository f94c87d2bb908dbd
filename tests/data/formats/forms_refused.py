"""Files that are refused, as docs/data.md lists them."""

import zipfile
from pathlib import Path

import numpy as np

from data.formats.forms import REFUSED, WHOLE, Case, lines, pair, pickled, row, write
from digitlab.data import Digits


@row(REFUSED, "a table without labels")
def _(folder: Path) -> Path:
    return write(folder / "test.csv", "\n".join(line.partition(",")[2] for line in lines(WHOLE).splitlines()))


@row(REFUSED, "a label beyond the ten digits")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", lines(Digits(WHOLE.images, WHOLE.labels + 12, range(22))))


@row(REFUSED, "labels from 1 to 10")
def _(folder: Path) -> Path:
    np.savez(folder / "a.npz", images=WHOLE.images, labels=WHOLE.labels + 1)
    return folder / "a.npz"


@row(REFUSED, "a pixel above 255, below 0, or no number")
def _(folder: Path) -> list[Case]:
    return [
        (write(folder / f"{i}.csv", lines(WHOLE).replace(",0,0,", f",0,{wrong},", 1)),)
        for i, wrong in enumerate(["256", "-1", "nan", "x"])
    ]


@row(REFUSED, "fractions among bytes")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", lines(WHOLE).replace(",0,0,", ",0,0.5,", 1))


@row(REFUSED, "a line cut off")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", lines(WHOLE)[:-100])


@row(REFUSED, "two columns that could be the label")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", "class," + lines(WHOLE, heading=True).strip().replace("\n", "\n0,"))


@row(REFUSED, "a missing column")
def _(folder: Path) -> Case:
    return write(folder / "a.csv", lines(WHOLE, heading=True)), {"label_column": "lable"}


@row(REFUSED, "images that are not square")
def _(folder: Path) -> Path:
    blank = lines(Digits(WHOLE.images * 0, WHOLE.labels)).splitlines()
    return write(folder / "a.csv", "\n".join(line[:-4] for line in blank))


@row(REFUSED, "different numbers of images and labels")
def _(folder: Path) -> Path:
    np.savez(folder / "a.npz", images=WHOLE.images, labels=WHOLE.labels[:-1])
    return folder / "a.npz"


@row(REFUSED, "arrays with other names")
def _(folder: Path) -> Path:
    np.savez(folder / "a.npz", weights=np.ones((784, 30)))
    return folder / "a.npz"


@row(REFUSED, "Python objects")
def _(folder: Path) -> list[Case]:
    np.save(folder / "x_train.npy", np.array([{}], dtype=object))
    np.save(folder / "y_train.npy", np.arange(1))
    np.savez(folder / "a.npz", images=np.array([{}], dtype=object), labels=np.arange(1))
    return [(folder / "x_train.npy",), (folder / "a.npz",)]


@row(REFUSED, "a pickle with anything but arrays")
def _(folder: Path) -> Path:
    return pickled(folder / "a.pkl", {"images": WHOLE.images, "labels": Path("x")})


@row(REFUSED, "a Keras or h5py file")
def _(folder: Path) -> Path:
    return write(folder / "net.csv", b"\x89HDF\r\n\x1a\n" + bytes(99))


@row(REFUSED, "a PyTorch file")
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.npz", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    return folder / "a.npz"


@row(REFUSED, "a spreadsheet, a zip or another archive")
def _(folder: Path) -> list[Case]:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("3_a.png", b"")
    with zipfile.ZipFile(folder / "a.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", b"")
        archive.writestr("xl/workbook.xml", b"")
    return [(folder / "a.zip",), (folder / "a.xlsx",), (write(folder / "a.csv", b"7z\xbc\xaf\x27\x1c"),)]


@row(REFUSED, "a web page instead of the file")
def _(folder: Path) -> Path:
    return write(folder / "mnist.npz", "<!DOCTYPE html><html><body>404</body></html>")


@row(REFUSED, "other text")
def _(folder: Path) -> Path:
    return write(folder / "notes.csv", "Dear diary\n")


@row(REFUSED, "several data sets in one folder")
def _(folder: Path) -> Path:
    pair(folder, "a_train.csv", "a_test.csv")
    return pair(folder, "b_train.csv", "b_test.csv")


@row(REFUSED, "an empty file")
def _(folder: Path) -> Path:
    return write(folder / "a.csv", "")
