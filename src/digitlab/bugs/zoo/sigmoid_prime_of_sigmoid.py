"""A derivative that is applied to the wrong number."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Slope taken at the output",
    story=(
        "Some programs write the derivative of the sigmoid as a function of z, others as a function of the output "
        "a, where it is a (1 − a). Code that mixes both computes σ'(σ(z)): the slope at a in place of that at z."
    ),
    source=(
        "A. Trask, “A Neural Network in 11 lines of Python”, 2015, whose nonlin(x, deriv=True) expects an output; "
        "Nielsen's sigmoid_prime(z) expects a weighted sum"
    ),
    patch=(
        ('    d2 = d3 @ p["W3"].T * a2 * (1 - a2)', '    d2 = d3 @ p["W3"].T * sigmoid(a2) * (1 - sigmoid(a2))'),
        ('    d1 = d2 @ p["W2"].T * a1 * (1 - a1)', '    d1 = d2 @ p["W2"].T * sigmoid(a1) * (1 - sigmoid(a1))'),
    ),
    symptoms=(
        "It learns, less well than it should: between 0 and 1 the sigmoid's slope hardly changes, so every neuron "
        "counts as unsaturated."
    ),
    hint="What is the slope of a neuron whose output is .99?",
    tool="gradcheck",
    fix="The derivative at z is a (1 − a), with a = σ(z) already computed.",
)
