"""What computes: engines take a network through batches. The reference engine is the textbook's step."""

from digitlab.engine.base import Engine
from digitlab.engine.reference import ReferenceEngine
from digitlab.engine.select import select_engine

__all__ = ["Engine", "ReferenceEngine", "select_engine"]
