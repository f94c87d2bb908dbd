"""The compiled engine: planner.py says what it can take, kernels/ does it, load.py compiles and keeps it."""

from digitlab.engine.fast.engine import FastEngine
from digitlab.engine.fast.planner import make_plan
from digitlab.engine.fast.predictor import Predictor

__all__ = ["FastEngine", "Predictor", "make_plan"]
