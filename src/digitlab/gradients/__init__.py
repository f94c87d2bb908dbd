"""Several gradient methods with one interface, and a check of one against another.

    base.py           Gradient, the family; Backpropagation (what trains) and PerExample
    loss_at.py        the loss as a function of one long vector of numbers
    differences.py    one number at a time: ForwardDifferences, CentralDifferences, ComplexStep
    directions.py     all numbers at once, at random: ForwardGradient, SPSA, EvolutionStrategies
    rashid.py         RashidRule, which is no gradient: the learning rule of Rashid's book
    check.py          check_gradients: is the gradient of a layer of your own right?
    comparison.py     compare_gradients: the cost of each method and its error

Backpropagation gives every partial derivative for the price of about three forward passes, however many there are.
The others need forward passes only: to check it, to see what it saves, and to train what has no derivative.
"""

from digitlab.gradients.base import *
from digitlab.gradients.check import *
from digitlab.gradients.comparison import *
from digitlab.gradients.differences import *
from digitlab.gradients.directions import *
from digitlab.gradients.rashid import *
from digitlab.nn import describe

__all__ = describe.export(__name__, globals())
