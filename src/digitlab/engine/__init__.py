"""Engines train a network on batches of examples. The reference engine takes the textbooks' step."""

from digitlab.engine.base import Engine
from digitlab.engine.reference import ReferenceEngine
from digitlab.engine.select import select_engine

__all__ = ["Engine", "ReferenceEngine", "select_engine"]
