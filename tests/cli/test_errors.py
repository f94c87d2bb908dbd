"""Every error is one line on standard error that says what to do, with the exit code that fits."""

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from digitlab.cli import run
from digitlab.nn import mlp

DIGITS = ("--data", "digits", "--epochs", "1")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "--epochs", "0"], "'--epochs': got 0, expected a whole number of at least 1"),
        (["train", "--epochs", "many"], "got 'many', expected a whole number of at least 1"),
        (["train", "--learning-rate", "-1"], "'--learning-rate': got -1.0, expected a number above 0"),
        (["train", "--dropout", "1"], "'--dropout': got 1.0, expected a number of at least 0 and below 1"),
        (["train", "--learning-rate", "nan"], "'--learning-rate': got nan, expected a number above 0"),
        (["train", "--seed", "-1"], "'--seed': got -1, expected a whole number of at least 0"),
        (["train", "--split", "1/1"], "'1/1' is not one of '50k/10k/10k', '60k/10k'"),
        (["train", "--digits", "a,b"], "got 'a,b', expected a list of whole numbers such as 0, 1, 7"),
        (["train", "--activation", "relo"], "'relo' (did you mean 'relu'?)"),
        (["train", "--activation", "dense"], "'dense'"),
        (["train", "--loss", "quadratc"], "unknown loss 'quadratc' (did you mean 'quadratic'?)"),
        (["train", "--init", "gloro"], "(did you mean 'glorot'?)"),
        (["train", "--optimizer", "adm"], "unknown optimizer 'adm' (did you mean 'adam'?)"),
        (["train", "--optimizer", "adam:beta=1"], "Adam has no setting 'beta' (did you mean 'beta1'?); it has"),
        (["train", "--optimizer", "adam:beta1"], "Adam: got learning_rate 'beta1', expected a number"),
        (["train", "--optimizer", "adam:beta1=x"], "Adam: got beta1 'x', expected a number"),
        (["train", "--schedule", "halve:patience=0"], "patience 0"),
        (["train", "--schedule", "halve:patience=1.5"], "expected a whole number"),
        (["train", "--gradient", "spas"], "(did you mean 'spsa'?)"),
        (["train", "--nett", "64-10"], "No such option '--nett'"),
        (["train", "--lr", "3"], "No such option '--lr'; did you mean --learning-rate?"),
        (["train", "-lr", "3"], "did you mean --learning-rate?"),
        (["train", "--η", "3"], "did you mean --learning-rate?"),
        (["train", "--eta", "3"], "did you mean --learning-rate?"),
        (["train", "--lmbda", "5"], "did you mean --l2?"),
        (["train", "--weight-decay", "5"], "did you mean --l2?"),
        (["train", "--mini-batch-size", "5"], "did you mean --batch-size?"),
        (["train", "--iterations", "5"], "did you mean --epochs?"),
        (["train", "--hidden", "30"], "did you mean --net?"),
        (["train", "--momentum", ".9"], "it is a setting of an optimizer: --optimizer momentum:momentum=0.9"),
        (["fit", "-x", "--epoch", "5"], "No such option '--epoch'; did you mean --epochs?"),
        (["train", "--zzz"], "No such option '--zzz' (see: digitlab train --help)"),
        (["train", "--learning_rate", "0"], "'--learning-rate': got 0.0, expected a number above 0"),
        (["train", "--loss", "categorical_crossentropy"], "(did you mean 'log-likelihood'?)"),
        (["train", "--activation", "softmax"], "the loss owns the softmax"),
        (["train", "--grid", "lr=1,2"], "there is no option --lr to vary (did you mean 'learning-rate'?)"),
        (["evaluate"], "No such command 'evaluate' (did you mean 'test'?)"),
        (["train", "--net"], "Option '--net' requires an argument"),
        (["train", "64-10"], "unexpected extra argument"),
        (["trian"], "No such command 'trian'"),
        (["compare"], "name the folders of runs"),
        (["data", "shw"], "No such command 'shw'"),
        (["data", "show", "-n", "0"], "got 0, expected a whole number of at least 1"),
        (["explain", "--image", "x"], "'--image': got 'x', expected a whole number of at least 0 (see:"),
        (["play", "--port", "99999"], "expected a whole number of at least 1 and at most 65535"),
        (["read", "--min-confidence", "2", "x.png"], "got 2.0, expected a number of at least 0 and at most 1"),
        (["read", "--min-confidence", "x", "x.png"], "got 'x', expected a number of at least 0 and at most 1"),
        (["test", "--part", "half"], "'half' is not one of 'train', 'valid', 'test'"),
        (["baseline", "svn"], "error: got 'svn' (did you mean 'svm'?); there are: darkness, nearest-mean, "),
        (["imagine", "x"], "got 'x'; expected a digit, as in `digitlab imagine 3`"),
        (["data", "show", "--data", "digits", "--out", "x.doc"], "got x.doc, expected a file name that ends in .png"),
        (["fit", "--bumps", "5", "--epochs", "3"], "--bumps does not train; leave out --epochs"),
        (["expand", "--out", "x", "--degrees", "5"], "--degrees needs --variants rotations"),
        (["expand", "--out", "x", "--by", "rotations", "--pixels", "2"], "--pixels needs --variants shifts"),
        (["train", "--optimizer", "adam:beta1=1", *DIGITS], "Adam: got beta1 1, expected 0 ≤ beta1 < 1"),
        (["train", "--optimizer", "momentum:momentum=1.5", *DIGITS], "expected 0 ≤ momentum < 1"),
    ],
)
def test_a_command_called_wrongly_exits_with_2(fails, arguments, words):
    line = fails(2, *arguments)
    assert line.startswith("error: ")
    assert words in line


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "--net", "abc", *DIGITS], "unknown network 'abc'"),
        (["train", "--net", "64", *DIGITS], "expected at least two positive whole numbers"),
        (["train", "--net", "64-0-10", *DIGITS], "expected at least two positive whole numbers"),
        (["train", "--net", "64-²-10", *DIGITS], "64-²-10"),
        (["train", "--net", "784-30-10", *DIGITS], "expected (N, 784); images of 8×8 need a network with 64 inputs"),
        (["train", "--net", "64-30-9", *DIGITS], "this network has 9 outputs, expected labels from 0 to 8"),
        (["train", "--net", "64-99999999999-10", *DIGITS], "Unable to allocate"),
        (["train", "--monitor", "beauty", *DIGITS], "monitor: got 'beauty'; with these sets there are: valid_accuracy"),
        (["train", "--scaling", "/254", *DIGITS], "unknown scaling '/254'; there are: /255"),
        (["train", "--activation", "step", *DIGITS], "has no derivative"),
        (["train", "--digits", "11", *DIGITS], "expected classes 0–9"),
        (["train", "--train-size", "99999", *DIGITS], "got 99,999, expected 1 to 1,197"),
        (["train", "--per-class", "3", "--fraction", "0.5", *DIGITS], "got per_class and fraction, expected one"),
        (["train", "--data", "nope.csv"], "nope.csv: there is no such file"),
        (["train", "--data", "nowhere"], "nowhere: there is no such file or folder; expected 'mnist', 'digits'"),
        (["train", "--from-file", "nope.toml"], "nope.toml: no such file; expected a TOML or JSON file"),
        (["train", "--from-file", "broken", *DIGITS], "broken: not TOML"),
        (["train", "--run", "broken", *DIGITS], "broken: is a file; expected the name of a folder"),
        (["train", "--run", "broken/x", *DIGITS], "broken/x: Not a directory"),
        (["test", "nope.safetensors", "--data", "digits"], "nope.safetensors: no such file"),
        (["test", "broken", "--data", "digits"], "broken: not a safetensors file"),
        (["test", "small.safetensors", "--data", "digits"], "got input of shape (300, 8, 8), expected (N, 4)"),
        (["info", ""], "NET: got an empty name; is a shell variable not set?"),
        (["info", "broken"], "broken: not a safetensors file"),
        (["info", "."], "network.safetensors: no such file"),
        (["train", "--resume"], "no network or run was named and there is no run in runs/"),
        (["train", "--from", "nope.safetensors", *DIGITS], "nope.safetensors: no such file"),
        (["compare", "nowhere"], "nowhere: no run here"),
        (
            ["expand", "--data", "digits", "--out", "x", "--pixels", "8"],
            "got 8 for images of (8, 8); nothing would be left",
        ),
        (["train", "--net", "lenet5", "--scaling", "0.01-1", *DIGITS], "--scaling: lenet5 has its own"),
        (["ensemble", "--train", "snapshots", *DIGITS, "--members", "5", "--epochs", "7"], "10 epochs fit, or 5"),
        (["data", "show", "--data", "mnist"], "MNIST is not on this machine"),
        (["data", "fetch"], "downloads are forbidden by DIGITLAB_OFFLINE"),
    ],
)
def test_what_cannot_be_done_exits_with_1(fails, arguments, words):
    Path("broken").write_text("= this is = nothing")
    mlp([4, 2]).save("small.safetensors")
    line = fails(1, *arguments)
    assert line.startswith("error: ")
    assert words in line
    assert not Path("runs").exists(), "what could not begin leaves no folder behind"


