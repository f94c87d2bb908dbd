"""digitlab read, the network that is shipped, fine-tuning on a folder of one's own, and making other appearances."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlab.data import Digits, load, write_idx
from digitlab.data.photos import mnist_form
from digitlab.data.synthetic.pages import draw_page, print_digit, write_pages
from digitlab.data.synthetic.strokes import draw_digit
from digitlab.nn import load_network, mlp
from digitlab.nn.zoo import build_named
from digitlab.notices import DataWarning


def photo(path: Path, text: str, face: str = "DejaVuSans") -> Path:
    """Digits in one line on white paper, as a picture file."""
    page = np.full((150, 40 + 90 * len(text)), 245, np.uint8)
    for at, character in enumerate(text):
        ink = print_digit(character, 70, face)
        page[40 : 40 + ink.shape[0], 40 + 90 * at : 40 + 90 * at + ink.shape[1]] -= (ink * 0.85).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(page).save(path)
    return path


def drawn(n: int, seed: int) -> Digits:
    """n digits of a pen in MNIST's form."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=n)
    images = [mnist_form(draw_digit(int(d), 60, rng, width=0.1).astype(np.float32) / 255) for d in labels]
    return Digits(np.stack(images), labels)


def idx_folder(folder: Path) -> Path:
    for part, digits in (("train", drawn(60, 1)), ("t10k", drawn(12, 2))):
        write_idx(folder / f"{part}-images-idx3-ubyte", digits.images)
        write_idx(folder / f"{part}-labels-idx1-ubyte", digits.labels)
    return folder


def test_reading_works_at_once(call):
    called = call("read", photo(Path("photo.png"), "3141"))
    assert called.code == 0
    assert called.out.splitlines()[:2] == ["photo.png: 4 digits in 1 line", "      3    1    4    1"]
    assert called.out.splitlines()[2].count("%") == 4 and not Path("read-photo").exists()


@pytest.mark.slow
def test_the_shipped_network_serves_where_there_is_no_run(call):
    for arguments in (["info"], ["imagine", "3"], ["info", "shipped"]):
        called = call(*arguments)
        assert called.code == 0, called.err
    assert "digits.safetensors" in called.out


@pytest.mark.parametrize("naming", ["first", "option", "folder", "word"])
def test_a_network_of_ones_own(call, naming):
    page = photo(Path("photo.png"), "77")
    network = mlp([784, 10], loss="log-likelihood", seed=0)
    network.layers[0].params["b"].value[8] = 1000  # it calls everything an 8
    Path("run").mkdir()
    network.save("run/network.safetensors")
    arguments = {
        "first": ["run/network.safetensors", page],
        "option": [page, "--net", "run"],
        "folder": ["run", page],
        "word": ["shipped", page],
    }[naming]
    called = call("read", *arguments)
    expected = "7    7" if naming == "word" else "8    8"
    assert called.code == 0 and expected in called.out


@pytest.mark.slow
def test_every_stage_is_saved(call):
    called = call("read", photo(Path("photo.png"), "25"), "--show")
    assert "stages: read-photo" in called.out
    names = {path.name for path in Path("read-photo").iterdir()}
    assert names >= {
        "1-photo.png",
        "2-grey.png",
        "3-flattened.png",
        "4-binary.png",
        "5-rules-removed.png",
        "6-marks.png",
        "7-answers.png",
        "stages.png",
        "digits",
    }
    digits = sorted(Path("read-photo/digits").iterdir())
    assert [path.name[:5] for path in digits] == ["000-2", "001-5"]
    with Image.open(digits[0]) as image:
        assert image.size == (28, 28)
    assert call("read", "photo.png", "--out", "elsewhere").code == 0 and Path("elsewhere/stages.png").is_file()
    photo(Path("blank.png"), "")
    assert call("read", "blank.png", "--show").code == 0 and Path("read-blank/stages.png").is_file()


@pytest.mark.slow
def test_photos_of_one_name_have_folders_of_their_own(call):
    photos = [photo(Path(folder, "page.png"), text) for folder, text in (("monday", "2"), ("tuesday", "5"))]
    called = call("read", *photos, photo(Path("other.png"), "7"), "--show")
    assert called.code == 0, called.err
    for folder, label in (("read-monday-page.png", "2"), ("read-tuesday-page.png", "5"), ("read-other", "7")):
        (digit,) = Path(folder, "digits").iterdir()
        assert digit.name.startswith(f"000-{label}")


