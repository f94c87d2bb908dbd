"""Gradients of earlier batches that are added to those of this one."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Gradients added, not reset",
    story=(
        "PyTorch adds gradients to those that are there, so a training loop has to set them to 0 before each "
        "batch. Without zero_grad() every step goes along the sum of all gradients so far."
    ),
    source=(
        "A. Karpathy, “most common neural net mistakes”, 1 July 2018, "
        "https://x.com/karpathy/status/1013244313327681536 (“you forgot to .zero_grad()”)"
    ),
    patch=(
        (
            "def update(p: Arrays, gradient: Arrays) -> None:",
            """\
total: Arrays = {}


def update(p: Arrays, gradient: Arrays) -> None:""",
        ),
        (
            "        p[name] -= RATE * gradient[name]",
            """\
        total[name] = total.get(name, 0) + gradient[name]
        p[name] -= RATE * total[name]""",
        ),
    ),
    symptoms="The first steps are right. Then the loss goes up and down and the accuracy stays near that of guessing.",
    hint="Take two steps on the same batch. Is the second one as it should be?",
    tool="explain",
    fix="Use the gradient of this batch alone: p[name] -= RATE * gradient[name].",
)
