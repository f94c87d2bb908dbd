"""How weights follow their gradients, and how the learning rate goes over a training."""

from digitlab.nn import describe
from digitlab.optim.adaptive import *
from digitlab.optim.base import *
from digitlab.optim.regularizers import *
from digitlab.optim.schedules import *
from digitlab.optim.sgd import *

__all__ = describe.export(__name__, globals())
