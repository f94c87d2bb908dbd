"""Data files at the command line: what is doubtful is told in a line, and undivided files are one set."""

import pytest

from digitlab.data import load, write_csv
from digitlab.nn import load_network, mlp


@pytest.fixture
def net(tmp_path):
    """A network for the bundled digits, saved."""
    path = tmp_path / "net.safetensors"
    mlp([64, 10], seed=0).save(path)
    return path


def test_a_single_class_is_reported_in_a_line(call, tmp_path):
    digits = load("digits", part="test")
    write_csv(tmp_path / "threes.csv", digits.only([3]))
    called = call("train", "--data", tmp_path / "threes.csv", "--epochs", "1")
    assert called.code == 0
    (line,) = called.err.splitlines()
    assert line.startswith("warning: threes.csv (cut from one set) train: all ") and "of one class, 3" in line


@pytest.mark.parametrize("count", [1, 5, 10])
def test_a_file_is_one_set_and_all_of_it_tests(call, net, tmp_path, count):
    digits = load("digits", part="test").first(count)
    write_csv(tmp_path / "few.csv", digits)
    called = call("test", net, "--data", tmp_path / "few.csv")
    assert called.code == 0, called.err
    assert f"on {count} image{'s' if count > 1 else ''} of few.csv" in called.out
    right = int(sum(load_network(net).predict(digits.images).argmax(1) == digits.labels))
    assert f"{100 * right / count:.2f} % correct, {count - right} wrong" in called.out


def test_parts_and_sizes_of_a_file(call, net, tmp_path):
    write_csv(tmp_path / "some.csv", load("digits", part="test").first(40))
    for options, words in (
        (("--part", "test"), "on 5 test images"),
        (("--part", "test", "--test-size", "0.5"), "on 20 test images"),
        (("--part", "valid", "--valid-size", "12"), "on 12 valid images"),
        (("--part", "train", "--valid-size", "0", "--test-size", "25%"), "on 30 train images"),
        (("--part", "all"), "on 40 images"),
    ):
        called = call("test", net, "--data", tmp_path / "some.csv", *options)
        assert called.code == 0 and words in called.out, called
    for options, words in (
        (("--test-size", "1.5"), "expected a number of images, or a share of them between 0 and 1"),
        (("--part", "test", "--test-size", "40"), "got test_size 40, expected 1 to 39 images"),
        (("--part", "valid", "--valid-size", "0"), "sets none aside"),
    ):
        called = call("test", net, "--data", tmp_path / "some.csv", *options)
        assert called.code and words in called.err, called


def test_a_network_is_not_tested_on_what_it_was_trained_on(call, tmp_path):
    path = tmp_path / "own.csv"
    write_csv(path, load("digits", part="test").first(70))
    assert call("train", "--data", path, "--net", "64-10", "--epochs", "1", "--test-size", "20").code == 0
    default = call("test")
    assert "on 20 test images of own.csv" in default.out and default.err == ""
    called = call("test", "--data", path)
    assert called.out == default.out
    assert "the network was trained on a part of it, so only the 20 test images of its run are used" in called.err
    assert "on 70 images of own.csv" in call("test", "--data", path, "--part", "all").out
    refused = call("test", "--test-size", "40")
    assert refused.code == 1 and "it keeps the division of its run" in refused.err
    assert call("train", "--from", "runs/001-64-10", "--data", "digits", "--epochs", "1", "--run", "tuned").code == 0
    assert "on 20 test images of own.csv" in call("test", "tuned", "--data", path).out  # the first run's


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("failures", "NET", "--out", "f.png"),
        ("look", "NET", "--what", "accuracy"),
        ("explain", "NET"),
        ("gradcheck", "NET"),
        ("data", "show"),
        ("augment", "-n", "1"),
    ],
)
def test_every_command_takes_a_file_of_a_few_images(call, net, tmp_path, command):
    write_csv(tmp_path / "few.csv", load("digits", part="test").first(3))
    arguments = [net if word == "NET" else word for word in command]
    called = call(*arguments, "--data", tmp_path / "few.csv")
    assert called.code == 0, called.err


def test_columns_classes_and_shapes(call, tmp_path):
    digits = load("digits", part="test").first(60)
    rows = [",".join(map(str, [*image.ravel(), "abcdefghij"[label]])) for image, label in digits]
    (tmp_path / "letters.csv").write_text("\n".join(rows))
    options = ("--net", "64-10", "--epochs", "1", "--image-shape", "4x16", "--label-column", "-1")
    names = ("--class-names", "a,b,c,d,e,f,g,h,i,j")
    called = call("train", "--data", tmp_path / "letters.csv", *options, *names)
    assert called.code == 0, called.err
    assert "images 4×16, 10 classes (a–j)" in called.out
    (tmp_path / "two.csv").write_text("\n".join(row for row in rows if row.endswith(("c", "h"))))
    called = call("test", "--data", tmp_path / "two.csv", "--image-shape", "4x16")  # a column of words is the label
    assert called.code == 0 and "images of two.csv" in called.out, called.err
    (tmp_path / "other.csv").write_text("\n".join(row[:-1] + "z" for row in rows[:3]))
    called = call("test", "--data", tmp_path / "other.csv", "--image-shape", "4x16")
    assert called.code == 1 and "has the class z, and this network was trained on a, b, c" in called.err
