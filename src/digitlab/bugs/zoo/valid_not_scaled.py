"""A validation set that is not prepared like the training set."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Validation images not scaled",
    story=(
        "What is done to the training images has to be done to all others, with the same numbers. The course "
        "CS231n lists the opposite as a common pitfall."
    ),
    source="Stanford CS231n, notes “Neural Networks Part 2”, on data preprocessing",
    patch=(
        (
            """\
    return sets
""",
            """\
    x, labels = sets[1]
    sets[1] = 255 * x, labels
    return sets
""",
        ),
    ),
    symptoms=(
        "Hardly any here: all weighted sums of the first layer are 255 times as large, and most images are still "
        "recognized."
    ),
    hint="What is the largest number in each set?",
    tool="look",
    fix="Scale all sets alike.",
)
