"""Looking: functions that take arrays and histories and return matplotlib figures. No window is ever opened here.

imagine.py inverse_query.py ascent.py ways.py     what a digit looks like to a network, asked in three ways
failures.py failures_page.py learning.py          what it gets wrong, as a picture and a page, and over the epochs
confusion.py accuracy.py calibration.py           how good it is, class by class, and whether it knows
weights.py activity.py saliency.py neurons.py     weights, feature maps, what an answer hangs on, who is dead
gradients.py embedding.py surface.py              gradient norms, maps of the hidden layer, the loss around it
look.py                                           all of these as a list: what `digitlab look` draws
explain.py explain_page.py                        one example forward and backward, every array and formula
curves.py terminal.py drawing.py                  histories as pictures and as characters; the network itself
figures.py pages.py                               what every figure and every page of HTML shares
"""
