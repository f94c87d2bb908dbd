"""`digitlab test`: the table of classes and of confusions, against scikit-learn's counts."""

import re

import numpy as np
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from digitlab.cli.test import confusion, say_classes
from digitlab.data import load
from digitlab.engine.select import predict
from digitlab.nn import load_network


def test_confusion_counts_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    labels, guesses = rng.integers(4, size=200), rng.integers(4, size=200)
    assert np.array_equal(confusion(labels, guesses, 4), confusion_matrix(labels, guesses, labels=range(4)))


def test_the_table_of_classes_and_the_confusions(capsys):
    labels, guesses = [0, 0, 0, 0, 1, 1, 1, 2], [0, 0, 0, 1, 1, 0, 0, 2]
    say_classes(confusion(labels, guesses, 4), ("cat", "dog", "fox", "cow"))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["cat", "4", "1", "75.00", "60.00"] in lines
    assert ["dog", "3", "2", "33.33", "50.00"] in lines
    assert ["fox", "1", "0", "100.00", "100.00"] in lines
    assert ["cow", "0", "0", "–", "–"] in lines, "a class without images"
    texts = [" ".join(line) for line in lines]
    assert texts.index("dog read as cat 2 66.67") < texts.index("cat read as dog 1 33.33")
    assert "lowest recall: dog; cat and dog are confused most, 100.00 % of all errors" in texts


def test_of_many_classes_the_worst_are_listed(capsys):
    labels = np.repeat(np.arange(60), 2)
    guesses = labels.copy()
    guesses[-1] = 0
    say_classes(confusion(labels, guesses, 60), [f"c{i}" for i in range(60)])
    out = capsys.readouterr().out
    assert len(re.findall(r"^c\d+ +2", out, re.MULTILINE)) == 40 and re.search(r"^c59 +2 +1 +50.00", out, re.MULTILINE)


def test_a_trained_network(train, call):
    train("--run", "r")
    out = call("test", "r").out
    digits = load("digits", part="test")
    guesses = predict(load_network("r"), digits.images).argmax(axis=1)
    recall = 100 * recall_score(digits.labels, guesses, average=None, zero_division=0)
    precision = 100 * precision_score(digits.labels, guesses, average=None, zero_division=0)
    found = re.findall(r"^(\d) +\d+ +\d+ +([\d.]+) +([\d.–]+)", out, re.MULTILINE)
    assert [float(r) for _, r, _ in found] == [round(v, 2) for v in recall.tolist()]
    assert [0 if p == "–" else float(p) for _, _, p in found] == [round(v, 2) for v in precision.tolist()]
    assert out.endswith("see these images with: digitlab failures r\n")
