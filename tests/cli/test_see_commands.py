"""`imagine`, `failures`, `look`, `watch`, `draw` and `explain`, as one calls them."""

import os
import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlab.data import load
from digitlab.engine.select import predict
from digitlab.nn import MeanSquaredError, load_network, mlp
from digitlab.train import History
from digitlab.train.recorders import Recorded

RUN = "runs/001-64-30-10"


def is_png(path):
    with Image.open(path) as image:
        return image.format == "PNG" and min(image.size) > 50


# train --record, --watch


def test_record_keeps_predictions_and_gradients_and_a_resume_goes_on(train, call):
    train("--record")
    assert Recorded.load(f"{RUN}/predictions.npz").epochs.tolist() == [1, 2]
    called = call("train", "--run", RUN, "--resume", "--epochs", "3")
    assert called.code == 0, called.err
    assert Recorded.load(f"{RUN}/predictions.npz").epochs.tolist() == [1, 2, 3]
    assert [row["epoch"] for row in History.load(f"{RUN}/gradients.jsonl")] == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_recorded_run_is_animated(train, call):
    train("--record")
    assert sorted(path.name for path in Path(f"{RUN}/epochs").iterdir()) == [f"000{e}.safetensors" for e in range(3)]
    called = call("animate", "weights", "--frames", "2")
    assert called.code == 0, called.err
    assert called.out.splitlines() == ["weights after epochs 0 to 2, 2 frames", f"animation: {RUN}/weights.gif"]
    with Image.open(f"{RUN}/weights.gif") as gif:
        assert gif.n_frames == 2
    assert "needs no images" in call("animate", RUN, "weights", "--data", "digits").err
    assert "no convolution" in call("animate", RUN, "filters").err


def test_a_run_that_recorded_nothing_is_not_animated(train, call):
    train()
    assert "has no network of each epoch; `digitlab train --record` keeps them" in call("animate").err


def test_watching_a_training_in_a_pipe_gives_lines(train):
    out = train("--watch").out
    assert "epoch 2/2  loss " in out
    assert "\x1b" not in out


# imagine


@pytest.mark.slow
def test_imagine_one_digit_and_all(train, call):
    train()
    called = call("imagine", "3", "--pictures", "p")
    assert called.code == 0, called.err
    assert re.search(r"^linear inversion +3 +\d +\d +\+\S+ %$", called.out, re.MULTILINE)
    assert re.search(r"^gradient ascent +3 ", called.out, re.MULTILINE)
    assert is_png(f"{RUN}/imagine-3.png")
    assert sorted(path.name for path in Path("p").iterdir()) == ["3-ascent.png", "3-inverse.png", "3-linear.png"]
    called = call("imagine", RUN, "--all", "--out", "all.svg")
    assert called.code == 0, called.err
    assert len(re.findall(r"^inverse query", called.out, re.MULTILINE)) == 10
    assert Path("all.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.slow
def test_imagine_says_where_a_way_cannot_serve(train, call):
    train("--net", "64-10", "--run", "dense")
    call("train", "--data", "digits", "--train-size", "100", "--epochs", "1", "--net", "rows-rnn", "--run", "rows")
    called = call("imagine", "rows", "3")
    assert called.code == 0, called.err
    assert "the linear inversion needs a chain of dense layers; this network has SimpleRNN" in called.out
    assert "gradient ascent" in called.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["x.safetensors"], 2, "name a digit"),
        (["x.safetensors", "three"], 2, "got 'three'; expected a digit"),
        (["3", "--all"], 2, "name a digit"),
        (["none.safetensors", "3"], 1, "none.safetensors: no such file"),
        (["x.safetensors", "12"], 1, "got 12; this network has outputs for 0 to 9"),
        (["y.safetensors", "0"], 2, "not classes"),
        (["x.safetensors", "3", "--out", "x.doc"], 2, "ends in .png, .svg or .pdf"),
    ],
)
def test_imagining_badly(call, arguments, code, message):
    mlp([64, 10]).save("x.safetensors")
    mlp([64, 1], loss=MeanSquaredError()).save("y.safetensors")
    called = call("imagine", *arguments)
    assert (called.code, called.err.count("\n")) == (code, 1)
    assert message in called.err


# failures


@pytest.mark.slow
def test_failures_as_picture_and_page(train, call):
    train()
    called = call("failures")
    assert called.code == 0, called.err
    wrong = int(re.search(r"digits test: ([\d,]+) wrong", called.out)[1].replace(",", ""))
    tested = call("test").out
    assert f"{wrong} wrong" in tested, "as `digitlab test` counts"
    assert is_png(f"{RUN}/failures.png")
    page = Path(f"{RUN}/failures.html").read_text(encoding="utf-8")
    assert page.count("<li ") == wrong
    assert f"{wrong} of " in page
    assert not Path("failures.png").exists(), "a picture belongs to its run"


