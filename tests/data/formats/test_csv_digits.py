"""CSV digits: every usual layout is read alike, the heading is believed, and a wrong line is told with its number."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitlab.data import Digits, load, read_csv, write_csv
from digitlab.data.formats.shared.contents import UnlabelledError
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
        "1,2,3,4,5\nlabel,a,b,c,d\n".splitlines()[1] + "\n" + LINES,
        "\ufeff" + LINES,
        "\ufefflabel,a,b,c,d\n" + LINES,
        LINES.replace(",", ", "),
        LINES.replace(",", ";"),
        LINES.replace(",", "\t"),
        LINES.replace(",", " "),
        LINES.replace("99", '"99"'),
        LINES.replace(",9,", ",009,"),
        LINES + "\n\n",
        LINES.replace(",", ".0,").replace("\n", ".0\n"),
        LINES.replace(",", ",0;").replace("\n", ",0\n"),
        "label,pixel1,pixel2,pixel3,pixel4\n" + LINES,
        "CLASS,p_0,p_1,p_2,p_3\n" + LINES,
        "pixel1,pixel2,pixel3,pixel4,class\n0,1,2,255,5\n9,99,100,7,0\n",
        "pixel1,pixel2,Target,pixel3,pixel4\n0,1,5,2,255\n9,99,0,100,7\n",
        "0x0,0x1,1x0,1x1,digit\n0,1,2,255,5\n9,99,100,7,0\n",
        "a1,a2,a3,a4,kind\n0,1,2,255,5\n9,99,100,7,0\n",  # none of the usual names, but one that is no pixel's
        "y,pixel3,pixel1,pixel4,pixel2\n5,2,0,255,1\n0,100,9,7,99\n",  # in the order of their names' numbers
        ",label,0,1,2,3\n0,5,0,1,2,255\n1,0,9,99,100,7\n",
        "Unnamed: 0,label,0,1,2,3\n17,5,0,1,2,255\n4,0,9,99,100,7\n",
        "id,pixel0,pixel1,pixel2,pixel3,label\na1,0,1,2,255,5\na2,9,99,100,7,0\n",
        "0,5,0,1,2,255\n1,0,9,99,100,7\n",  # an index that counts, and no heading
        "1,5,0,1,2,255\n2,0,9,99,100,7\n",
        LINES.replace("\n", ",\n"),
        "label,a,b,c,d,\n" + LINES.replace("\n", ",\n"),
        LINES.replace(",", ";").replace("\n", ";\n"),
        "# label 1 2 3 4\n5.0e+00 0 1 2 2.55e+02\n0 9 99 100 7\n",  # as numpy.savetxt writes
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_usual_layouts_are_read_alike(tmp_path: Path, text: str, packed: bool) -> None:
    content = text.encode()
    (tmp_path / "digits.csv").write_bytes(gzip.compress(content) if packed else content)
    digits = read_csv(tmp_path / "digits.csv", name="mine")
    assert digits.images.tolist() == [[[0, 1], [2, 255]], [[9, 99], [100, 7]]]
    assert digits.labels.tolist() == [5, 0]
    assert digits.name == "mine" and digits.images.flags.writeable


def test_the_layout_of_openml(tmp_path: Path) -> None:
    """pixel1 … pixel784, class: the first column, which is 0 throughout, is a pixel."""
    images = np.zeros((30, 784), dtype=np.uint8)
    images[:, 300:500] = np.random.default_rng(0).integers(0, 256, (30, 200))
    labels = np.arange(30) % 10
    heading = ",".join([*(f"pixel{i}" for i in range(1, 785)), "class"])
    rows = [",".join(map(str, [*row, label])) for row, label in zip(images.tolist(), labels.tolist())]
    (tmp_path / "headed.csv").write_text("\n".join([heading, *rows]) + "\n")
    (tmp_path / "headless.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "one.csv").write_text(rows[3] + "\n")
    for file in ("headed.csv", "headless.csv"):
        digits = read_csv(tmp_path / file)
        assert np.array_equal(digits.labels, labels) and np.array_equal(digits.images.reshape(30, 784), images)
    assert read_csv(tmp_path / "one.csv").labels.tolist() == [3]
    assert np.array_equal(load(tmp_path / "headed.csv", part="all").labels, labels)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    images=st.integers(1, 12).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 255), min_size=9, max_size=9), min_size=n, max_size=n)
    ),
    seed=st.integers(0, 99),
    delimiter=st.sampled_from([",", ";", "\t", " "]),
    heading=st.booleans(),
    place=st.sampled_from([0, 4, 9]),
    index=st.booleans(),
    spelling=st.sampled_from(["{}", "{}.0", '"{}"', "{:03d}"]),
    packed=st.booleans(),
)
def test_what_is_written_in_any_way_comes_back(
    tmp_path: Path,
    images,
    seed: int,
    delimiter: str,
    heading: bool,
    place: int,
    index: bool,
    spelling: str,
    packed: bool,
) -> None:
    labels = np.random.default_rng(seed).integers(0, 10, len(images)).tolist()
    rows = [[*map(spelling.format, [*image[:place], label, *image[place:]])] for image, label in zip(images, labels)]
    names = [*(f"p{i}" for i in range(place)), "label", *(f"p{i}" for i in range(place, 9))]
    if index:
        rows = (
            [[str(100 + i), *row] for i, row in enumerate(rows)]
            if heading
            else [[str(i), *row] for i, row in enumerate(rows)]
        )
        names = ["id", *names]
    lines = [delimiter.join(row) for row in ([names, *rows] if heading else rows)]
    content = "\n".join(lines).encode()
    path = tmp_path / "any.csv"
    path.write_bytes(gzip.compress(content) if packed else content)
    column = None if heading else place + index
    digits = read_csv(path, label_column=column)
    assert digits.labels.tolist() == labels
    assert digits.images.reshape(-1, 9).tolist() == images


def test_what_is_written_is_read(tmp_path: Path, digits: Digits) -> None:
    write_csv(tmp_path / "digits.csv", digits)
    assert (tmp_path / "digits.csv").read_text().count("\n") == 60
    back = read_csv(tmp_path / "digits.csv")
    assert np.array_equal(back.images, digits.images) and np.array_equal(back.labels, digits.labels)


@pytest.mark.parametrize("column", ["kind", "KIND", -1, 4, "-1", "4"])
def test_the_column_of_labels_is_named(tmp_path: Path, column: str | int) -> None:
    (tmp_path / "a.csv").write_text("label,p1,p2,p3,kind\n" + LINES)
    digits = load(tmp_path / "a.csv", part="all", label_column=column, class_names=range(256))
    assert digits.labels.tolist() == [255, 7] and digits.images[0].tolist() == [[5, 0], [1, 2]]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("lable", r"there is no column 'lable' \(did you mean 'label'\?\); the heading has label, p1"),
        (5, "got label column 5, expected 0 to 4, or -1 for the last"),
        (-6, "got label column -6, expected 0 to 4"),
    ],
)
def test_a_column_that_is_not_there(tmp_path: Path, column: str | int, words: str) -> None:
    (tmp_path / "a.csv").write_text("label,p1,p2,p3,p4\n" + LINES)
    with pytest.raises(DataError, match=rf"a\.csv: line 2: {words}"):
        read_csv(tmp_path / "a.csv", label_column=column)


def test_a_name_without_a_heading(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(LINES)
    with pytest.raises(DataError, match="got label column 'class', but the file has no heading; expected a position"):
        read_csv(tmp_path / "a.csv", label_column="class")


def test_other_classes(tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    path.write_text("25,0,1,2,255\n0,9,99,100,7\n")
    with pytest.raises(DataError, match=r"line 1 has the label 25, expected 0–9\. .*--class-names a,b,c"):
        read_csv(path)
    letters = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert read_csv(path, class_names=letters).class_names == letters
    path.write_text("26,0,1,2,255\n1,9,99,100,7\n")
    with pytest.raises(DataError, match=r"line 1 has the label 26, expected 0–25\. Are the labels counted from 1\?"):
        read_csv(path, class_names=letters)
    numbers = tuple(map(str, range(1, 27)))
    assert read_csv(path, class_names=numbers).labels.tolist() == [25, 0]  # by their names


@pytest.mark.parametrize("column", [2, "2"])
def test_words_in_a_column_in_the_middle(tmp_path: Path, column: int | str) -> None:
    (tmp_path / "a.csv").write_text("0,1,cat,2,255\n9,99,dog,100,7\n")
    digits = read_csv(tmp_path / "a.csv", label_column=column)
    assert digits.class_names == ("cat", "dog") and digits.images[1].tolist() == [[9, 99], [100, 7]]


@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("headed", [False, True])
def test_words_are_names_of_classes(tmp_path: Path, place: int, headed: bool) -> None:
    rows = [["0", "1", "2", "255"], ["9", "99", "100", "7"], ["0", "0", "0", "9"]]
    names = ["a0", "a1", "a2", "a3"]
    for row, word in zip([names, *rows], ["label", '"T-shirt, top"', "Bag", "Bag"]):
        row.insert(0 if place == 0 else 4, word)
    path = tmp_path / "fashion.csv"
    path.write_text("\n".join(",".join(row) for row in ([names, *rows] if headed else rows)))
    digits = read_csv(path)
    assert digits.class_names == ("Bag", "T-shirt, top") and digits.labels.tolist() == [1, 0, 0]
    assert read_csv(path, class_names=["T-shirt, top", "Bag", "Coat"]).labels.tolist() == [0, 1, 1]
    with pytest.raises(DataError, match=r"line [12] has the label 'T-shirt, top', expected one of Bag, Coat"):
        read_csv(path, class_names=["Bag", "Coat"])


def test_other_shapes(tmp_path: Path) -> None:
    row = list(range(12))
    (tmp_path / "a.csv").write_text(",".join(map(str, [7, *row])) + "\n")
    with pytest.raises(DataError, match=r"line 1 has 13 numbers, expected a label and a square image.*2x2x3"):
        read_csv(tmp_path / "a.csv")
    assert np.array_equal(read_csv(tmp_path / "a.csv", image_shape=(3, 4)).images[0], np.reshape(row, (3, 4)))
    assert np.array_equal(read_csv(tmp_path / "a.csv", image_shape=(2, 2, 3)).images[0], np.reshape(row, (2, 2, 3)))
    planes = np.reshape(row, (3, 2, 2)).transpose(1, 2, 0)
    assert np.array_equal(read_csv(tmp_path / "a.csv", image_shape=(3, 2, 2)).images[0], planes)
    with pytest.raises(DataError, match="has 13 numbers, expected a label and 5×5 = 25 pixels"):
        read_csv(tmp_path / "a.csv", image_shape=(5, 5))


@pytest.mark.parametrize("scale", [255, 256])
def test_fractions_are_shares_of_full_ink(tmp_path: Path, digits: Digits, scale: int) -> None:
    rows = [[label, *(image / scale).ravel()] for image, label in digits.first(10)]
    (tmp_path / "a.csv").write_text("\n".join(",".join(map(str, row)) for row in rows))
    assert np.array_equal(read_csv(tmp_path / "a.csv").images, digits.images[:10])
    (tmp_path / "b.csv").write_text("3,0,0.3,1,0.5\n")
    assert read_csv(tmp_path / "b.csv").images.tolist() == [[[0, 76], [255, 128]]]
    (tmp_path / "c.csv").write_text("3,0,0,1,1\n")  # bytes: there is no fraction
    assert read_csv(tmp_path / "c.csv").images.tolist() == [[[0, 0], [1, 1]]]


def test_images_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("pixel0,pixel1,pixel2,pixel3\n0,1,2,255\n")
    assert unlabelled(path).tolist() == [[[0, 1], [2, 255]]]
    words = r"test\.csv: line 2 has 4 numbers, expected a label and a square image; these are 2×2 pixels"
    with pytest.raises(DataError, match=words):
        read_csv(path)
    path.write_text("Id,pixel0,pixel1,pixel2,pixel3\n1,0,1,2,255\n2,9,9,9,9\n")
    assert len(unlabelled(path)) == 2
    path.write_text("\n".join(f"{i},0,1,2,0" for i in range(40)))  # counts beyond the classes: an index
    assert unlabelled(path).shape == (40, 2, 2)


def unlabelled(path: Path) -> np.ndarray:
    """The images in a table without labels."""
    with pytest.raises(UnlabelledError) as caught:
        read_csv(path)
    return caught.value.images


def test_colour_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="grey"):
        write_csv(tmp_path / "c.csv", Digits(np.zeros((1, 2, 2, 3), np.uint8), [0]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5,0,1,2\n", "line 1 has 4 numbers, expected a label and a square image"),
        ("name,label,a1,a2,a3,a4\n3,5,0,1,2,3\n", r"line 2 has 6 numbers.*Remove the columns name first"),
        (LINES + "3,0,0,0\n", "line 3 has 4 numbers, expected 5"),
        (LINES + "3,0,0,0,0,0\n", "line 3 has 6 numbers, expected 5"),
        (LINES + "3,0,x,0,0\n", "line 3, column 3: found 'x', expected a number"),
        (LINES + "3,x,0,0,0\n", "line 1, column 2: found|line 3, column 2: found 'x', expected a"),
        (LINES + "\n\n" + LINES + "\n3,0,256,0,0\n", "line 8, column 3: found '256'"),
        (LINES + "\n\n10,0,0,0,0\n", "line 5 has the label 10"),
        (LINES + "3,0,256,0,0\n", "line 3, column 3: found '256', expected a whole number 0–255"),
        (LINES + "3,0,-1,0,0\n", "line 3, column 3: found '-1'"),
        (LINES + "3,0,0.5,0,0\n", r"line 3, column 3: found '0\.5'"),
        (LINES + "3,0,nan,0,0\n", "line 3, column 3: found 'nan'"),
        (LINES + "3,0,,0,0\n", "line 3, column 3: found ''"),
        (LINES + "3,0,1_0,0,0\n", "line 3, column 3: found '1_0'"),
        (LINES + "3,0,\N{ARABIC-INDIC DIGIT FIVE},0,0\n", "line 3, column 3"),
        (LINES + "label,1,2,3,4\n", "line 3 has the label 'label' and others numbers such as 5"),
        (LINES + ",1,2,3,4\n", "line 3 has no label"),
        (LINES + "3.7,1,2,3,4\n", r"line 3 has the label 3\.7, expected a whole number"),
        (LINES + "-1,1,2,3,4\n", "line 3 has the label -1, expected 0–9"),
        (LINES + "10,0,0,0,0\n", "line 3 has the label 10, expected 0–9"),
        ("label,class,a1,a2,a3\n" + LINES, "label and class could both be the label"),
        ("label,1,2,3,4\n", "holds no images"),
        ("\n\n", "holds no images"),
        ("<html><body>sorry</body></html>", "web page"),
    ],
)
def test_a_wrong_line_is_reported(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"bad\.csv: .*({words})"):
        read_csv(tmp_path / "bad.csv")


def test_a_line_without_end_is_stopped(tmp_path: Path, memory_below) -> None:
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"1,2,") + gzip.compress(b" " * (1 << 26), 1))
    with memory_below(8), pytest.raises(DataError, match=r"bomb\.csv\.gz: holds a line longer than"):
        read_csv(tmp_path / "bomb.csv.gz")
