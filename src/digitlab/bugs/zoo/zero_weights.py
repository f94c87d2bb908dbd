"""First weights that are all 0."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Weights that start at 0",
    story=(
        "Neurons with equal weights get equal gradients and stay equal. Rumelhart, Hinton and Williams drew small "
        "random weights to break the symmetry, and later programs forgot to."
    ),
    source=(
        "D. Rumelhart, G. Hinton, R. Williams, “Learning representations by back-propagating errors”, Nature 323, "
        "1986: “to break symmetry we start with small random weights”"
    ),
    patch=(("rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_out))", "np.zeros((n_in, n_out))"),),
    symptoms="The accuracy is that of guessing for half of the epochs, and low after that.",
    hint="Compare two columns of W1 after training.",
    tool="doctor",
    fix="Random first weights of variance 1/in.",
)
