"""A reshape that is taken for a transpose."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Reshape taken for a transpose",
    story=(
        "Both give the shape that is asked for. A transpose moves every pixel with its image; a reshape reads the "
        "numbers on in their order, so that each row holds pixels of many images."
    ),
    source=(
        "A. Karpathy, “most common neural net mistakes”, 1 July 2018, "
        "https://x.com/karpathy/status/1013244313327681536 (“thinking view() and permute() are the same thing”)"
    ),
    patch=(("part.images.reshape(len(part), INPUTS) / 255", "part.images.reshape(INPUTS, len(part)).T / 255"),),
    symptoms="The accuracy is that of guessing, and the training loss hardly falls.",
    hint="Draw one row of the inputs as 8×8 pixels.",
    tool="look",
    fix="part.images.reshape(len(part), INPUTS): the images are the first axis.",
)