def test_json(call):
    called = call("read", photo(Path("a.png"), "25"), photo(Path("b.png"), ""), "--json")
    first, second = json.loads(called.out)
    assert (first["photo"], first["text"], first["size"]) == ("a.png", "25", [220, 150])
    assert [d["label"] for d in first["digits"]] == ["2", "5"] and len(first["digits"][0]["probabilities"]) == 10
    left, top, right, bottom = first["digits"][0]["box"]
    assert abs(left - 40) <= 3 and abs(top - 40) <= 3 and right - left > 20 and bottom - top > 60
    assert (second["text"], second["digits"], second["others"]) == ("", [], [])


def test_what_is_no_digit_is_said(call):
    assert "blank.png: no digit found; the page is blank" in call("read", photo(Path("blank.png"), "")).out
    called = call("read", photo(Path("at.png"), "@"))
    assert "at.png: no digit found; no mark looks like one" in called.out
    assert "no digit at 4" in called.out and "it looks like no digit (best guess" in called.out


def test_checking_against_the_truth(call):
    sheet = draw_page("print", np.random.default_rng(1), lines=2, columns=4)
    write_pages("sheets", [sheet])
    called = call("read", "sheets/print-000.png", "--check", "sheets/truth.json")
    assert called.code == 0 and "8 of 8 digits found (100.0 %)" in called.out
    truth = json.loads(Path("sheets/truth.json").read_text())
    label = truth["print-000.png"][0]["label"]
    truth["print-000.png"][0]["label"] = (label + 1) % 10
    Path("sheets/truth.json").write_text(json.dumps(truth))
    called = call("read", "sheets/print-000.png", "--check", "sheets/truth.json")
    assert f"print-000.png: read as {label}: {(label + 1) % 10} (DejaVu" in called.out
    assert "7 of those right (87.5 %)" in called.out


def test_bad_input_is_one_line(call):
    Path("drawing.png").write_bytes(b"<svg/>")
    mlp([64, 10]).save("small.safetensors")
    page = photo(Path("photo.png"), "1")
    for arguments, code, words in (
        (["drawing.png"], 1, "drawing.png: is text with markup (SVG or a web page)"),
        (["nope.png"], 1, "nope.png: there is no such file"),
        (["small.safetensors", page], 1, "takes input of shape (64,)"),
        (["shipped"], 2, "and no photo; expected `digitlab read shipped PHOTO…`"),
        ([page, page, "--out", "x"], 2, "--out names the folder of one photo's stages"),
        ([page, "--check", "nope.json"], 1, "nope.json"),
        ([page, "--csv", "digits.txt"], 2, "expected a file name that ends in .csv"),
        ([], 2, "got no photo; expected `digitlab read PHOTO…`"),
    ):
        called = call("read", *arguments)
        assert called.code == code and words in called.err, (arguments, called)
        assert called.err.count("\n") == 1
    assert call("read", page, "--check", "nope.json").out == "", "labels are sought before the photo is read"
    called = call("read", "nope.png", "gone.png")  # two photos, not a network and a photo
    assert called.err.splitlines() == [
        f"error: {name}: there is no such file. Check the name, or the folder it should be in."
        for name in ("nope.png", "gone.png")
    ]
    called = call("read", "drawing.png", page)  # the other photo is read all the same
    assert called.code == 1 and "photo.png: 1 digit" in called.out and "drawing.png" in called.err


