"""Pixels divided without a remainder."""

from digitlab.bugs.bug import Bug

BUG = Bug(
    title="Integer division",
    story=(
        "In Python 2 the operator / between whole numbers dropped the remainder, so image / 255 was 0 for every "
        "pixel but the whitest. PEP 238 of 2001 explains why this was changed; in Python 3 the operator // still "
        "does it."
    ),
    source="M. Zadka, G. van Rossum, PEP 238, “Changing the Division Operator”, 2001",
    patch=(("reshape(len(part), INPUTS) / 255", "reshape(len(part), INPUTS) // 255"),),
    symptoms="It learns a little: only the blackest pixels are left, as 1, and all others are 0.",
    hint="Print one image as numbers.",
    tool="look",
    fix="Divide with /, or by 255.0.",
)
