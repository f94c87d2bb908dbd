"""Searching for settings: what to vary, how to choose, a study in a file, and its results.

space.py        what may be varied, and between which values
settings.py     from chosen values to the settings of a training
strategies.py   how the next point is chosen: grid, random, TPE, genetic; cma.py, log_scale.py
storage.py      the study's file, safe against kills and other processes
run.py          the search itself
study.py        opening and reading a study: plan, trials, the best, a table
best_networks.py  the best trial's networks, and what the test set says of them at the end
figures.py      pictures of a study
rate_range.py   the learning-rate range test
"""

from digitlab.search.plan import SearchPlan
from digitlab.search.rate_range import RangeTest, range_test
from digitlab.search.run import search
from digitlab.search.space import Choice, Integer, LogUniform, Parameter, Uniform, parse_space
from digitlab.search.strategies import STRATEGIES
from digitlab.search.study import Study, Trial
from digitlab.search.watcher import SearchWatcher

__all__ = [
    "STRATEGIES",
    "Choice",
    "Integer",
    "LogUniform",
    "Parameter",
    "RangeTest",
    "SearchPlan",
    "SearchWatcher",
    "Study",
    "Trial",
    "Uniform",
    "parse_space",
    "range_test",
    "search",
]
