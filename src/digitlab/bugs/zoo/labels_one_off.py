"""Classes that are numbered from 1 in one set."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Labels one off",
    story=(
        "MATLAB counts from 1. The exercises of a well-known online course store the digit 0 under the label 10. "
        "Whoever reads such files into Python must change the labels of all sets, and change them alike."
    ),
    source=(
        "A. Ng, “Machine Learning”, programming exercise 3: ex3data1.mat, where “the digit zero” has “the value ten”"
    ),
    patch=(
        (
            """\
    return sets
""",
            """\
    x, labels = sets[1]
    sets[1] = x, (labels + 1) % CLASSES
    return sets
""",
        ),
    ),
    symptoms="The loss falls as it should and the validation accuracy is far below that of guessing.",
    hint="An accuracy below guessing is information: what does the network answer instead?",
    tool="doctor",
    fix="The same numbers for the classes of all sets.",
)
