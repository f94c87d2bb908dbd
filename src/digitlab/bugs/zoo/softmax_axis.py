"""Probabilities that add up over the batch."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Softmax over the wrong axis",
    story=(
        "Early PyTorch chose the axis of softmax by the number of dimensions. Since 2017 it warns: “Implicit "
        "dimension choice for softmax has been deprecated. Change the call to include dim=X as an argument”. With "
        "the wrong axis the probabilities of a class add up to 1 over the batch."
    ),
    source="PyTorch, torch.nn.functional.softmax: the warning on its argument dim",
    patch=(
        (
            """\
    e = np.exp(z - z.max(axis=1, keepdims=True))
    y: Array = e / e.sum(axis=1, keepdims=True)""",
            """\
    e = np.exp(z - z.max(axis=0, keepdims=True))
    y: Array = e / e.sum(axis=0, keepdims=True)""",
        ),
    ),
    symptoms=(
        "It learns surprisingly well, and the loss stays high. A single image gets the probability 1 for every class."
    ),
    hint="Add up the outputs of one image. Ask for one image alone, and for the same one among others.",
    tool="look",
    fix="axis=1 in `softmax`: the classes are the columns.",
)
