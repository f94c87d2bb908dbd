"""The same order in every epoch."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Same random numbers in every epoch",
    story=(
        "Whoever seeds a generator again in a loop gets the same numbers each time. In 2021 a study of code on "
        "GitHub found that over 95 % of the PyTorch projects with NumPy's generator and several loading processes "
        "had equal augmentations in their processes and epochs."
    ),
    source=(
        "T. Pärnamaa, “Using PyTorch + NumPy? You're making a mistake.”, 2021, "
        "https://tanelp.github.io/posts/a-bug-that-plagues-thousands-of-open-source-ml-projects"
    ),
    patch=(("    order = rng.permutation(len(x))", "    order = np.random.default_rng(0).permutation(len(x))"),),
    symptoms="Hardly any: the batches are the same in every epoch.",
    hint="Compare the first batch of two epochs.",
    tool="look",
    fix="Make one generator at the beginning, and pass it on.",
)
