"""The prompts of the books and of the first programs for MNIST, typed here line by line.

A line that begins with `>>>` is run as Python's prompt runs it. What follows it is what it has to print; `#` stands
for any number.
"""

import ast
import contextlib
import io
import re

import numpy as np
import pytest

import digitlab

LOADED = """
>>> import digitlab
>>> training_data, validation_data, test_data = digitlab.load("digits")
"""

# Nielsen, chapter 1, "Implementing our network to classify digits".
CHAPTER1 = """
>>> net = digitlab.Net([64, 30, 10], init="large")
>>> net.SGD(training_data, 3, 10, 3.0, test_data=test_data)
epoch 1/3  loss #  test # %  # s  # s left
epoch 2/3  loss #  (#)  test # %  # s  # s left
epoch 3/3  loss #  (#)  test # %  # s
History: 3 epochs, train_loss # at best (epoch #)
>>> net = digitlab.Net([64, 100, 10], init="large")
>>> _ = net.SGD(training_data, 1, 10, 3.0, test_data)
epoch 1/1  loss #  test # %  # s
>>> net = digitlab.Net([64, 10])
>>> _ = net.SGD(training_data, 1, 10, 0.001, test_data=test_data)
epoch 1/1  loss #  test # %  # s
>>> net.sizes
[64, 10]
>>> net.num_layers
2
>>> [w.shape for w in net.weights], [b.shape for b in net.biases]
([(64, 10)], [(10,)])
>>> net.feedforward(test_data.images[0]).shape
(1, 10)
>>> net.evaluate(test_data)
Evaluation(loss=#, accuracy=#)
"""

# Chapter 2: backpropagation for a batch, and for one example.
CHAPTER2 = """
>>> net = digitlab.Net([64, 30, 10])
>>> loss = net.network.gradient(training_data.images[:10], training_data.labels[:10])
>>> [p.grad.shape for p in net.network.parameters().values()]
[(64, 30), (30,), (30, 10), (10,)]
>>> digitlab.check_gradients(net.network, training_data.images[:5], training_data.labels[:5]).passed
True
"""

# Chapter 3: the cross-entropy, overfitting, regularization, initial weights, early stopping.
CHAPTER3 = """
>>> net = digitlab.Net([64, 30, 10], loss="cross-entropy", init="large")
>>> _ = net.SGD(training_data, 2, 10, 0.5, evaluation_data=test_data, monitor_evaluation_accuracy=True)
epoch 1/2  loss #  valid # %  # s  # s left
epoch 2/2  loss #  valid # %  (#)  # s
>>> net = digitlab.Net([64, 30, 10], loss="cross-entropy", init="large")
>>> history = net.SGD(training_data[:100], 2, 10, 0.5, evaluation_data=test_data, lmbda=0.1,
...     monitor_evaluation_cost=True, monitor_evaluation_accuracy=True,
...     monitor_training_cost=True, monitor_training_accuracy=True)
epoch 1/2  loss #  train # %  valid # %  # s  # s left
epoch 2/2  loss #  train # %  valid # %  (#)  # s
>>> len(history["valid_loss"]), len(history["valid_accuracy"]), len(history["train_accuracy"])
(2, 2, 2)
>>> net = digitlab.Net([64, 30, 10], loss="cross-entropy")
>>> _ = net.train(training_data, 0.1, epochs=60, l2=5.0, valid=validation_data, early_stop=1, schedule="halve:1")
epoch  1/60  loss #  valid # %  # s  # left
...
stopped: #
>>> net.save("net.safetensors")
>>> net = digitlab.Net.load("net.safetensors")
>>> net.test(test_data) > 80
#% correct!
True
"""

# The first programs of readers: a Net at the prompt, one pass, a test, an imagined digit, saved and loaded.
FIRST_NET = """
>>> network = digitlab.Net([64, 30, 10])
>>> network = digitlab.Net([64, 20, 30, 10])
>>> _ = network.train(training_data, 3.0)
epoch 1/1  loss #  # s
>>> _ = network.test(test_data)
#% correct!
>>> network.imagine(3)
imagined a 3; the network classifies its own picture as #
second best: #; margin #%
picture: imagine-3.png
Imagined(3: 8×8 picture, read as #, then #, # %)
>>> network.save()
>>> network.load()
>>> other = digitlab.Net([64, 20, 30, 10], seed=1)
>>> other.load()
>>> (other.predict(test_data) == network.predict(test_data)).all()
np.True_
"""


@pytest.mark.filterwarnings("ignore:.*the learning rate 0.001 is too small")
@pytest.mark.parametrize(
    "session", [CHAPTER1, CHAPTER2, CHAPTER3, FIRST_NET], ids=["chapter1", "chapter2", "chapter3", "first-net"]
)
def test_a_session(session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for source, wanted in lines_of(LOADED + session):
        printed = typed(source, names)
        assert re.fullmatch(pattern(wanted), printed), f">>> {source}\nprinted:\n{printed}\nexpected:\n{wanted}"


def lines_of(session):
    """(source, what it prints) of each statement."""
    for block in re.split(r"^>>> ", session, flags=re.M)[1:]:
        lines = block.rstrip("\n").split("\n")
        more = 1
        while more < len(lines) and lines[more].startswith("...  "):
            more += 1
        yield "\n".join([lines[0], *(line[3:] for line in lines[1:more])]), "\n".join(lines[more:])


def typed(source, names):
    """What a statement prints at the prompt: its output, and the value of an expression that is not None."""
    tree = ast.parse(source)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        if isinstance(tree.body[-1], ast.Expr):
            value = eval(source, names)
            if value is not None:
                print(repr(value))
        else:
            exec(source, names)
    return out.getvalue().rstrip("\n")


def pattern(wanted):
    """What is to be printed as a regular expression: # is a number or a few words, a line of dots any lines."""
    parts = re.split(r"(^\.\.\.\n|#)", wanted, flags=re.M)
    return "".join({"...\n": r"(?:.*\n)*?", "#": r"[^\n]+?"}.get(part, re.escape(part)) for part in parts)


@pytest.mark.mnist
@pytest.mark.slow
def test_the_books_own_network_reaches_its_accuracy(mnist_splits):
    """Nielsen, chapter 1: 784-30-10, 30 epochs, batches of 10, η = 3.0: "95.42 percent at its peak"."""
    net = digitlab.Net([784, 30, 10], init="large")
    history = net.SGD(mnist_splits.train, 10, 10, 3.0, test_data=mnist_splits.test)
    assert 0.93 < max(history["test_accuracy"]) < 0.97


def test_the_books_data_in_tuples(capsys):
    """`training_data` of the book's loader: (784, 1) columns with one-hot columns; test labels are numbers."""
    train, _, test = digitlab.load("digits")
    columns = [(x.reshape(64, 1) / 255, np.eye(10)[y].reshape(10, 1)) for x, y in train]
    net = digitlab.Net([64, 30, 10])
    net.SGD(columns, 2, 10, 3.0, test_data=[(x.reshape(64, 1) / 255, y) for x, y in test])
    assert "test" in capsys.readouterr().out
    assert net.evaluate(test).accuracy == net.history[-1]["test_accuracy"]
