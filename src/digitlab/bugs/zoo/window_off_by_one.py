"""The last example of each window is left out."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Off by one in the window",
    story=(
        "A range that includes its first and not its last number is easy to get wrong. Dijkstra gave the reasons "
        "for this convention in 1982."
    ),
    source="E. W. Dijkstra, EWD 831, “Why numbering should start at zero”, 1982",
    patch=(("order[start : start + BATCH]", "order[start : start + BATCH - 1]"),),
    symptoms="Hardly any: in every epoch a tenth of the images is not seen.",
    hint="How many examples does an epoch have?",
    tool="look",
    fix="order[start : start + BATCH], whose last number is start + BATCH − 1.",
)
