"""Baselines: classifiers without a network, whose accuracy a network should exceed.

base.py      their base class, fitting and measuring
simple.py    Darkness and NearestMean: one number, or one picture, for each digit
standard.py  LogisticRegression and SupportVectors: scikit-learn's, with the book's settings and today's
"""

from digitlab.baselines.base import BASELINES, Baseline, Result, fit, judge, make_baseline
from digitlab.baselines.simple import Darkness, NearestMean
from digitlab.baselines.standard import LogisticRegression, SupportVectors

__all__ = [
    "BASELINES",
    "Baseline",
    "Darkness",
    "LogisticRegression",
    "NearestMean",
    "Result",
    "SupportVectors",
    "fit",
    "judge",
    "make_baseline",
]
