"""Weights that are changed before the error has gone through them."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Updated weights for the hidden error",
    story=(
        "Programs that go back layer by layer and update on the way send the error through weights that this very "
        "step has changed. Explanations of backpropagation warn of it: all errors belong to the weights before "
        "the step."
    ),
    source=(
        "M. Mazur, “A Step by Step Backpropagation Example”, 2015, "
        "https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/"
    ),
    patch=(
        (
            '    d2 = d3 @ p["W3"].T * a2 * (1 - a2)',
            """\
    p["W3"] -= RATE * a2.T @ d3
    d2 = d3 @ p["W3"].T * a2 * (1 - a2)""",
        ),
        (
            """\
    for name in p:
        p[name] -= RATE""",
            """\
    for name in p.keys() - {"W3"}:
        p[name] -= RATE""",
        ),
    ),
    symptoms="It learns more slowly in the first epochs; with a small learning rate nothing is to be seen.",
    hint="Does `backward` leave the weights alone?",
    tool="explain",
    fix="Compute all gradients first and update all arrays after that.",
)
