"""Test images in the training set."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Trained on the test set",
    story=(
        "Of CIFAR-10's test images 3.3 % have a near copy in the training set, of CIFAR-100's 10 %. A survey "
        "found leaks of this and similar kinds in 17 fields of science."
    ),
    source=(
        "B. Barz, J. Denzler, “Do we train on test data?”, Journal of Imaging 6(6), 2020; S. Kapoor, A. "
        "Narayanan, “Leakage and the reproducibility crisis in machine-learning-based science”, Patterns 4(9), "
        "2023"
    ),
    patch=(
        (
            """\
    return sets
""",
            """\
    (x, labels), (more, names) = sets[0], sets[2]
    sets[0] = np.concatenate([x, more]), np.concatenate([labels, names])
    return sets
""",
        ),
    ),
    symptoms="All is well, and the test accuracy is better than the validation accuracy.",
    hint="How many images does each set have, and how many have all of them together?",
    tool="doctor",
    fix="Keep the test set out of training.",
)