@pytest.mark.slow
def test_failures_as_list_and_csv(train, call):
    train()
    called = call("failures", RUN, "--list", "--limit", "3", "--csv", "wrong.csv")
    assert called.code == 0, called.err
    digits = load("digits", part="test")
    guesses = predict(load_network(RUN), digits.images).argmax(axis=1)
    wrong = [row.split(",") for row in Path("wrong.csv").read_text().splitlines()]
    assert wrong[0] == ["image", "label", "prediction", "confidence"]
    expected = {(str(i), str(digits.labels[i]), str(guesses[i])) for i in np.flatnonzero(guesses != digits.labels)}
    assert {tuple(row[:3]) for row in wrong[1:]} == expected
    listed = re.findall(r"^(\d+) +(\d) +(\d) +[\d.]+$", called.out, re.MULTILINE)
    assert listed == [tuple(row[:3]) for row in wrong[1:4]]
    assert f"digitlab explain {RUN} --image {wrong[1][0]}" in called.out


@pytest.mark.slow
def test_pictures_of_a_network_without_a_run_are_in_the_current_folder(train, call):
    train()
    Path(RUN, "network.safetensors").rename("net.safetensors")
    assert call("failures", "net.safetensors", "--data", "digits").code == 0
    assert is_png("failures.png")


@pytest.mark.slow
def test_following_a_recorded_run(train, call):
    train("--record")
    called = call("failures", "--watch", RUN)
    assert called.code == 0, called.err
    counts = [
        int(n) for n in re.findall(r"^(?:always right|learned|forgotten|never learned) +(\d+)$", called.out, re.M)
    ]
    assert len(counts) == 4
    assert sum(counts) == len(Recorded.load(f"{RUN}/predictions.npz").labels)
    assert is_png(f"{RUN}/learning.png")
    assert is_png(f"{RUN}/learning-images.png")


@pytest.mark.slow
def test_what_several_networks_contradict(train, call):
    train("--run", "a", "--seed", "1", "--epochs", "15")
    train("--run", "b", "--seed", "2", "--epochs", "15")
    called = call("failures", "a", "b", "--mislabelled")
    assert called.code == 0, called.err
    assert re.search(r"2 networks on \d+ test images: [1-9]\d* labels", called.out)
    assert is_png("mislabelled.png")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--mislabelled", "x.safetensors"], 2, "name two or more"),
        (["x.safetensors", "x.safetensors"], 2, "give one NET, or several with --mislabelled"),
        (["--watch", "runs/none"], 1, "`digitlab train --record` writes it"),
        (["--watch", "runs/none", "x.safetensors"], 2, "goes by itself"),
        (["y.safetensors", "--data", "digits"], 1, "not classes"),
        (["z.safetensors", "--data", "digits"], 1, "test set: got input of shape"),
    ],
)
def test_failing_at_failures(call, arguments, code, message):
    mlp([64, 10]).save("x.safetensors")
    mlp([64, 1], loss=MeanSquaredError()).save("y.safetensors")
    mlp([784, 10]).save("z.safetensors")
    called = call("failures", *arguments)
    assert (called.code, called.err.count("\n")) == (code, 1)
    assert message in called.err


# look


@pytest.mark.slow
def test_look_writes_pictures_and_a_page_of_them(train, call):
    train("--record")
    called = call("look", "--what", "confusion,accuracy,calibration,weights,filters,neurons,gradients", "--image", "5")
    assert called.code == 0, called.err
    assert "filters: left out: there is no convolution in this network" in called.out
    names = {path.name for path in Path(f"{RUN}/look").iterdir()}
    kinds = ("confusion", "accuracy", "calibration", "weights", "neurons", "gradients")
    assert names == {f"{kind}.png" for kind in kinds} | {"index.html"}
    page = Path(f"{RUN}/look/index.html").read_text(encoding="utf-8")
    assert re.findall(r'<img src="([^"]*)"', page) == [f"{kind}.png" for kind in kinds]
    assert not re.search(r"https?:", page)
    assert "over the training" in called.out, "the recorded gradients were found"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--what", "confusion,colour"], 2, "'colour': there are confusion, accuracy"),
        (["--image", "9999"], 1, "--image: got 9999, expected at most"),
        (["--what", "filters"], 1, "none of these pictures applies to this network"),
    ],
)
def test_looking_badly(train, call, arguments, code, message):
    train()
    called = call("look", *arguments)
    assert (called.code, called.err.count("\n")) == (code, 1)
    assert message in called.err


# watch


@pytest.mark.slow
def test_watch_a_finished_run_in_a_pipe_and_as_a_picture(train, call):
    trained = train().out
    called = call("watch", RUN)
    assert called.code == 0
    assert [line for line in called.out.splitlines() if line] == re.findall(r"^epoch .*$", trained, re.MULTILINE)
    called = call("watch", RUN, "--out", "c.svg")
    assert called.out == f"2 epochs of {RUN}: c.svg\n"
    assert Path("c.svg").read_bytes().startswith(b"<?xml")
    assert call("watch", "runs/none").err.startswith("error: runs/none: no run here;")


