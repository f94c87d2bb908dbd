"""An iterator that is empty after one epoch."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="zip exhausted after an epoch",
    story=(
        "In Python 2, zip gave a list. Since Python 3.0 it gives an iterator, which can be read once. Programs "
        "such as Nielsen's network.py of 2013, run under Python 3, train in the first epoch only, or fail where "
        "they ask for its length."
    ),
    source=(
        "What's New In Python 3.0, “Views And Iterators Instead Of Lists”; Nielsen's mnist_loader.py, which "
        "returns zip(…)"
    ),
    patch=(
        (
            """\
    for _ in range(EPOCHS):
        losses = [train_step(p, x, labels, rng) for x, labels in batches(*data, rng)]
        history.append((float(np.mean(losses)), accuracy(p, *valid)))""",
            """\
    examples = batches(*data, rng)
    for _ in range(EPOCHS):
        losses = [train_step(p, x, labels, rng) for x, labels in examples]
        history.append((float(np.mean(losses or 0)), accuracy(p, *valid)))""",
        ),
    ),
    symptoms="The accuracy after the first epoch never changes again.",
    hint="How many steps does the second epoch have?",
    tool="look",
    fix="Call `batches` in every epoch, or make a list of the pairs.",
)
