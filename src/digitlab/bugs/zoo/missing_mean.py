"""A sum where a mean is meant."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="The missing 1/N",
    story=(
        "The gradient of a mean loss has a factor 1/N, N the size of the batch. Without it the learning rate is N "
        "times as large, and another batch size needs another learning rate. Papers on large batches warn of it "
        "for the workers of a cluster."
    ),
    source=(
        "P. Goyal et al., “Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour”, 2017, sec. 3, on the "
        "normalization of the loss"
    ),
    patch=(("    d3 = (y - t) / len(x)", "    d3 = y - t"),),
    symptoms="It learns for a few epochs and then answers at random; with a tenth of the learning rate it learns well.",
    hint="Does the gradient depend on how often an example is in the batch?",
    tool="gradcheck",
    fix="Divide the error of the output by the number of examples in the batch.",
)