def test_watch_follows_a_history_that_grows(train, call):
    train()
    rows = History.load(f"{RUN}/history.jsonl").rows
    History(rows[:1]).save(f"{RUN}/history.jsonl")
    Path(RUN, "checkpoint.safetensors").touch()  # not over: the checkpoint is newer than the network

    def grow():
        time.sleep(0.5)
        History(rows).save(f"{RUN}/history.jsonl")

    thread = threading.Thread(target=grow)
    thread.start()
    called = call("watch", RUN, "--every", "0.05")
    thread.join()
    assert called.code == 0
    assert [line.split()[1] for line in called.out.splitlines()] == ["1/2", "2/2"]


def test_watch_ends_when_the_training_was_stopped_early(train, call):
    train("--epochs", "50", "--early-stop", "1", "--learning-rate", "0.0001")
    called = call("watch", RUN)
    assert called.code == 0, "no endless waiting for epoch 50"


def test_a_run_that_has_been_silent_for_long_may_have_been_killed(train, call, monkeypatch):
    train("--epochs", "3")
    History(History.load(f"{RUN}/history.jsonl").rows[:1]).save(f"{RUN}/history.jsonl")
    for name, age in (
        ("network.safetensors", 400),
        ("checkpoint.safetensors", 300),
        ("history.jsonl", 300),
        ("config.toml", 500),
    ):
        os.utime(Path(RUN, name), (time.time() - age,) * 2)
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    lines = call("watch", RUN).out.splitlines()
    assert lines[0].startswith("epoch 1/3")
    assert lines[1:] == [f"nothing new for 5 min 0 s; if it was killed: digitlab train --run {RUN} --resume"], "once"


def test_ctrl_c_ends_the_watching(train, call, monkeypatch):
    train()
    Path(RUN, "history.jsonl").write_text("")
    Path(RUN, "checkpoint.safetensors").touch()

    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    called = call("watch", RUN)
    assert (called.code, called.err.strip()) == (130, "interrupted")


# draw, explain


@pytest.mark.slow
def test_draw_saved_and_named_networks(train, call):
    train()
    assert call("draw").out == "drawing: network.png\n"
    assert is_png("network.png")
    assert call("draw", "lenet5", "--out", "l.svg").code == 0
    assert call("draw", "784-30-10", "--out", "n.pdf").code == 0
    assert call("draw", "no-such-net").code == 1


def test_explain_in_the_terminal_and_as_a_page(train, call):
    train()
    called = call("explain", RUN, "--image", "7", "--out", "e.html")
    assert called.code == 0, called.err
    assert "formula  y = x W + b" in called.out
    assert "∂L/∂W" in called.out
    assert called.out.index("FORWARD") < called.out.index("BACKWARD")
    page = Path("e.html").read_text(encoding="utf-8")
    assert "Image 7 of scikit-learn digits test" in page
    assert not re.search(r"https?:|//[a-z]", re.sub(r"base64,[^\"]*", "", page))
    fresh = call("explain", "64-5-10", "--data", "digits")
    assert fresh.code == 0, "layer sizes serve as well"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [(["--image", "100000"], 1, "expected at most"), (["--out", "x.png"], 2, "ends in .html")],
)
def test_explaining_badly(train, call, arguments, code, message):
    train()
    called = call("explain", *arguments)
    assert (called.code, called.err.count("\n")) == (code, 1)
    assert message in called.err


# gradcheck, gradients


@pytest.mark.parametrize("way", ["forward-differences", "central-differences", "complex-step"])
def test_a_right_gradient_passes_by_every_way(call, way):
    called = call("gradcheck", "64-5-10", "--data", "digits", "--way", way)
    assert called.code == 0, called.out


@pytest.mark.slow
def test_a_network_that_no_images_fit_is_checked_with_random_numbers(call):
    mlp([1, 4, 1], activation="tanh", loss="mse", seed=0).save("curve.safetensors")
    for command in ("gradcheck", "gradients"):
        called = call(command, "curve.safetensors")
        assert called.code == 0, called.err
        assert "random inputs and targets instead" in called.err
    refused = call("gradcheck", "curve.safetensors", "--data", "digits")
    assert refused.code == 1, "what was named is insisted on"
    assert "evaluations of the network ahead" in call("gradients", "curve.safetensors").out


def test_a_network_of_other_classes_than_the_images(call):
    for label in "ab":
        for i in range(8):
            path = Path("letters", label, f"{i}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            image = Image.new("L", (28, 28), 255)
            image.paste(0, (10, 4 + i % 3, 16, 22))
            image.save(path)
    for command in ("test", "failures", "look", "explain"):
        called = call(command, "shipped", "--data", "letters")
        assert called.code == 1, command
        assert "has 2 classes (a, b), and this network tells 10 apart" in called.err


def test_a_run_with_dollars_in_its_name(train, call):
    train("--run", "a$_$b")
    assert Path("a$_$b/curves.png").is_file()
    assert call("draw", "a$_$b").code == 0