@pytest.mark.parametrize("arguments", [["bugs", "hint"], ["bugs", "check"], ["lesson", "check", "1"]])
def test_a_program_that_is_no_text_is_an_error_in_a_line(fails, arguments):
    Path("junk.py").write_bytes(b"\x00\xff\xfe")
    assert "junk.py: " in fails(1, *arguments, "junk.py")


def test_a_learning_rate_that_is_too_large(fails):
    line = fails(1, "train", *DIGITS, "--loss", "mse", "--learning-rate", "1e9")
    assert "the loss is no longer finite in epoch 1, step" in line
    assert "likely cause: the learning rate 1e+09 is too large; try 0.3" in line
    assert Path("runs/001-64-30-10/network.safetensors").is_file()


def test_debug_shows_the_traceback():
    for arguments in (["--debug", "info", "nope"], ["info", "nope", "--debug"], ["info", "--debug", "nope"]):
        with pytest.raises(Exception, match="nope: no such file"):
            run(arguments)


def test_a_fault_in_the_code_is_never_hidden(monkeypatch):
    def broken(*arguments):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("digitlab.cli.shared.networks.load_named", broken)
    with pytest.raises(ZeroDivisionError):
        run(["info", "x"])


def test_a_worker_that_dies_is_reported_in_a_line(fails, monkeypatch):
    def died(*arguments):
        raise BrokenProcessPool("A process in the process pool was terminated abruptly")

    monkeypatch.setattr("digitlab.cli.shared.networks.load_named", died)
    assert "a worker process died, killed or out of memory; finished work is saved" in fails(1, "info", "x")


