"""Biases that keep their first values."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Biases never updated",
    story=(
        "Rashid's network has no biases. Readers who add them to the forward pass and forget the update have "
        "biases that stay what they were drawn as."
    ),
    source="T. Rashid, “Make Your Own Neural Network”, 2016, whose train() updates wih and who alone",
    patch=(
        (
            """\
    for name in p:
        p[name] -= RATE""",
            """\
    for name in ("W1", "W2", "W3"):
        p[name] -= RATE""",
        ),
    ),
    symptoms="Hardly any: without useful biases the network learns nearly as well.",
    hint="Which arrays are different after a step?",
    tool="explain",
    fix="Update every array of p: the loop in `update` goes over all names.",
)
