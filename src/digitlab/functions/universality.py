"""Why one hidden layer is enough: two steep neurons make a bump, and bumps side by side make any curve.

Nielsen's chapter 4. A neuron σ(w (x − s)) with a large weight w is a step at s. The step at s minus the step at t,
times h, is a bump of height h between s and t; a row of bumps as high as the function in their middle follows it.
"""

import numpy as np

from digitlab.arguments import checked
from digitlab.errors import ConfigError
from digitlab.functions.expression import Function
from digitlab.nn import Dense, Given, MeanSquaredError, Network, Sigmoid


@checked
def bumps_network(function: Function, low: float, high: float, bumps: int, *, steepness: float = 1000.0) -> Network:
    """A network 1–2·bumps–1 whose weights are set so that it follows `function` on [low, high]; nothing is learned.

    `steepness` is the hidden weight w in units of one bump's width: at 1000 a step is as good as vertical,
    at 5 neighbouring bumps run into each other and the curve becomes smooth.
    The largest error is about half of what the function changes by within one bump.
    By hand: one bump on [0, 1] of the constant 3 has its edges moved out by a width, to −1 and 2, so hidden biases w
    and −2w, and output weights 3 and −3: at x = ½ it is 3.
    """
    if bumps < 1 or not low < high:
        raise ConfigError(f"got {bumps} bumps on {low:g} to {high:g}, expected at least one on an interval low < high")
    edges = np.linspace(low, high, bumps + 1)
    heights = function((edges[:-1] + edges[1:]) / 2)
    w = steepness / (edges[1] - edges[0])
    places = np.stack([edges[:-1], edges[1:]], axis=1).ravel()  # up at the left edge, down at the right one
    places[0], places[-1] = low - (edges[1] - low), high + (edges[1] - low)  # the ends belong to their bumps
    hidden = Dense(2 * bumps, Given(np.full((1, 2 * bumps), w)), Given(-w * places))
    output = Dense(1, Given(np.stack([heights, -heights], axis=1).reshape(-1, 1)))
    return Network([hidden, Sigmoid(), output], 1, MeanSquaredError(), dtype="float64")
