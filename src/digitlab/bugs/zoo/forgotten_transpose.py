"""A matrix that is multiplied without its transpose."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Forgotten transpose",
    story=(
        "Backpropagation needs the transposed weights: δ Wᵀ. Between layers of different sizes a forgotten T is "
        "an error at once. Between layers of the same size the shapes fit, and the program runs with a wrong "
        "gradient."
    ),
    source="Nielsen, “Neural Networks and Deep Learning”, ch. 2, equation BP2",
    patch=(('d1 = d2 @ p["W2"].T * a1', 'd1 = d2 @ p["W2"] * a1'),),
    symptoms="It learns, nearly as well as it should: the last two layers make up for the first.",
    hint="Compare each shape in `backward` with the shape in `forward`: which array is square?",
    tool="gradcheck",
    fix='d2 @ p["W2"].T in `backward`: the error goes back along the connections that the activation came by.',
)