@pytest.mark.slow
def test_fine_tuning_on_a_folder_of_ones_own(call):
    """Seven-shaped marks that are called 4 here: what the network learns of them, it can only learn from the folder."""
    rng = np.random.default_rng(0)
    for number in range(14):
        page = np.full((120, 110), 240, np.uint8)
        ink = draw_digit(7, 80, rng, width=0.09)
        page[15 : 15 + ink.shape[0], 20 : 20 + ink.shape[1]] -= (ink * 0.8).astype(np.uint8)
        Path("own/4").mkdir(parents=True, exist_ok=True)
        Image.fromarray(page).save(f"own/4/{number}.png")
    tuning = [
        "--from",
        "shipped",
        "--data",
        "own",
        "--epochs",
        "30",
        "--learning-rate",
        "0.001",
        "--batch-size",
        "4",
        "--engine",
        "reference",
        "--run",
        "tuned",
    ]
    called = call("train", *tuning)
    assert called.code == 0, called.err
    before, after = load_network(Path(load_shipped())), load_network("tuned/network.safetensors")
    with pytest.warns(DataWarning, match="all 10 images are of one class, 4"):
        images = load("own").test.images
    assert np.argmax(before.predict(images), axis=1).tolist() == [7, 7]
    assert np.argmax(after.predict(images), axis=1).tolist() == [4, 4]
    assert "start = " in Path("tuned/config.toml").read_text()
    resumed = call("train", "--run", "tuned", "--resume", "--epochs", "31")
    assert resumed.code == 0 and "after epoch 30" in resumed.out
    mixed = call("train", *tuning[:-2], "--mix", str(idx_folder(Path("many"))), "--run", "mixed")
    assert mixed.code == 0, mixed.err
    assert "Digits: 60 images" in mixed.out  # 10 of one's own, and the 50 there are
    assert call("train", "--from", "shipped", "--net", "784-10", "--data", "own").code == 2


def load_shipped() -> str:
    from digitlab.shipped import PATH

    return str(PATH)


def test_fine_tuning_begins_with_the_weights(call):
    """With a rate of almost nothing, what comes out is what went in."""
    network = build_named("sprint", seed=5)
    network.save("start.safetensors")
    folder = idx_folder(Path("many"))
    called = call(
        "train",
        "--from",
        "start.safetensors",
        "--data",
        folder,
        "--learning-rate",
        "1e-12",
        "--epochs",
        "1",
        "--engine",
        "reference",
        "--run",
        "same",
    )
    assert called.code == 0, called.err
    same = load_network("same/network.safetensors")
    assert all(
        np.allclose(a, b, atol=1e-7) for a, b in zip(same.state().values(), network.state().values(), strict=True)
    )


@pytest.mark.slow
def test_pictures_to_try_commands_with(call):
    called = call("data", "make", "photo")
    text = called.out.splitlines()[1:4]
    assert called.code == 0 and text == ["69153439", "95841702", "60758130"]
    read = call("read", "photo.png")
    assert ["".join(line.split()) for line in read.out.splitlines()[1::2]] == text
    called = call("data", "make", "own", "-n", "40")
    assert called.code == 0 and "own: 40 pictures of handwritten digits" in called.out
    assert call("data", "show", "--data", "own").code == 0
    assert not list(Path().glob("**/.*.png"))


@pytest.mark.slow
def test_making_other_appearances(call):
    folder = idx_folder(Path("many"))
    called = call("data", "make", "colour-mnist", "--data", folder, "-n", "50")
    assert called.code == 0, called.err
    assert "colour-mnist.npz: 50 images to train, 10 to validate, 10 to test; seed 0" in called.out
    assert load("colour-mnist.npz").train.image_shape == (28, 28, 3)
    called = call(
        "train",
        "--net",
        "colour-conv",
        "--data",
        "colour-mnist.npz",
        "--epochs",
        "1",
        "--engine",
        "reference",
        "--run",
        "colour",
    )
    assert called.code == 0, called.err
    assert call("read", "colour", photo(Path("photo.png"), "12"), "--least-confidence", "0").code == 0
    called = call("data", "make", "scenes", "--data", folder, "-n", "2", "--out", "pictures")
    assert called.code == 0 and len(list(Path("pictures").glob("*.png"))) == 2
    assert call("data", "make", "pages", "--data", folder, "--style", "chalk").code == 0
    assert Path("pages/chalk-000.png").is_file()
    assert call("data", "make", "sheets", "--data", folder, "--style", "chalk").code == 0  # the former name
    assert Path("sheets/chalk-000.png").is_file()
    for arguments, code, words in (
        (["sepia"], 2, "got 'sepia'; there are: colour-mnist"),
        (["handwriting", "--data", "digits"], 1, "expected (28, 28), as MNIST's"),
        (["hands", "--data", folder, "--out", "x.zip"], 2, "ends in .npz"),
        (["hands", "--data", folder, "-n", "1000"], 1, "expected 5 to"),
        (["sheets", "--data", folder, "--style", "papyrus"], 1, "there are: clean"),
        (["photo", "--out", "x.svg"], 2, "for a photo"),
        (["photo", "-n", "3"], 2, "a photo is one page"),
        (["own", "--data", folder], 2, "needs no data set"),
        (["own", "--style", "chalk"], 2, "--style needs the kind pages"),
    ):
        called = call("data", "make", *arguments)
        assert called.code == code and words in called.err, (arguments, called)


