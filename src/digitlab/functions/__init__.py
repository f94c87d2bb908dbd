"""Networks with one input and one output: fitting a curve, and why enough neurons can fit any.

expression.py     a function written as text, "sin(x) + x", without eval
fitting.py        train a network on samples of it, and keep the fitted curve over the epochs
run.py            the folder of a fit, a run like any other
units.py          the units of the training: numbers of about 1 for every interval and function
universality.py   weights set by hand so that the network is a row of bumps (Nielsen ch. 4)
"""

from digitlab.functions.expression import parse_function
from digitlab.functions.fitting import Fit, fit_function
from digitlab.functions.universality import bumps_network

__all__ = ["Fit", "bumps_network", "fit_function", "parse_function"]
