"""Predictions in Python: every form of the same images gives the same classes, and files say what they must."""

import csv
import dataclasses
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import digitlab
from digitlab import Digits, Net, Predictions, Trainer, predict
from digitlab.data import write_idx
from digitlab.data.unlabelled import read_unlabelled
from digitlab.errors import ConfigError, DataError, DigitlabError, ModelFileError, ShapeError
from digitlab.nn import Dense, Network, Sigmoid, mlp
from digitlab.shipped import shipped_network

HEADING = ",".join(f"pixel{i}" for i in range(784))


def drawn(n: int = 12) -> np.ndarray:
    """Images that an untrained network tells apart: each has a bright block of its own."""
    images = np.zeros((n, 28, 28), np.uint8)
    for i in range(n):
        row, column = divmod(i, 4)
        images[i, 6 * row + 3 : 6 * row + 11, 5 * column + 3 : 5 * column + 9] = 255
    return images


IMAGES = drawn()


@pytest.fixture(scope="module")
def network() -> Network:
    return mlp([784, 30, 10], seed=3)


@pytest.fixture(scope="module")
def expected(network: Network) -> np.ndarray:
    return np.argmax(network.predict(IMAGES), axis=1)


def write_rows(path: Path, rows, heading: str = HEADING, sep: str = ",") -> Path:
    lines = [heading.replace(",", sep)] if heading else []
    text = "\n".join([*lines, *(sep.join(map(str, row)) for row in rows)]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def sources(folder: Path) -> dict[str, Path]:
    """The same twelve images in every form of a file."""
    rows = IMAGES.reshape(-1, 784).tolist()
    labelled = [[i % 10, *row] for i, row in enumerate(rows)]
    made = {
        "kaggle": write_rows(folder / "test.csv", rows),
        "no heading": write_rows(folder / "bare.csv", rows, ""),
        "gzip": write_rows(folder / "test.csv.gz", rows),
        "gzip under a plain name": folder / "packed.csv",
        "no suffix": folder / "table",
        "semicolons": write_rows(folder / "semicolons.csv", rows, sep=";"),
        "floats": write_rows(folder / "floats.csv", [[float(p) for p in row] for row in rows]),
        "label first": write_rows(folder / "labelled.csv", labelled, f"label,{HEADING}"),
        "label last": write_rows(folder / "last.csv", [[*row[1:], row[0]] for row in labelled], f"{HEADING},class"),
        "label first, no heading": write_rows(folder / "labelled-bare.csv", labelled, ""),
        "index": write_rows(folder / "index.csv", [[i, *row] for i, row in enumerate(rows)], f"id,{HEADING}"),
        "idx": folder / "images-idx3-ubyte",
        "idx.gz": folder / "images.gz",
        "npy": folder / "images.npy",
        "flat npy": folder / "flat.npy",
        "channel npy": folder / "channel.npy",
        "npz, one array": folder / "one.npz",
        "npz, images": folder / "images.npz",
        "npz, labels": folder / "labelled.npz",
        "folder": folder / "pictures",
        "labelled folder": folder / "own",
    }
    made["gzip under a plain name"].write_bytes((folder / "test.csv.gz").read_bytes())
    made["no suffix"].write_bytes(made["kaggle"].read_bytes())
    write_idx(made["idx"], IMAGES)
    write_idx(made["idx.gz"], IMAGES)
    np.save(made["npy"], IMAGES)
    np.save(made["flat npy"], IMAGES.reshape(-1, 784))
    np.save(made["channel npy"], IMAGES[:, None])
    np.savez(made["npz, one array"], IMAGES)
    np.savez(made["npz, images"], images=IMAGES, other=np.zeros(3))
    np.savez(made["npz, labels"], images=IMAGES, labels=np.arange(12) % 10)
    for i, image in enumerate(IMAGES):
        for path in (made["folder"] / f"{i}.png", made["labelled folder"] / str(i % 10) / f"{i:02}.png"):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    return made


FORMS = [
    "kaggle",
    "no heading",
    "gzip",
    "gzip under a plain name",
    "no suffix",
    "semicolons",
    "floats",
    "label first",
    "label last",
    "label first, no heading",
    "index",
    "idx",
    "idx.gz",
    "npy",
    "flat npy",
    "channel npy",
    "npz, one array",
    "npz, images",
    "npz, labels",
    "folder",
]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    return sources(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_classes(files, network, expected, form):
    found = predict(network, files[form])
    assert isinstance(found, Predictions) and len(found) == 12
    assert found.labels.tolist() == expected.tolist()
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert found.class_names == tuple("0123456789")
    if "label" in form:
        assert found.accuracy == pytest.approx(np.mean(expected == np.arange(12) % 10))
    else:
        assert found.accuracy is None


def test_a_labelled_folder_is_ordered_by_its_names(files, network, expected):
    found = predict(network, files["labelled folder"])
    places = [int(Path(name).stem) for name in found.image_names]
    assert places == [0, 10, 1, 11, *range(2, 10)]
    assert found.labels.tolist() == expected[places].tolist()


@pytest.mark.parametrize(
    "container",
    [
        lambda x: x,
        lambda x: x.reshape(12, 784),
        lambda x: list(x),
        lambda x: Digits(x, np.arange(12) % 10),
        lambda x: x.astype(np.float32) / np.float32(255),
    ],
)
def test_images_in_memory(network, expected, container):
    assert predict(network, container(IMAGES)).labels.tolist() == expected.tolist()


def test_ways_to_name_a_network(tmp_path, network, expected):
    network.save(tmp_path / "run" / "network.safetensors")
    net = Net([784, 30, 10])
    net.network = network
    for way in (network, net, tmp_path / "run", str(tmp_path / "run" / "network.safetensors")):
        assert digitlab.predict(way, IMAGES).labels.tolist() == expected.tolist()
    np.testing.assert_allclose(net.predict_proba(IMAGES), predict(net, IMAGES).probabilities)
    with pytest.raises(ConfigError, match="gives numbers, not classes"):
        Net([784, 1]).predict_proba(IMAGES)
    shipped = np.argmax(shipped_network().predict(IMAGES), axis=1)
    assert predict("shipped", IMAGES).labels.tolist() == shipped.tolist()
    with pytest.raises(ModelFileError, match="no such file"):
        predict(tmp_path / "none", IMAGES)


def test_pictures_are_brought_to_the_form_of_own_pictures(tmp_path):
    from digitlab.data.photos import read_digit

    page = np.full((200, 160), 245, np.uint8)
    page[40:160, 75:88] = 30  # a 1, dark on light
    Image.fromarray(page).save(tmp_path / "one.jpg", quality=95)
    found = predict("shipped", tmp_path / "one.jpg")
    assert found.classes == ["1"] and found.image_names == [str(tmp_path / "one.jpg")]
    assert np.array_equal(read_unlabelled(tmp_path / "one.jpg").values[0], read_digit(tmp_path / "one.jpg"))


def test_a_picture_that_cannot_be_read_is_skipped_and_named(tmp_path, network, expected):
    for i in (1, 2, 10):
        Image.fromarray(IMAGES[i]).save(tmp_path / f"img_{i}.png")
    (tmp_path / "img_3.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "img_4.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("not a picture, and not called one")
    found = predict(network, tmp_path)
    assert [Path(name).name for name in found.image_names] == ["img_1.png", "img_2.png", "img_10.png"]
    assert found.labels.tolist() == expected[[1, 2, 10]].tolist()
    assert [Path(line.partition(": ")[0]).name for line in found.skipped] == ["img_3.png", "img_4.jpg"]
    assert found.csv(columns=("Id", "Class")).splitlines()[1:] == [f"{p},{c}" for p, c in zip((1, 2, 5), found.classes)]
    with pytest.raises(DataError, match=r"img_3\.png"):
        predict(network, tmp_path / "img_3.png")
    with pytest.raises(DataError, match=r"img_3\.png: .*and 1 more picture"):
        predict(network, [tmp_path / "img_3.png", tmp_path / "img_4.jpg"])


def test_several_sources_follow_one_another(files, network, expected):
    found = predict(network, [files["npy"], files["idx"]])
    assert found.labels.tolist() == [*expected, *expected]
    assert found.image_names[0] == f"{files['npy']}:0" and found.image_names[-1] == f"{files['idx']}:11"
    picture = files["folder"] / "7.png"
    mixed = predict(network, [picture, files["npy"]])
    assert mixed.labels.tolist() == [expected[7], *expected] and mixed.positions.tolist() == list(range(13))


def test_colour_networks_see_colours(tmp_path):
    colour = np.repeat(IMAGES[..., None], 3, axis=3).copy()
    colour[..., 0] //= 2
    network = Network([Dense(10)], (28 * 28 * 3,), seed=1)
    for i, image in enumerate(colour):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    assert predict(network, tmp_path).labels.tolist() == np.argmax(network.predict(colour), axis=1).tolist()


def test_what_does_not_fit_is_named(tmp_path, network):
    np.save(tmp_path / "small.npy", np.zeros((3, 8, 8), np.uint8))
    np.save(tmp_path / "text.npy", np.array(["a"]))
    np.save(tmp_path / "nan.npy", np.full((2, 784), np.nan))
    network.save(tmp_path / "net.safetensors")
    (tmp_path / "empty").mkdir()
    write_idx(tmp_path / "labels-idx1-ubyte", [1, 2])
    cases: list[tuple[str, type[DigitlabError], str]] = [
        ("small.npy", ShapeError, r"small\.npy: got input of shape"),
        ("text.npy", DataError, r"text\.npy: holds"),
        ("nan.npy", DataError, r"nan\.npy: .*NaN"),
        ("net.safetensors", DataError, "is a safetensors file.*if it is a network, name it as NET"),
        ("empty", DataError, "empty: found nothing"),
        ("labels-idx1-ubyte", DataError, "is an IDX file of labels alone"),
        ("absent.csv", DataError, r"absent\.csv: there is no such file"),
    ]
    for name, error, words in cases:
        with pytest.raises(error, match=words):
            predict(network, tmp_path / name)
    for net in (5, None, np.zeros(3)):
        with pytest.raises(ConfigError, match=f"net: got {type(net).__name__}, expected a network"):
            predict(net, IMAGES)
    with pytest.raises(ShapeError, match=r"got a single number; expected inputs of shape \(N, 784\)"):
        predict(network, 5)
    with pytest.raises(DataError, match="no file to read"):
        read_unlabelled([])
    with pytest.raises(ConfigError, match="got 2 names, expected 10"):
        predict(network, IMAGES, class_names=["a", "b"])


def test_csv_and_json(tmp_path, network):
    found = predict(network, IMAGES)
    assert repr(found).startswith(f"Predictions: 12 images, {found.labels[0]}, ")
    found.save(tmp_path / "out.csv")
    heading, *rows = csv.reader((tmp_path / "out.csv").read_text().splitlines())
    assert heading == ["image", "class", "confidence", *(f"p{i}" for i in range(10))]
    assert [row[0] for row in rows] == [str(i) for i in range(12)]
    assert [row[1] for row in rows] == [str(label) for label in found.labels]
    np.testing.assert_allclose(np.array([row[3:] for row in rows], float), found.probabilities, rtol=1e-5)
    np.testing.assert_allclose([float(row[2]) for row in rows], found.probabilities.max(axis=1), rtol=1e-5)

    found.save(tmp_path / "sub.csv", columns=("ImageId", "Label"))
    assert (tmp_path / "sub.csv").read_text().splitlines()[:3] == [
        "ImageId,Label",
        f"1,{found.labels[0]}",
        f"2,{found.labels[1]}",
    ]
    assert found.csv(proba=False).splitlines()[0] == "image,class,confidence"
    first = next(csv.DictReader(found.csv(top=3).splitlines()))
    best = found.best(3)[0]
    assert (first["class"], first["class2"], first["class3"]) == tuple(name for name, _ in best)
    assert best[0][1] >= best[1][1] >= best[2][1]

    found.save(tmp_path / "out.json")
    tables = json.loads((tmp_path / "out.json").read_text())
    assert len(tables) == 12 and tables[3]["class"] == str(found.labels[3]) and tables[3]["image"] == "3"
    assert list(tables[3]["probabilities"]) == list("0123456789")
    assert "probabilities" not in json.loads(found.json(proba=False))[0]
    assert len(json.loads(found.json(top=2))[0]["best"]) == 2
    with pytest.raises(ConfigError, match=r"out\.txt.*ends in \.csv or \.json"):
        found.save(tmp_path / "out.txt")
    assert not (tmp_path / "out.txt").exists()


def test_class_names(tmp_path, network):
    words = [f"word {i}" for i in range(10)]
    named = predict(network, Digits(IMAGES, np.zeros(12, int), words))
    assert named.class_names == tuple(words) and named.classes[0] == words[named.labels[0]]
    assert predict(network, IMAGES, class_names=words).class_names == tuple(words)
    network.save(tmp_path / "network.safetensors")
    (tmp_path / "config.toml").write_text('[data]\nsource = "fashion-mnist:here"\n')
    assert predict(tmp_path, IMAGES).class_names[1] == "Trouser"
    for word in words:
        (tmp_path / "own" / word).mkdir(parents=True)
        Image.fromarray(IMAGES[0]).save(tmp_path / "own" / word / "a.png")
    (tmp_path / "config.toml").write_text(f'[data]\nsource = "{(tmp_path / "own").as_posix()}"\n')
    assert predict(tmp_path, IMAGES).class_names == tuple(words)
    (tmp_path / "config.toml").write_text('[data]\nsource = "mnist"\n')
    assert predict(tmp_path, IMAGES).class_names == tuple("0123456789")
    assert predict(mlp([784, 3]), IMAGES).class_names == ("0", "1", "2")


def test_labels_of_other_classes_are_not_compared():
    found = predict(mlp([784, 3]), Digits(IMAGES, np.zeros(12, int)))
    assert found.accuracy is None and found.note == "its 10 classes are not the network's 3: labels are not compared"


def test_pictures_for_a_network_of_another_size(tmp_path):
    network = mlp([64, 10], seed=1)
    for size in (8, 30):
        Image.fromarray(IMAGES[0]).resize((size, size)).save(tmp_path / f"{size}.png")
    small = np.asarray(Image.open(tmp_path / "8.png"))
    assert predict(network, tmp_path / "8.png").labels[0] == np.argmax(network.predict(small[None]))
    with pytest.raises(DataError, match=r"30\.png: is a picture of 30×30 pixels, expected 8×8"):
        predict(network, tmp_path / "30.png")


def test_networks_that_give_numbers(tmp_path):
    network = Network([Dense(8), Sigmoid(), Dense(1)], 1, "mean-squared-error", seed=1)
    x = np.linspace(0, 1, 20)[:, None]
    Trainer(network, digitlab.SGD(0.5)).fit((x, x**2), epochs=2)
    (tmp_path / "x.csv").write_text("x\n0.25\n0.5\n")
    found = predict(network, tmp_path / "x.csv")
    assert found.labels is None and found.probabilities is None
    np.testing.assert_allclose(found.outputs, network.predict(np.array([[0.25], [0.5]])))
    assert found.csv().splitlines()[0] == "image,output"
    assert json.loads(found.json())[1]["outputs"] == pytest.approx(found.outputs[1].tolist())
    with pytest.raises(ConfigError, match="gives numbers"):
        found.best(2)


def test_tables_of_numbers_are_no_pixels(tmp_path):
    network = Network([Dense(3), Sigmoid(), Dense(2)], 2, seed=1)
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    Trainer(network, digitlab.SGD(0.5), batch_size=2).fit((x, np.array([0, 1, 1, 0])), epochs=1)
    (tmp_path / "x.csv").write_text("a,b\n0,0\n0,1\n1,0\n1,1\n")
    (tmp_path / "labelled.csv").write_text("label,a,b\n0,0,0\n1,0,1\n1,1,0\n0,1,1\n")
    for name in ("x.csv", "labelled.csv"):
        np.testing.assert_allclose(predict(network, tmp_path / name).outputs, network.predict(x), rtol=1e-6)
    (tmp_path / "x.csv").write_text("a,b,c\n0,0,0\n")
    with pytest.raises(DataError, match="line 2 has 3 numbers, expected 2"):
        predict(network, tmp_path / "x.csv")


@pytest.mark.slow
@pytest.mark.mnist
def test_mnist_as_a_table_without_labels(tmp_path, mnist_splits):
    test = mnist_splits.test
    write_rows(tmp_path / "test.csv", test.images.reshape(-1, 784).tolist())
    found = predict("shipped", tmp_path / "test.csv")
    assert np.mean(found.labels == test.labels) == pytest.approx(0.9961)
    assert predict("shipped", test).accuracy == pytest.approx(0.9961)


# What the classes are called, in the network's file


@pytest.fixture
def named(tmp_path):
    """A network trained on classes with names, alone in a folder."""
    splits = digitlab.load("digits")
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    net = digitlab.Net([64, 10], loss="cross-entropy")
    net.train(dataclasses.replace(splits.train, class_names=names), epochs=2)
    net.save(tmp_path / "named.safetensors")
    return tmp_path / "named.safetensors", splits.test, names


def test_a_loaded_network_knows_the_names_of_its_classes(named):
    path, test, names = named
    assert digitlab.load_network(path).class_names == names
    found = digitlab.predict(path, test.images[:5])
    assert found.class_names == names and set(digitlab.predict(path, test).class_names) == set(names)
    digitlab.Net([64, 10]).save(path)
    assert digitlab.load_network(path).class_names == (), "no names, as in older files"