def test_a_form_is_read_cell_by_cell(call, form):
    cells = ["53..7", "6..19", ".98..", "8...6"]
    Image.fromarray(form(cells)).save("form.png")
    assert call("read", "--grid", "4x5", "form.png").out.splitlines()[1:] == [f"  {row}" for row in cells]
    (table,) = json.loads(call("read", "--grid", "4x5", "--json", "--csv", "form.csv", "form.png").out)
    assert table["text"] == "\n".join(cells)
    assert table["cells"] == [[cell.replace(".", "") for cell in row] for row in cells]
    rows = [line.split(",")[1:4] for line in Path("form.csv").read_text().splitlines()[1:]]
    there = [(row, column) for row in range(4) for column in range(5) if cells[row][column] != "."]
    assert rows == [[str(row), str(column), cells[row][column]] for row, column in there]
    with Image.open("form.png") as small:
        small.resize((3 * small.width, 3 * small.height), Image.Resampling.NEAREST).save("large.png")
    (large,) = json.loads(call("read", "--grid", "4x5", "--json", "large.png").out)
    boxes, larger = ([digit["box"] for digit in found["digits"]] for found in (table, large))
    assert large["text"] == table["text"] and np.abs(3 * np.array(boxes) - larger).max() <= 2
    assert "expected rows and columns" in call("read", "--grid", "9", "form.png").err
    Image.new("L", (300, 200), 250).save("blank.png")
    called = call("read", "--grid", "999x2", "blank.png")
    assert called.code == 1 and "300×200 pixels, expected at least 8×3996 for 999×2 cells" in called.err


def test_a_known_number_of_digits(call):
    photo(Path("two.png"), "7?3")
    assert json.loads(call("read", "--expect", "2", "--json", "two.png").out)[0]["text"] == "73"
    assert len(json.loads(call("read", "--expect", "1", "--json", "two.png").out)[0]["digits"]) == 1
    assert len(json.loads(call("read", "--expect", "3", "--json", "two.png").out)[0]["digits"]) == 3
    called = call("read", "--expect", "9", "two.png")
    assert called.code == 0 and called.err == "two.png: found 3 of the 9 digits expected\n"


def test_several_photos_in_one_csv(call):
    photo(Path("a.png"), "31")
    photo(Path("b.png"), "7")
    Image.new("L", (90, 90), 250).save("c.png")
    call("read", "--csv", "all.csv", "a.png", "b.png", "c.png")
    lines = Path("all.csv").read_text().splitlines()
    assert lines[0] == "photo,line,column,label,confidence,left,top,right,bottom"
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["a.png", "0", "0", "3"],
        ["a.png", "0", "1", "1"],
        ["b.png", "0", "0", "7"],
        ["c.png", "", "", ""],
    ]
    Path("bad.png").write_text("no picture")
    called = call("read", "--csv", "none.csv", "bad.png", "bad.png")  # none was read: no file, and none is named
    assert called.code == 1 and called.out == "" and not Path("none.csv").exists()


def test_a_watched_folder(call, monkeypatch):
    photo(Path("in/a.png"), "4")
    Path("in/notes.txt").write_text("no picture")
    looks = []

    def look(_seconds):
        looks.append(1)
        if len(looks) == 2:
            photo(Path("in/b.png"), "75")
        if len(looks) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", look)
    said = call("read", "--watch", "in")
    assert [line for line in said.out.splitlines() if "digit" in line] == [
        f"{Path('in/a.png')}: 1 digit in 1 line",
        f"{Path('in/b.png')}: 2 digits in 1 line",
    ]
    assert "no folder" in call("read", "--watch", "nowhere").err


def test_no_digit_is_explained_with_what_to_try(call):
    Image.new("L", (120, 120), 250).save("blank.png")
    assert "try: is the writing pale?" in call("read", "blank.png").out
    photo(Path("letters.png"), "AK")
    assert "try: crop the picture to the digits" in call("read", "letters.png").out
