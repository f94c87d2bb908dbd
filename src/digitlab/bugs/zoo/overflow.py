"""An exponential that is too large for a float."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Overflow of exp",
    story=(
        "e^z is infinite for z above 709 in double precision, 88 in single precision. Infinity over infinity is "
        "NaN. The remedy is to subtract the largest z, which changes nothing but the size."
    ),
    source="I. Goodfellow, Y. Bengio, A. Courville, “Deep Learning”, 2016, sec. 4.1, “Overflow and Underflow”",
    patch=(("    e = np.exp(z - z.max(axis=1, keepdims=True))", "    e = np.exp(z)"),),
    symptoms=(
        "None, until a weighted sum is large, as with another data set or a larger learning rate: then all "
        "outputs are NaN."
    ),
    hint="What does `softmax` give for the row [1000, 0, …, 0]?",
    tool="look",
    fix="Subtract each row's largest number first.",
)
