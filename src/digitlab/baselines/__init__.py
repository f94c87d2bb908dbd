"""Baselines: classifiers without a network, whose accuracy a network should exceed.

base.py      their base class, fitting and measuring
simple.py    Darkness and NearestMean: one number, or one picture, for each digit
standard.py  LogisticRegression and SupportVectors: scikit-learn's, with the book's settings and today's
"""

from digitlab.baselines.base import *
from digitlab.baselines.simple import *
from digitlab.baselines.standard import *
