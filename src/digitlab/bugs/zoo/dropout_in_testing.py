"""Neurons that are left out in testing as well."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Dropout left on in testing",
    story=(
        "Layers such as dropout compute something else in training than in use. In PyTorch model.eval() switches "
        "them, and forgetting it is second on a well-known list of common mistakes."
    ),
    source=(
        "A. Karpathy, “most common neural net mistakes”, 1 July 2018, "
        "https://x.com/karpathy/status/1013244313327681536 (“you forgot to toggle train/eval mode for the net”)"
    ),
    patch=(
        (
            """\
    if rng is None:
        return a
    return a""",
            """\
    if rng is None:
        rng = np.random.default_rng()
    return a""",
        ),
    ),
    symptoms="The accuracy is a little lower than it should be, and different in every test of the same network.",
    hint="Ask for the same image twice.",
    tool="look",
    fix="Without a generator, `dropout` returns its input.",
)