def test_ctrl_c_is_130(call, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("digitlab.cli.shared.networks.load_named", interrupted)
    called = call("info", "x")
    assert (called.code, called.err.strip()) == (130, "interrupted")


def test_no_command_at_all_shows_the_help(call):
    for line in ((), ("data",)):
        called = call(*line)
        assert called.code == 2
        assert "Usage: digitlab" in called.err
        assert "Commands:" in called.err


@pytest.mark.parametrize("command", ["compare", "doctor", "watch", "animate"])
def test_a_folder_that_is_not_there_is_called_no_run_by_every_command(fails, command):
    assert fails(1, command, "nothing") == (
        "error: nothing: no run here; expected a folder that `digitlab train` has written"
    )


@pytest.mark.parametrize("command", ["draw", "gradcheck", "explain", "play"])
def test_a_network_that_is_misspelled_gets_a_suggestion(fails, command):
    line = fails(1, command, "lenet9")
    assert line.startswith("error: lenet9: no such file, run or network (did you mean 'lenet5'?)")
    assert "`digitlab train` writes" in fails(1, command, "nothing.safetensors")
    assert fails(1, command, "foo") == ("error: foo: no such file, run or network; `digitlab nets` lists the networks")


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "shipped", "photo.png", "-o", "file/out.csv"],
        ["read", "photo.png", "--csv", "file/out.csv"],
        ["explain", "--out", "file/out.html"],
        ["doctor", "--out", "file/out.png"],
        ["compare", "--optimizers", "sgd,adam", "--out", "file/x/out.png"],
        ["lesson", "class", ".", "--out", "file/out.html"],
        ["lesson", "worksheet", "1", "--out", "file/out.pdf"],
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_computed(fails, arguments):
    Path("file").write_text("no folder")
    line = fails(1, *arguments)
    assert f"{arguments[-1]}: cannot be written: " in line and "file is no folder" in line
    assert [path.name for path in Path().iterdir()] == ["file"]
