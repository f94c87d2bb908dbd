"""A softmax of a softmax."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Softmax twice",
    story=(
        "PyTorch's CrossEntropyLoss expects logits and applies softmax itself. A network that ends with a softmax "
        "has two, and its gradient hardly moves it."
    ),
    source=(
        "A. Karpathy, “most common neural net mistakes”, 1 July 2018, "
        "https://x.com/karpathy/status/1013244313327681536 (“you passed softmaxed outputs to a loss that expects "
        "raw logits”)"
    ),
    patch=(('    y = softmax(a2 @ p["W3"] + p["b3"])', '    y = softmax(softmax(a2 @ p["W3"] + p["b3"]))'),),
    symptoms=(
        "The loss stays above 1.46: the largest probability that a softmax of a softmax can give to one of ten "
        "classes is e / (e + 9) = .23."
    ),
    hint="What is the largest probability that the network ever gives?",
    tool="gradcheck",
    fix="One softmax, at the end.",
)
