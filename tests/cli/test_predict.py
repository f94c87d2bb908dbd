"""`digitlab predict`: tables, files, and who predicts."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import digitlab
from digitlab.cli.predict import FEW
from digitlab.data import write_idx
from digitlab.nn import Dense, Flatten, Network, mlp

IMAGES = np.random.default_rng(4).integers(0, 256, (25, 28, 28), dtype=np.uint8)


@pytest.fixture(autouse=True)
def files(empty_machine):
    """A table without labels, one with labels, IDX images, an array, pictures; a network that is no run."""
    rows = [",".join(map(str, row)) for row in IMAGES.reshape(-1, 784).tolist()]
    heading = ",".join(f"pixel{i}" for i in range(784))
    Path("test.csv").write_text("\n".join([heading, *rows]) + "\n")
    Path("labelled.csv").write_text("\n".join(f"{i % 10},{row}" for i, row in enumerate(rows)) + "\n")
    write_idx("images", IMAGES)
    np.save("images.npy", IMAGES)
    Path("pictures").mkdir()
    for i in range(3):
        Image.fromarray(IMAGES[i]).save(f"pictures/{i}.png")
    mlp([784, 10], seed=2).save("net.safetensors")


def expected():
    return np.argmax(mlp([784, 10], seed=2).predict(IMAGES), axis=1).tolist()


def test_a_table_for_the_terminal(call):
    called = call("predict", "net.safetensors", "test.csv")
    assert called.code == 0 and not called.err
    lines = called.out.splitlines()
    assert lines[0].split() == ["image", "class", "confidence", *"0123456789"]
    assert [line.split()[:2] for line in lines[2 : 2 + FEW]] == [[str(i), str(expected()[i])] for i in range(FEW)]
    assert lines[2 + FEW] == "… and 15 more images; -o FILE.csv writes all"
    assert lines[3 + FEW] == "25 images of test.csv, predicted by net.safetensors"
    assert lines[4 + FEW].startswith("per class  ")
    assert all(len(line) <= 80 for line in lines)


def test_long_names_are_cut_to_80_columns(call):
    folder = Path("a-rather-long-name-of-a-folder/and-another-one-in-it")
    folder.mkdir(parents=True)
    Image.fromarray(IMAGES[0]).save(folder / "0.png")
    lines = call("predict", "net.safetensors", folder).out.splitlines()
    assert all(len(line) <= 80 for line in lines[:3]) and lines[2].startswith("…") and "0.png" in lines[2]


def test_labels_that_are_there_give_an_accuracy(call):
    right = sum(a == i % 10 for i, a in enumerate(expected()))
    called = call("predict", "net.safetensors", "labelled.csv")
    assert f"labels found: {100 * right / 25:.2f} % correct, {25 - right} wrong" in called.out


@pytest.mark.parametrize("source", ["test.csv", "labelled.csv", "images", "images.npy", "pictures"])
def test_kaggle(call, source):
    called = call("predict", "net.safetensors", source, "--kaggle", "-o", "submission.csv")
    assert called.code == 0, called.err
    n = 3 if source == "pictures" else 25
    rows = [f"{i + 1},{label}" for i, label in enumerate(expected()[:n])]
    assert Path("submission.csv").read_text().splitlines() == ["ImageId,Label", *rows]
    assert "saved: submission.csv" in called.out


def test_csv_and_json_on_standard_output(call):
    called = call("predict", "net.safetensors", "test.csv", "--format", "csv")
    rows = list(csv.DictReader(called.out.splitlines()))
    assert [int(row["class"]) for row in rows] == expected()
    assert len(rows[0]) == 13 and "25 images of test.csv" in called.err
    assert call("predict", "net.safetensors", "test.csv", "--columns", "id, digit").out.startswith("id,digit\n1,")
    called = call("predict", "net.safetensors", "pictures", "--format", "json", "--top", "2")
    assert [table["image"] for table in json.loads(called.out)] == [str(Path("pictures", f"{i}.png")) for i in range(3)]
    assert len(json.loads(called.out)[0]["best"]) == 2


def test_files_are_of_the_kind_their_names_say(call):
    assert call("predict", "net.safetensors", "test.csv", "-o", "out.json").code == 0
    assert len(json.loads(Path("out.json").read_text())) == 25
    assert call("predict", "net.safetensors", "test.csv", "-o", "out.csv", "--no-proba").code == 0
    assert Path("out.csv").read_text().startswith("image,class,confidence\n0,")
    assert "more images; -o" not in call("predict", "net.safetensors", "test.csv", "-o", "out.csv").out


def test_who_predicts(call):
    assert "predicted by the shipped network" in call("predict", "images").out
    assert "predicted by the shipped network" in call("predict", "shipped", "images").out
    mlp([784, 10], seed=2).save("runs/001-784-10/network.safetensors")
    path = Path("runs/001-784-10/network.safetensors")
    for words in (["images"], ["runs/001-784-10", "images"], ["--net", path, "images"], [path, "images"]):
        called = call("predict", *words)
        assert f"25 images of images, predicted by {path}" in called.out, called
    Path("net.safetensors").rename("network-without-suffix")
    assert "predicted by network-without-suffix" in call("predict", "network-without-suffix", "images").out
    saved = {"sizes": [784, 10], "weights": [np.ones((10, 784)).tolist()], "biases": [np.ones((10, 1)).tolist()]}
    Path("saved").write_text(json.dumps(saved))
    assert "predicted by saved" in call("predict", "saved", "images").out
    called = call("predict", "images.npy", "images")  # both are data
    assert "50 images of 2 sources, predicted by runs" in called.out


def test_pictures_that_cannot_be_read(call):
    Path("pictures/1.png").write_bytes(b"no picture")
    called = call("predict", "net.safetensors", "pictures", "-o", "out.csv")
    assert called.code == 1 and called.err.startswith("skipped: pictures/1.png: ") and called.err.count("\n") == 1
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    assert [row["image"] for row in rows] == ["pictures/0.png", "pictures/2.png"]


def test_class_names(call):
    names = ",".join(f"word{i}" for i in range(10))
    called = call("predict", "net.safetensors", "test.csv", "--class-names", names)
    row = called.out.splitlines()[2].split()
    assert row[1] == f"word{expected()[0]}" and row[4] == row[1], "the most probable three in place of all"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["net.safetensors"], 2, "got the network net.safetensors and no images; expected `digitlab predict"),
        (["net.safetensors", "none.csv"], 1, "none.csv: there is no such file"),
        (["none.safetensors", "test.csv"], 1, "none.safetensors: no such file"),
        (["test.csv", "net.safetensors"], 1, "if it is a network, name it as NET"),
        (["notes.txt", "test.csv"], 1, "notes.txt: not a safetensors file but a text file"),
        (["net.safetensors", "small.npy"], 1, "small.npy: got input of shape (2, 8, 8), expected (N, 784)"),
        (["net.safetensors", "test.csv", "-o", "out.txt"], 2, "ends in .csv or .json for predictions"),
        (["net.safetensors", "test.csv", "-o", "test.csv"], 2, "is the file to be read"),
        (["net.safetensors", "test.csv", "--kaggle", "-o", "a.json"], 2, "--kaggle and --columns are for CSV"),
        (["net.safetensors", "test.csv", "--kaggle", "--top", "2"], 2, "leave out --top"),
        (["net.safetensors", "test.csv", "--columns", "Label"], 2, "expected two names"),
        (["net.safetensors", "test.csv", "--class-names", "a,b"], 1, "got 2 names, expected 10"),
        (["one.safetensors", "test.csv", "--kaggle"], 2, "gives numbers, not classes"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done(fails, arguments, code, words):
    np.save("small.npy", np.zeros((2, 8, 8), np.uint8))
    Path("notes.txt").write_text("a note")
    mlp([784, 1]).save("one.safetensors")
    before = sorted(Path().iterdir())
    assert words in fails(code, "predict", *arguments)
    assert sorted(Path().iterdir()) == before, "nothing was written"


def test_images_of_the_training_are_said_to_be(call, train):
    train("--data", "labelled.csv", "--train-size", "15", "--net", "784-10", "--run", "own")
    for words, told in ((["labelled.csv"], True), (["labelled.csv", "--part", "test"], False), (["images"], False)):
        called = call("predict", "own", *words)
        assert called.code == 0, called.err
        assert ("trained on some of these images" in called.out) == told, called.out
    assert "3 test images of labelled.csv" in call("predict", "own", "labelled.csv", "--part", "test").out


def test_how_a_table_is_read(call):
    row = ",".join(["0"] * 600)
    Path("wide.csv").write_text(f"{row},7\n{row},8\n")
    Network([Flatten(), Dense(10)], (20, 30, 1), seed=1).save("wide.safetensors")
    called = call("predict", "wide.safetensors", "wide.csv", "--label-column", "-1")
    assert called.code == 0 and "labels found" in called.out, called.err
    mlp([600, 10]).save("flat.safetensors")
    called = call("predict", "flat.safetensors", "wide.csv", "--label-column", "-1", "--image-shape", "20x30")
    assert called.code == 0 and "2 images of wide.csv" in called.out, called.err


@pytest.mark.slow
def test_names_of_classes_come_with_the_network(call):
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    net = digitlab.Net([64, 10], loss="cross-entropy")
    net.train(dataclasses.replace(digitlab.load("digits").train, class_names=names), epochs=2)
    net.save("named.safetensors")
    done = call("failures", "named.safetensors", "--data", "digits")
    assert done.code == 0, done.err
    assert any(f"{name} read as " in done.out for name in names) and "8 read as" not in done.out
    assert call("test", "named.safetensors", "--data", "digits").code == 0
