"""Data sorted by class, trained in their order."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Sorted data, not shuffled",
    story=(
        "Files of images are often sorted by class, one folder after the other. Networks learn fastest from "
        "unexpected examples; from a long row of the same class they learn to answer that class."
    ),
    source=(
        "Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, “Efficient BackProp”, 1998, sec. 4.2, “Shuffling the Examples”"
    ),
    patch=(
        (
            """\
        labels = part.labels
        sets.append((images, labels))""",
            """\
        labels = part.labels
        order = np.argsort(labels)
        sets.append((images[order], labels[order]))""",
        ),
        ("    order = rng.permutation(len(x))", "    order = np.arange(len(x))"),
    ),
    symptoms="The loss of the training is small, since each batch is easy; the accuracy is low and jumps.",
    hint="Print the labels of the first few batches.",
    tool="doctor",
    fix="A new random order in every epoch: rng.permutation(len(x)).",
)
