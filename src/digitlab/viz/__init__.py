"""Visualization: functions that take arrays and histories and return matplotlib figures. No window is opened here.

imagine.py inverse_query.py ascent.py inversions.py   pictures of a digit computed from a network, by three methods
failures.py failures_page.py learning.py              misclassified images, as a picture and a page, and over the epochs
confusion.py calibration.py                           accuracy class by class, and whether confidence is justified
weights.py activity.py saliency.py neurons.py         weights, feature maps, important pixels, dead neurons
gradients.py embedding.py surface.py                  gradient norms, maps of the hidden layer, the loss around it
look.py                                               all of these as a list: what `digitlab look` draws
explain.py explain_page.py                            one example forward and backward, every array and formula
animate.py animation.py                               a network over the epochs as a moving picture: GIF, MP4
curves.py terminal.py drawing.py                      histories as pictures and as characters; the network itself
notebook/                                             objects as HTML for notebooks, and live progress
figures.py pages.py templates/                        what every figure and every page of HTML shares
"""
