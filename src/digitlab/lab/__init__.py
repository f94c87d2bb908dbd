"""The friendly top: one object to train, test, look into, save and load, for a session at Python's prompt.

>>> train, valid, test = digitlab.load("mnist")
>>> net = digitlab.Net([784, 30, 10])
>>> net.train(train, 3.0)
epoch 1/1  loss 0.0823  0.42 s
>>> net.test(test)
91.40% correct!
>>> net.imagine(3)
>>> net.save()

net.py        what a Net is: making, saving and loading it
training.py   Net.train and the books' Net.SGD
looking.py    predictions, accuracy, failures, pictures
shortcut.py   get_net: make, train and save in one call
"""

from digitlab.lab.net import Net
from digitlab.lab.shortcut import get_net

__all__ = ["Net", "get_net"]
