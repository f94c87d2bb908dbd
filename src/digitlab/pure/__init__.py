"""The same network without NumPy: lists of floats and loops, to see what the arrays hide."""

from digitlab.pure.mnist import load_mnist
from digitlab.pure.network import PureNetwork, one_hot, sigmoid

__all__ = ["PureNetwork", "load_mnist", "one_hot", "sigmoid"]
