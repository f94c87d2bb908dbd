"""The compiled engine: planner.py decides what it can train, ops/ and loops/ compute, compiler/ makes machine code."""

from digitlab.engine.fast.engine import FastEngine
from digitlab.engine.fast.planner import make_plan
from digitlab.engine.fast.predictor import Predictor
from digitlab.engine.fast.twins import edited, parts_of

__all__ = ["FastEngine", "Predictor", "edited", "make_plan", "parts_of"]
