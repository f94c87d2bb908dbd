"""A step uphill."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="A plus for a minus",
    story=(
        "Gradient descent goes against the gradient. Sign errors are the oldest mistakes of such programs; in "
        "code that maximizes a likelihood the plus is right."
    ),
    source="Nielsen, “Neural Networks and Deep Learning”, ch. 1, equation 16",
    patch=(("        p[name] -= RATE", "        p[name] += RATE"),),
    symptoms="The loss grows, and the accuracy is that of guessing or below.",
    hint="Is the loss of a batch smaller after a step on it?",
    tool="explain",
    fix="w ← w − η ∂L/∂w.",
)
